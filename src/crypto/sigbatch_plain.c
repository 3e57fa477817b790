/* The lanes in plain C: slow, the same results, for any machine and every
 * sanitizer. */
#include "crypto/sigbatch_plain_priv.h"

#include "crypto/sigbatch_lanes_priv.h"

void lanes_run_plain(struct lane *lanes, size_t lanes_n, const struct g_tables *tables)
{
    lanes_run(lanes, lanes_n, tables);
}
