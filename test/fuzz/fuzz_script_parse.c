/* Target: everything that reads a script without running it. The operations of a
 * script are its bytes, one behind the other; what the solver finds, built again,
 * is the script; no count or text fails.
 */
#include "base/check.h"
#include "script/asm.h"
#include "script/build.h"
#include "script/parse.h"
#include "script/script.h"
#include "script/solver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void walk(struct span script)
{
    struct script_iter iter = script_iter_of(script);
    struct buf again = {0};
    struct span push;
    uint8_t op;

    while (!script_iter_done(&iter)) {
        const uint8_t *begin = iter.at;

        if (!script_next(&iter, &op, &push))
            break;
        CHECK(iter.at > begin && begin[0] == op);
        CHECK(push.len == 0 || push.data + push.len == iter.at);
        again.len = 0;
        if (op > OP_PUSHDATA4) {
            CHECK(iter.at == begin + 1);
        } else if (script_push_is_minimal(op, push)) {
            script_add_push(&again, push);
            CHECK(span_equal(span_of_buf(&again), span_of(begin, (size_t)(iter.at - begin))));
        }
    }
    CHECK(iter.at <= iter.end);
    buf_clear(&again);
}

static void build(struct buf *script, const struct solution *solution)
{
    switch (solution->type) {
    case SCRIPT_TYPE_PUBKEY:
        script_add_p2pk(script, solution->data);
        break;
    case SCRIPT_TYPE_PUBKEYHASH:
        CHECK(solution->data.len == 20);
        script_add_p2pkh(script, solution->data.data);
        break;
    case SCRIPT_TYPE_SCRIPTHASH:
        CHECK(solution->data.len == 20);
        script_add_p2sh(script, solution->data.data);
        break;
    case SCRIPT_TYPE_MULTISIG:
        script_add_multisig(script, solution->required, solution->keys, solution->keys_n);
        break;
    default:
        script_add_witness_program(script, solution->witness_version, solution->data);
        break;
    }
}

static void solve(struct span script)
{
    struct solution solution;
    struct buf again = {0};

    switch (script_solve(&solution, script)) {
    case SCRIPT_TYPE_NONSTANDARD:
    case SCRIPT_TYPE_ANCHOR:
        break;
    case SCRIPT_TYPE_NULL_DATA:
        CHECK(script.data[0] == OP_RETURN);
        break;
    default:
        build(&again, &solution);
        CHECK(span_equal(span_of_buf(&again), script));
        break;
    }
    buf_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct span script = span_of(data, len);
    struct buf text = {0};

    walk(script);
    solve(script);
    CHECK(script_sigops(script, true) <= script_sigops(script, false));
    if (script_has_valid_ops(script))
        (void)script_is_push_only(script);
    script_asm(&text, script, (len & 1) != 0);
    CHECK(len > 0 || text.len == 0);
    buf_clear(&text);
    return 0;
}
