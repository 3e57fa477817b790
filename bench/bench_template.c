/* Block templates of a full mempool.
 *
 *   bench_template [TRANSACTIONS]
 *
 * A mempool is filled (by itself, and parents with children), then: the first template,
 * one after each further transaction, one when nothing has changed. CPU time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "naive_ground.h"

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/rules.h"
#include "crypto/sha256.h"
#include "mining/builder.h"

#define FEE_LEAST_SAT 200
#define ROUNDS 200
#define COIN_SAT 100000000

struct bench {
    struct node node; /* First. */
    struct ground ground;
    struct mempool *pool;
};

static double cpu_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static struct block_info info_of(const struct header_node *node)
{
    return (struct block_info){.hash = node->hash,
                               .header = header_of_node(node),
                               .height = node->height,
                               .median_time_past = header_median_time(node)};
}

static void status(struct node *node, struct node_status *ret_status)
{
    const struct bench *bench = (const struct bench *)node;

    memset(ret_status, 0, sizeof(*ret_status));
    ret_status->tip = info_of(bench->ground.tip);
}

static int ancestor(struct node *node, struct block_info *ret_info, const struct block_hash *hash,
                    int32_t height)
{
    const struct bench *bench = (const struct bench *)node;

    (void)hash;
    *ret_info = info_of(header_ancestor(bench->ground.tip, height));
    return 0;
}

static const struct node_ops node_ops = {.status = status, .ancestor = ancestor};

static void enter(struct bench *bench, const struct tx_ref *ref)
{
    struct tx_submit_options options = {0};
    struct tx_result result = {0};
    char reason[TX_PACKAGE_REASON_MAX];
    struct error err;

    CHECK(mempool_submit(bench->pool, &result, reason, &ref, 1, &options, &err) == 0);
    CHECK(result.outcome == TX_ACCEPTED);
    tx_result_clear(&result);
}

/* One transaction of a new coin, every other one with a child. */
static void add(struct bench *bench, uint32_t i)
{
    struct outpoint from = ground_coin(&bench->ground, COIN_SAT);
    const struct tx_ref *parent =
        spend_one(&from, COIN_SAT, 2, FEE_LEAST_SAT + (int64_t)(i * 7919U % 50000U));

    enter(bench, parent);
    if (i % 2 == 0) {
        struct outpoint output = output_of(parent, 0);
        const struct tx_ref *child = spend_one(&output, parent->tx.out[0].value_sat, 1,
                                               FEE_LEAST_SAT + (int64_t)(i * 104729U % 80000U));

        enter(bench, child);
        tx_ref_drop(child);
    }
    tx_ref_drop(parent);
}

static double template_ms(struct builder *builder, size_t *ret_txs_n)
{
    const struct block_template *template = NULL;
    double begin = cpu_ms();

    CHECK(builder_template(builder, &template, true, NULL) == 0);
    begin = cpu_ms() - begin;
    *ret_txs_n = template->txs_n;
    builder_drop(builder, template);
    return begin;
}

int main(int argc, char **argv)
{
    uint32_t wanted = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 6000;
    static struct bench bench = {.node.ops = &node_ops};
    struct mempool_options options;
    struct builder_options building = {.node = &bench.node,
                                       .max_weight = BLOCK_WEIGHT_MAX,
                                       .reserved_weight = BUILDER_RESERVED_WEIGHT_DEFAULT,
                                       .min_sat_kvb = 1};
    struct builder *builder;
    size_t txs_n;
    double total = 0;
    double worst = 0;
    double begin;

    sha256_select(true);
    ground_init(&bench.ground, &options);
    options.check_ratio = 0;
    CHECK(mempool_new(&bench.pool, &options, NULL) == 0);
    bench.ground.pool = bench.pool;
    building.params = options.params;
    building.clock = options.clock;
    building.mempool = mempool_view(bench.pool);
    builder = builder_new(&building);
    begin = cpu_ms();
    for (uint32_t i = 0; i * 3 < wanted * 2; i++)
        add(&bench, i);
    printf("filled with %u transactions: %.1f us each\n", wanted,
           (cpu_ms() - begin) / wanted * 1e3);
    begin = template_ms(builder, &txs_n);
    printf("first template, %zu transactions: %.3f ms\n", txs_n, begin);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        double took;

        add(&bench, wanted + i);
        took = template_ms(builder, &txs_n);
        total += took;
        worst = took > worst ? took : worst;
    }
    printf("after each further transaction: %.3f ms, at most %.3f ms\n", total / ROUNDS, worst);
    total = 0;
    for (uint32_t i = 0; i < ROUNDS; i++)
        total += template_ms(builder, &txs_n);
    printf("nothing new: %.4f ms\n", total / ROUNDS);
    builder_free(builder);
    mempool_free(bench.pool);
    ground_clear(&bench.ground);
    return 0;
}
