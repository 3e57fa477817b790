/* Target: what proxies say to us: SOCKS5, Tor's control port, I2P's SAM. The first byte
 * chooses which and into what pieces the rest is cut. However it is cut, the outcome is
 * the same. */
#include <string.h>

#include "base/check.h"
#include "p2p/i2p_sam.h"
#include "p2p/socks5.h"
#include "p2p/tor_control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint8_t seed[RANDOM_SEED_BYTES];

/* A disk without files. */
static int open_none(struct disk *disk, struct disk_file **ret_file, const char *path,
                     enum disk_open_mode mode, struct error *err)
{
    (void)disk;
    (void)ret_file;
    (void)path;
    return error_set(err, mode == DISK_READ ? E_NOT_FOUND : E_IO, "no files here");
}

static int remove_none(struct disk *disk, const char *path, struct error *err)
{
    (void)disk;
    (void)path;
    return error_set(err, E_NOT_FOUND, "no files here");
}

static const struct disk_ops no_files = {.open = open_none, .remove = remove_none};
static struct disk no_disk = {.ops = &no_files};

static int run_socks5(struct buf *out, struct span in, size_t piece)
{
    const struct socks5_auth auth = {"user", "pass"};
    struct socks5 socks;
    size_t used;
    int rc;

    rc = socks5_begin(&socks, "host", 1, &auth, out, NULL);
    while (rc == 0 && in.len > 0 && socks.state < SOCKS5_DONE) {
        rc = socks5_feed(&socks, &used, span_of(in.data, MIN(piece, in.len)), out, NULL);
        CHECK(used <= in.len && (used > 0 || rc < 0));
        in = span_of(in.data + used, in.len - used);
    }
    CHECK((rc < 0) == (socks.state == SOCKS5_FAILED));
    return rc;
}

static void on_send(void *context, struct span bytes)
{
    buf_add((struct buf *)context, bytes.data, bytes.len);
}

static void on_address(void *context, const struct net_address *address)
{
    buf_add((struct buf *)context, address->bytes, sizeof(address->bytes));
}

static int run_tor(struct buf *out, struct span in, size_t piece)
{
    const struct tor_control_options options = {
        .control = "tor",
        .service_port = 8333,
        .wants_proxy = true,
        .disk = &no_disk,
        .folder = "none",
        .seed = seed,
        .handler = {out, on_send, on_address, on_address, on_address},
    };
    struct tor_control *control = tor_control_new(&options);
    int rc = 0;

    tor_control_connected(control);
    while (rc == 0 && in.len > 0) {
        size_t n = MIN(piece, in.len);

        rc = tor_control_feed(control, span_of(in.data, n), NULL);
        in = span_of(in.data + n, in.len - n);
    }
    tor_control_closed(control);
    tor_control_free(control);
    return rc;
}

static int feed_link(struct i2p_link *link, struct buf *out, struct span *in, size_t piece)
{
    int rc = 0;

    while (rc == 0 && in->len > 0 && link->state < I2P_DONE) {
        size_t used;

        rc = i2p_link_feed(link, &used, span_of(in->data, MIN(piece, in->len)), out, NULL);
        CHECK(used <= in->len);
        *in = span_of(in->data + used, in->len - used);
    }
    CHECK((rc < 0) == (link->state == I2P_FAILED));
    return rc;
}

static int run_i2p(struct buf *out, struct span in, size_t piece)
{
    const struct i2p_session_options options = {.router = "router", .seed = seed};
    struct i2p_session *session = i2p_session_new(&options);
    const struct net_address peer = net_address_i2p(seed, 0);
    struct i2p_link link;
    int rc;

    i2p_link_begin(&link, session, I2P_CONTROL, NULL, out);
    rc = feed_link(&link, out, &in, piece);
    i2p_link_clear(&link);
    for (enum i2p_role role = I2P_CONNECT; role <= I2P_ACCEPT && i2p_session_is_ready(session);
         role++) {
        i2p_link_begin(&link, session, role, &peer, out);
        rc += feed_link(&link, out, &in, piece);
        i2p_link_clear(&link);
    }
    i2p_session_free(session);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static int (*const runs[])(struct buf * out, struct span in, size_t piece) = {run_socks5,
                                                                                  run_tor, run_i2p};
    struct buf whole = {0};
    struct buf cut = {0};
    unsigned which;
    int rc;

    if (len == 0)
        return 0;
    which = data[0] % 3U;
    rc = runs[which](&whole, span_of(data + 1, len - 1), len);
    CHECK(rc == runs[which](&cut, span_of(data + 1, len - 1), 1 + data[0] / 3U));
    CHECK(span_equal(span_of_buf(&whole), span_of_buf(&cut)));
    buf_clear(&whole);
    buf_clear(&cut);
    return 0;
}
