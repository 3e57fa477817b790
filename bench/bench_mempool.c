/* Acceptance of real transactions.
 *
 *   bench_mempool [FILE]
 *
 * FILE (else mempool/mainnet_mempool_2024.jsonl below ASSAY_DATA) has one transaction a
 * line: "raw" and, for each input, "prevouts": [amount, script]. The coins are taken as
 * given, old enough to be spent. All are offered, parents first, to an empty mempool; then
 * once more to another one that shares the cache of signatures: the second figure is
 * everything but the curves. CPU time of the judging thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "codec/json.h"
#include "crypto/sha256.h"
#include "mempool/mempool_priv.h"

#define NODES_N 3000
#define TIP_HEIGHT 880000
#define TIP_TIME 1735689600 /* Locks of the set are over. */
#define COIN_HEIGHT (TIP_HEIGHT - 1500)
#define LINE_MAX_BYTES (16U << 20)
#define REASONS_MAX 64

struct given {
    struct outpoint outpoint;
    struct coin coin;
};

struct world {
    struct header_node nodes[NODES_N];
    struct given *coins;
    size_t coins_n;
    struct index by_outpoint;
    struct siphash_key key;
    const struct tx_ref **txs;
    size_t txs_n;
    struct arena arena; /* Scripts. */
    struct mock_clock clock;
};

struct reason {
    char text[TX_REASON_MAX];
    size_t n;
};

static double cpu_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint32_t hash_of(const struct world *world, const struct outpoint *outpoint)
{
    return (uint32_t)siphash_outpoint(&world->key, outpoint->txid.b, outpoint->vout);
}

static const struct coin *find_coin(const struct world *world, const struct outpoint *outpoint)
{
    uint32_t hash = hash_of(world, outpoint);
    const struct index_slot *slot;

    for (uint32_t at = hash; (slot = index_next(&world->by_outpoint, hash, &at)) != NULL;) {
        if (outpoint_equal(&world->coins[slot->id].outpoint, outpoint))
            return &world->coins[slot->id].coin;
    }
    return NULL;
}

/* --- The ground --------------------------------------------------------------------- */

static const struct header_node *tip(void *context)
{
    return &((struct world *)context)->nodes[NODES_N - 1];
}

static int find_coins(void *context, struct coin *ret_coins, bool *ret_found,
                      const struct outpoint *outpoints, size_t n, struct arena *arena,
                      struct error *err)
{
    (void)err;
    (void)arena;
    for (size_t i = 0; i < n; i++) {
        const struct coin *coin = find_coin(context, &outpoints[i]);

        ret_found[i] = coin != NULL;
        ret_coins[i] = coin == NULL ? (struct coin){0} : *coin;
    }
    return 0;
}

static int has_confirmed(void *context, bool *ret_has, const struct txid *txid, uint32_t outputs_n,
                         struct error *err)
{
    (void)context;
    (void)txid;
    (void)outputs_n;
    (void)err;
    *ret_has = false;
    return 0;
}

static int ask(void *context, int (*run)(void *argument, struct error *err), void *argument,
               struct error *err)
{
    (void)context;
    return run(argument, err);
}

static bool is_initial(void *context)
{
    (void)context;
    return false;
}

static void make_headers(struct world *world)
{
    for (int32_t i = 0; i < NODES_N; i++) {
        struct header_node *node = &world->nodes[i];

        node->height = TIP_HEIGHT - NODES_N + 1 + i;
        node->time = (uint32_t)(TIP_TIME - (NODES_N - 1 - i) * 600);
        node->prev = i == 0 ? NULL : node - 1;
        node->jump = i == 0 ? node : node - 1;
    }
}

/* --- The file -------------------------------------------------------------------------- */

static struct span bytes_of(struct world *world, const struct json *value)
{
    const char *text = json_text(value);
    size_t len = strlen(text);
    uint8_t *bytes = arena_alloc(&world->arena, len / 2 + 1);

    CHECK(hex_read(bytes, len / 2, text, len));
    return span_of(bytes, len / 2);
}

static void add_line(struct world *world, const char *line)
{
    struct arena scratch;
    const struct json *prevouts;
    struct json value;
    struct tx_ref *ref;

    arena_init(&scratch);
    CHECK(json_read(&value, line, strlen(line), &scratch, NULL) == 0);
    CHECK(tx_ref_read(&ref, bytes_of(world, json_find(&value, "raw")), NULL) == 0);
    prevouts = json_find(&value, "prevouts");
    CHECK(prevouts != NULL && prevouts->count == ref->tx.in_n);
    world->txs = realloc_array(world->txs, world->txs_n + 1, sizeof(struct tx_ref *));
    world->txs[world->txs_n++] = ref;
    world->coins =
        realloc_array(world->coins, world->coins_n + ref->tx.in_n, sizeof(*world->coins));
    for (uint32_t i = 0; i < ref->tx.in_n; i++) {
        struct given *given = &world->coins[world->coins_n];

        *given = (struct given){.outpoint = ref->tx.in[i].prevout, .coin = {.height = COIN_HEIGHT}};
        CHECK(json_get_int64(&given->coin.value_sat, &prevouts->items[i].items[0]));
        given->coin.script_pubkey = bytes_of(world, &prevouts->items[i].items[1]);
        index_add(&world->by_outpoint, hash_of(world, &given->outpoint), (uint32_t)world->coins_n++,
                  0);
    }
    arena_clear(&scratch);
}

static bool read_file(struct world *world, const char *path)
{
    char *line = alloc(LINE_MAX_BYTES);
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        free(line);
        return false;
    }
    while (fgets(line, LINE_MAX_BYTES, file) != NULL)
        add_line(world, line);
    (void)fclose(file);
    free(line);
    return true;
}

/* --- Judging ---------------------------------------------------------------------------- */

static struct mempool *new_pool(struct world *world, struct sig_cache *sig_cache)
{
    struct mempool_options options;
    struct mempool *pool;

    mempool_options_default(&options, params_of(NETWORK_MAIN));
    options.clock = &world->clock.clock;
    options.sig_cache = sig_cache;
    options.seed[0] = 1;
    options.seed[1] = 2;
    options.ground = (struct mempool_ground){.context = world,
                                             .tip = tip,
                                             .find_coins = find_coins,
                                             .has_confirmed = has_confirmed,
                                             .ask = ask,
                                             .is_initial_block_download = is_initial};
    CHECK(mempool_new(&pool, &options, NULL) == 0);
    return pool;
}

static void count_reason(struct reason *reasons, size_t *n, const char *text)
{
    size_t at = 0;

    while (at < *n && strcmp(reasons[at].text, text) != 0)
        at++;
    if (at == REASONS_MAX)
        return;
    if (at == *n)
        (void)snprintf(reasons[(*n)++].text, TX_REASON_MAX, "%s", text);
    reasons[at].n++;
}

static void run(struct world *world, struct sig_cache *sig_cache, const char *what)
{
    static struct reason reasons[REASONS_MAX];
    struct mempool *pool = new_pool(world, sig_cache);
    struct tx_submit_options options = {0};
    char package_reason[TX_PACKAGE_REASON_MAX];
    size_t reasons_n = 0;
    struct mempool_status status;
    double begun_s;
    double took_s;

    memset(reasons, 0, sizeof(reasons));
    begun_s = cpu_s();
    for (size_t i = 0; i < world->txs_n; i++) {
        struct tx_result result;

        CHECK(mempool_submit(pool, &result, package_reason, &world->txs[i], 1, &options, NULL) ==
              0);
        if (result.outcome != TX_ACCEPTED)
            count_reason(reasons, &reasons_n, result.reason);
        tx_result_clear(&result);
    }
    took_s = cpu_s() - begun_s;
    mempool_view(pool)->ops->status(mempool_view(pool), &status);
    printf("%s: %zu offered, %" PRIu64 " accepted, %.0f tx/s, %.1f us/tx, %.1f MB for %.1f MvB\n",
           what, world->txs_n, status.txs_n, (double)world->txs_n / took_s,
           took_s * 1e6 / (double)world->txs_n, (double)status.usage_bytes / 1e6,
           (double)status.bytes / 1e6);
    for (size_t i = 0; i < reasons_n; i++)
        printf("  %zu: %s\n", reasons[i].n, reasons[i].text);
    mempool_free(pool);
}

int main(int argc, char **argv)
{
    static const uint8_t salt[SIG_CACHE_SALT_BYTES];
    static struct world world = {.key = {3, 4}};
    struct sig_cache *sig_cache = sig_cache_new((size_t)32 << 20, salt);
    const char *data = getenv("ASSAY_DATA");
    char *path = alloc_printf("%s/mempool/mainnet_mempool_2024.jsonl",
                              data == NULL ? "../shared/data" : data);

    arena_init(&world.arena);
    (void)sha256_select(true);
    make_headers(&world);
    mock_clock_init(&world.clock, clock_real());
    mock_clock_set(&world.clock, TIP_TIME);
    if (!read_file(&world, argc > 1 ? argv[1] : path)) {
        (void)fprintf(stderr, "bench_mempool: no file of transactions\n");
        return EXIT_FAILURE;
    }
    run(&world, sig_cache, "first time");
    run(&world, sig_cache, "signatures known");
    for (size_t i = 0; i < world.txs_n; i++)
        tx_ref_drop(world.txs[i]);
    free(world.txs);
    free(world.coins);
    index_clear(&world.by_outpoint);
    arena_clear(&world.arena);
    sig_cache_free(sig_cache);
    free(path);
    return EXIT_SUCCESS;
}
