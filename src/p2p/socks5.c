#include "p2p/socks5.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/log.h"

#define VERSION 5
#define METHOD_NONE 0
#define METHOD_USER 2
#define AUTH_VERSION 1
#define COMMAND_CONNECT 1
#define TYPE_IPV4 1
#define TYPE_NAME 3
#define TYPE_IPV6 4

void socks5_isolation_init(struct socks5_isolation *isolation, struct random_source *random)
{
    uint8_t bytes[8];

    random_fill(random, bytes, sizeof(bytes));
    hex_write(isolation->prefix, bytes, sizeof(bytes));
    isolation->prefix[2 * sizeof(bytes)] = '-';
    isolation->prefix[2 * sizeof(bytes) + 1] = '\0';
    isolation->counter = 0;
}

void socks5_isolation_next(struct socks5_isolation *isolation, struct socks5_auth *ret_auth)
{
    (void)snprintf(ret_auth->user, sizeof(ret_auth->user), "%s%" PRIu64, isolation->prefix,
                   isolation->counter++);
    memcpy(ret_auth->password, ret_auth->user, sizeof(ret_auth->password));
}

int socks5_begin(struct socks5 *socks, const char *host, uint16_t port,
                 const struct socks5_auth *auth, struct buf *send, struct error *err)
{
    size_t len = strlen(host);

    memset(socks, 0, sizeof(*socks));
    if (len > SOCKS5_HOST_MAX) {
        socks->state = SOCKS5_FAILED;
        log_error("net", "Hostname too long");
        return error_set(err, E_LIMIT, "the host name is too long");
    }
    log_debug("net", "SOCKS5 connecting %s", host);
    memcpy(socks->host, host, len);
    socks->port = port;
    socks->state = SOCKS5_METHOD;
    buf_add_byte(send, VERSION);
    buf_add_byte(send, auth != NULL ? 2 : 1);
    buf_add_byte(send, METHOD_NONE);
    if (auth != NULL) {
        socks->has_auth = true;
        socks->auth = *auth;
        buf_add_byte(send, METHOD_USER);
    }
    return 0;
}

static void send_request(struct socks5 *socks, struct buf *send)
{
    size_t len = strlen(socks->host);

    buf_add_byte(send, VERSION);
    buf_add_byte(send, COMMAND_CONNECT);
    buf_add_byte(send, 0);
    buf_add_byte(send, TYPE_NAME);
    buf_add_byte(send, (uint8_t)len);
    buf_add(send, socks->host, len);
    buf_add_byte(send, (uint8_t)(socks->port >> 8));
    buf_add_byte(send, (uint8_t)socks->port);
    socks->state = SOCKS5_REPLY;
}

static void send_auth(struct socks5 *socks, struct buf *send)
{
    log_debug("proxy", "SOCKS5 sending username/password authentication");
    buf_add_byte(send, AUTH_VERSION);
    buf_add_byte(send, (uint8_t)strlen(socks->auth.user));
    buf_add_string(send, socks->auth.user);
    buf_add_byte(send, (uint8_t)strlen(socks->auth.password));
    buf_add_string(send, socks->auth.password);
    socks->state = SOCKS5_AUTH;
}

static const char *reply_text(uint8_t reply, char *text, size_t size)
{
    static const char *const plain[] = {
        "",
        "general failure",
        "connection not allowed",
        "network unreachable",
        "host unreachable",
        "connection refused",
        "TTL expired",
        "protocol error",
        "address type not supported",
    };
    /* Tor, "socks-extensions", from 0xf0. */
    static const char *const tor[] = {
        "onion service descriptor can not be found",
        "onion service descriptor is invalid",
        "onion service introduction failed",
        "onion service rendezvous failed",
        "onion service missing client authorization",
        "onion service wrong client authorization",
        "onion service invalid address",
        "onion service introduction timed out",
    };

    if (reply < ARRAY_LEN(plain))
        return plain[reply];
    if (reply >= 0xf0 && reply - 0xf0U < ARRAY_LEN(tor))
        return tor[reply - 0xf0];
    (void)snprintf(text, size, "unknown (0x%02x)", reply);
    return text;
}

static int fail(struct socks5 *socks, int rc, struct error *err, const char *why)
{
    socks->state = SOCKS5_FAILED;
    log_error("net", "%s", why);
    return error_set(err, rc, "the SOCKS5 proxy: %s", why);
}

static int take_method(struct socks5 *socks, struct buf *send, struct error *err)
{
    char why[64];

    if (socks->got[0] != VERSION)
        return fail(socks, E_MALFORMED, err, "Proxy failed to initialize");
    if (socks->got[1] == METHOD_USER && socks->has_auth) {
        send_auth(socks, send);
    } else if (socks->got[1] == METHOD_NONE) {
        send_request(socks, send);
    } else {
        (void)snprintf(why, sizeof(why), "Proxy requested wrong authentication method %02x",
                       socks->got[1]);
        return fail(socks, E_PERMISSION, err, why);
    }
    return 0;
}

static int take_auth(struct socks5 *socks, struct buf *send, struct error *err)
{
    if (socks->got[0] != AUTH_VERSION || socks->got[1] != 0)
        return fail(socks, E_PERMISSION, err, "Proxy authentication unsuccessful");
    send_request(socks, send);
    return 0;
}

/* The head alone decides; the address behind it is of no use. */
static int take_reply_head(struct socks5 *socks, struct error *err)
{
    char text[32];
    const char *why;

    if (socks->got[0] != VERSION)
        return fail(socks, E_MALFORMED, err, "Proxy failed to accept request");
    if (socks->got[1] != 0) {
        why = reply_text(socks->got[1], text, sizeof(text));
        log_debug("net", "Socks5() connect to %s:%u failed: %s", socks->host, socks->port, why);
        socks->state = SOCKS5_FAILED;
        return error_set(err, E_IO, "the SOCKS5 proxy could not connect to '%.255s': %s",
                         socks->host, why);
    }
    if (socks->got[2] != 0 ||
        (socks->got[3] != TYPE_IPV4 && socks->got[3] != TYPE_NAME && socks->got[3] != TYPE_IPV6))
        return fail(socks, E_MALFORMED, err, "Error: malformed proxy response");
    return 0;
}

/* Of the whole reply, as far as it can be known. */
static size_t reply_len(const struct socks5 *socks)
{
    if (socks->got_n < 4)
        return 4;
    if (socks->got[3] == TYPE_IPV4)
        return 4 + 4 + 2;
    if (socks->got[3] == TYPE_IPV6)
        return 4 + 16 + 2;
    return socks->got_n < 5 ? 5 : 4 + 1 + (size_t)socks->got[4] + 2;
}

int socks5_feed(struct socks5 *socks, size_t *ret_used, struct span bytes, struct buf *send,
                struct error *err)
{
    size_t used = 0;
    int rc = 0;

    while (rc == 0 && socks->state < SOCKS5_DONE && used < bytes.len) {
        size_t want = socks->state == SOCKS5_REPLY ? reply_len(socks) : 2;
        size_t n = MIN(want - socks->got_n, bytes.len - used);

        memcpy(socks->got + socks->got_n, bytes.data + used, n);
        socks->got_n += n;
        used += n;
        if (socks->got_n < want)
            break;
        if (socks->state == SOCKS5_REPLY) {
            if (want == 4)
                rc = take_reply_head(socks, err);
            if (rc < 0 || reply_len(socks) > want)
                continue;
            log_debug("net", "SOCKS5 connected %s", socks->host);
            socks->state = SOCKS5_DONE;
        } else if (socks->state == SOCKS5_METHOD) {
            socks->got_n = 0;
            rc = take_method(socks, send, err);
        } else {
            socks->got_n = 0;
            rc = take_auth(socks, send, err);
        }
    }
    *ret_used = used;
    return rc;
}
