#include "p2p/i2p_sam.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "base/log.h"
#include "codec/base64.h"
#include "crypto/sha256.h"

/* A destination: 384 bytes of keys, and a certificate of one byte of kind, two of length
 * and that many. The private key goes on behind it. */
#define CERTIFICATE_LEN_AT 385
#define DESTINATION_BASE 387
#define KEY_BYTES_MAX 32768

/* Steps of a link; each is what the next line answers. */
enum step { STEP_HELLO, STEP_GENERATE, STEP_CREATE, STEP_LOOKUP, STEP_STREAM, STEP_PEER };

struct i2p_session {
    char *router;
    struct disk *disk;
    char *key_path; /* NULL: transient. */
    struct random_source random;
    char id[I2P_ID_SIZE]; /* Empty: not ready. */
    char next_id[I2P_ID_SIZE];
    struct buf key;
    struct net_address address;
};

/* --- Destinations --- */

/* I2P writes '-' and '~' where others write '+' and '/'. */
static void swap_base64(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        switch (text[i]) {
        case '-':
            text[i] = '+';
            break;
        case '~':
            text[i] = '/';
            break;
        case '+':
            text[i] = '-';
            break;
        case '/':
            text[i] = '~';
            break;
        default:
            break;
        }
    }
}

static bool decode(struct buf *ret, const char *text, size_t len)
{
    char *copy;
    bool is_read;

    /* In the standard form these two are no digits of I2P's. */
    if (memchr(text, '+', len) != NULL || memchr(text, '/', len) != NULL)
        return false;
    copy = alloc(len + 1);
    memcpy(copy, text, len);
    swap_base64(copy, len);
    is_read = base64_read(ret, copy, len);
    secret_wipe(copy, len);
    free(copy);
    return is_read;
}

static struct net_address address_of_bytes(struct span destination)
{
    uint8_t hash[SHA256_BYTES];

    sha256(hash, destination.data, destination.len);
    return net_address_i2p(hash, I2P_PORT);
}

bool i2p_address_of(struct net_address *ret, const char *destination, size_t len)
{
    struct buf bytes = {0};
    bool is_read = decode(&bytes, destination, len);

    if (is_read)
        *ret = address_of_bytes(span_of_buf(&bytes));
    buf_clear(&bytes);
    return is_read;
}

/* The part of the key that is our destination. */
static int own_destination(struct span *ret, struct span key, struct error *err)
{
    size_t len;

    if (key.len < DESTINATION_BASE)
        return error_set(err, E_MALFORMED, "The private key is too short (%zu < %d)", key.len,
                         DESTINATION_BASE);
    len = DESTINATION_BASE +
          ((size_t)key.data[CERTIFICATE_LEN_AT] << 8 | key.data[CERTIFICATE_LEN_AT + 1]);
    if (len > key.len)
        return error_set(err, E_MALFORMED,
                         "Certificate length (%zu) designates that the private key should be %zu "
                         "bytes, but it is only %zu bytes",
                         len - DESTINATION_BASE, len, key.len);
    *ret = span_of(key.data, len);
    return 0;
}

/* --- Sessions --- */

struct i2p_session *i2p_session_new(const struct i2p_session_options *options)
{
    struct i2p_session *session = alloc_zero(sizeof(*session));

    session->router = alloc_string(options->router);
    session->disk = options->disk;
    if (options->folder != NULL)
        session->key_path = alloc_printf("%s/i2p_private_key", options->folder);
    random_init(&session->random, options->seed, "i2p_sam");
    return session;
}

static void forget_key(struct i2p_session *session)
{
    if (session->key.data != NULL)
        secret_wipe(session->key.data, session->key.capacity);
    session->key.len = 0;
}

void i2p_session_free(struct i2p_session *own_session)
{
    if (own_session == NULL)
        return;
    i2p_session_lost(own_session);
    forget_key(own_session);
    buf_clear(&own_session->key);
    free(own_session->router);
    free(own_session->key_path);
    free(own_session);
}

void i2p_session_name(struct i2p_session *session)
{
    uint8_t bytes[(I2P_ID_SIZE - 1) / 2];

    random_fill(&session->random, bytes, sizeof(bytes));
    hex_write(session->next_id, bytes, sizeof(bytes));
    log_debug("i2p", "Creating %s I2P SAM session %s with %s",
              session->key_path == NULL ? "transient" : "persistent", session->next_id,
              session->router);
}

bool i2p_session_is_ready(const struct i2p_session *session)
{
    return session->id[0] != '\0';
}

const struct net_address *i2p_session_address(const struct i2p_session *session)
{
    return &session->address;
}

void i2p_session_lost(struct i2p_session *session)
{
    if (i2p_session_is_ready(session))
        log_info("i2p", "Destroying I2P SAM session %s", session->id);
    session->id[0] = '\0';
}

/* --- Links --- */

static void request(struct i2p_link *link, enum step step, struct buf *send, const char *text)
{
    link->step = step;
    buf_add_string(send, text);
    buf_add_byte(send, '\n');
}

void i2p_link_begin(struct i2p_link *link, struct i2p_session *session, enum i2p_role role,
                    const struct net_address *peer, struct buf *send)
{
    memset(link, 0, sizeof(*link));
    link->session = session;
    link->role = role;
    if (peer != NULL)
        link->peer = *peer;
    CHECK(role == I2P_CONTROL || i2p_session_is_ready(session));
    if (role == I2P_CONTROL && session->next_id[0] == '\0')
        i2p_session_name(session);
    request(link, STEP_HELLO, send, "HELLO VERSION MIN=3.1 MAX=3.1");
}

void i2p_link_clear(struct i2p_link *link)
{
    if (link->line.data != NULL)
        secret_wipe(link->line.data, link->line.capacity);
    buf_clear(&link->line);
}

/* The value of key in "WORD KEY=value KEY=value"; empty data where there is none. The
 * first one counts. */
static struct span value_of(const char *line, const char *key)
{
    size_t key_len = strlen(key);

    while (*line != '\0') {
        size_t len = strcspn(line, " ");

        if (len > key_len && line[key_len] == '=' && memcmp(line, key, key_len) == 0)
            return span_of(line + key_len + 1, len - key_len - 1);
        line += len + (line[len] == ' ' ? 1 : 0);
    }
    return span_of(NULL, 0);
}

static bool is_text(struct span value, const char *text)
{
    return value.data != NULL && span_equal(value, span_of_string(text));
}

static int expect_ok(const char *line, const char *what, struct error *err)
{
    struct span result = value_of(line, "RESULT");

    if (result.data == NULL)
        return error_set(err, E_MALFORMED, "Missing RESULT= in the reply to \"%s\"", what);
    if (!is_text(result, "OK"))
        return error_set(err, E_IO, "Reply to \"%s\": had a RESULT not equal to OK.", what);
    return 0;
}

static void create(struct i2p_link *link, struct buf *send)
{
    struct i2p_session *session = link->session;
    struct buf text = {0};
    size_t key_at;

    buf_add_printf(&text, "SESSION CREATE STYLE=STREAM ID=%s DESTINATION=", session->next_id);
    if (session->key_path == NULL) {
        buf_add_string(&text, "TRANSIENT SIGNATURE_TYPE=7 i2cp.leaseSetEncType=4,0 "
                              "inbound.quantity=1 outbound.quantity=1");
    } else {
        key_at = text.len;
        base64_write(&text, span_of_buf(&session->key));
        swap_base64((char *)text.data + key_at, text.len - key_at);
        buf_add_string(&text, " i2cp.leaseSetEncType=4,0 inbound.quantity=3 outbound.quantity=3");
    }
    request(link, STEP_CREATE, send, buf_string(&text));
    secret_wipe(text.data, text.len);
    buf_clear(&text);
}

static int after_hello(struct i2p_link *link, struct buf *send)
{
    struct i2p_session *session = link->session;
    char host[NET_ADDRESS_TEXT_SIZE];
    char text[160];

    switch (link->role) {
    case I2P_CONTROL:
        forget_key(session);
        if (session->key_path != NULL && disk_read_file(session->disk, &session->key,
                                                        session->key_path, KEY_BYTES_MAX, NULL) < 0)
            /* 7: EdDSA_SHA512_Ed25519; old routers know it by number only. */
            request(link, STEP_GENERATE, send, "DEST GENERATE SIGNATURE_TYPE=7");
        else
            create(link, send);
        break;
    case I2P_CONNECT:
        (void)snprintf(text, sizeof(text), "NAMING LOOKUP NAME=%s",
                       net_address_host_text(host, &link->peer));
        request(link, STEP_LOOKUP, send, text);
        break;
    case I2P_ACCEPT:
        (void)snprintf(text, sizeof(text), "STREAM ACCEPT ID=%s SILENT=false", session->id);
        request(link, STEP_STREAM, send, text);
        break;
    }
    return 0;
}

static int take_key(struct i2p_session *session, const char *line, const char *name,
                    const char *what, struct error *err)
{
    struct span value = value_of(line, name);

    if (value.data == NULL)
        return error_set(err, E_MALFORMED, "Missing %s= in the reply to \"%s\"", name, what);
    forget_key(session);
    if (!decode(&session->key, (const char *)value.data, value.len))
        return error_set(err, E_MALFORMED, "Cannot decode Base64");
    return 0;
}

static int after_generate(struct i2p_link *link, const char *line, struct buf *send,
                          struct error *err)
{
    struct i2p_session *session = link->session;
    int rc;

    rc = take_key(session, line, "PRIV", "DEST GENERATE SIGNATURE_TYPE=7", err);
    if (rc < 0)
        return rc;
    rc = disk_replace_file(session->disk, session->key_path, session->key.data, session->key.len,
                           NULL);
    if (rc < 0)
        return error_set(err, rc, "Cannot save I2P private key to \"%s\"", session->key_path);
    create(link, send);
    return 0;
}

static int after_create(struct i2p_link *link, const char *line, struct error *err)
{
    struct i2p_session *session = link->session;
    char text[NET_ADDRESS_TEXT_SIZE];
    struct span destination = {0};
    int rc;

    rc = expect_ok(line, "SESSION CREATE ...", err);
    if (rc == 0 && session->key_path == NULL)
        rc = take_key(session, line, "DESTINATION", "SESSION CREATE ...", err);
    if (rc == 0)
        rc = own_destination(&destination, span_of_buf(&session->key), err);
    if (rc < 0)
        return rc;
    session->address = address_of_bytes(destination);
    memcpy(session->id, session->next_id, sizeof(session->id));
    session->next_id[0] = '\0';
    link->state = I2P_DONE;
    log_info("i2p", "%s I2P SAM session %s created, my address=%s",
             session->key_path == NULL ? "Transient" : "Persistent", session->id,
             net_address_text(text, &session->address));
    return 0;
}

static int after_lookup(struct i2p_link *link, const char *line, struct buf *send,
                        struct error *err)
{
    struct span value = value_of(line, "VALUE");
    char host[NET_ADDRESS_TEXT_SIZE];
    struct net_address found;
    char what[112];
    char *text;
    int rc;

    (void)snprintf(what, sizeof(what), "NAMING LOOKUP NAME=%s",
                   net_address_host_text(host, &link->peer));
    rc = expect_ok(line, what, err);
    if (rc < 0)
        return rc;
    if (value.data == NULL)
        return error_set(err, E_MALFORMED, "Missing VALUE= in the reply to \"%s\"", what);
    if (!i2p_address_of(&found, (const char *)value.data, value.len) ||
        !net_address_host_equal(&found, &link->peer))
        return error_set(err, E_MALFORMED, "the reply to \"%s\" names another peer", what);
    text = alloc_printf("STREAM CONNECT ID=%s DESTINATION=%.*s SILENT=false", link->session->id,
                        (int)value.len, (const char *)value.data);
    request(link, STEP_STREAM, send, text);
    free(text);
    return 0;
}

static int after_stream(struct i2p_link *link, const char *line, struct error *err)
{
    struct span result = value_of(line, "RESULT");

    if (result.data == NULL)
        return error_set(err, E_MALFORMED, "Missing RESULT= in the reply to \"STREAM ...\"");
    if (is_text(result, "OK")) {
        link->state = link->role == I2P_ACCEPT ? I2P_WAITING : I2P_DONE;
        link->step = STEP_PEER;
        return 0;
    }
    if (is_text(result, "INVALID_ID")) {
        i2p_session_lost(link->session);
        return error_set(err, E_STATE, "Invalid session id");
    }
    link->blames_peer = is_text(result, "CANT_REACH_PEER") || is_text(result, "TIMEOUT");
    return error_set(err, E_IO, "\"%.200s\"", line);
}

/* Somebody came: the line is a destination, and in newer versions more behind it. */
static int after_wait(struct i2p_link *link, const char *line, struct error *err)
{
    if (i2p_address_of(&link->peer, line, strcspn(line, " "))) {
        link->state = I2P_DONE;
        return 0;
    }
    if (strstr(line, "RESULT=I2P_ERROR") != NULL) {
        i2p_session_lost(link->session);
        return error_set(err, E_STATE,
                         "unexpected reply that hints the session is unusable: %.200s", line);
    }
    return error_set(err, E_MALFORMED, "Cannot decode Base64: \"%.200s\"", line);
}

static int take_line(struct i2p_link *link, const char *line, struct buf *send, struct error *err)
{
    int rc;

    switch ((enum step)link->step) {
    case STEP_HELLO:
        rc = expect_ok(line, "HELLO VERSION MIN=3.1 MAX=3.1", err);
        return rc < 0 ? rc : after_hello(link, send);
    case STEP_GENERATE:
        return after_generate(link, line, send, err);
    case STEP_CREATE:
        return after_create(link, line, err);
    case STEP_LOOKUP:
        return after_lookup(link, line, send, err);
    case STEP_STREAM:
        return after_stream(link, line, err);
    case STEP_PEER:
        break;
    }
    return after_wait(link, line, err);
}

static void log_failure(const struct i2p_link *link, const struct error *err)
{
    char text[NET_ADDRESS_TEXT_SIZE];

    if (link->role == I2P_CONNECT)
        log_debug("i2p", "Error connecting to %s: %s", net_address_text(text, &link->peer),
                  error_text(err));
    else if (link->step == STEP_PEER)
        log_debug("i2p", "Error accepting%s: %s",
                  i2p_session_is_ready(link->session) ? "" : " (will close the session)",
                  error_text(err));
    else
        log_error("i2p", "Couldn't listen: %s", error_text(err));
}

int i2p_link_feed(struct i2p_link *link, size_t *ret_used, struct span bytes, struct buf *send,
                  struct error *err)
{
    struct error own_err = {0};
    size_t used = 0;
    int rc = 0;

    if (err == NULL)
        err = &own_err;
    while (rc == 0 && link->state < I2P_DONE && used < bytes.len) {
        const uint8_t *end = (const uint8_t *)memchr(bytes.data + used, '\n', bytes.len - used);
        size_t len = end == NULL ? bytes.len - used : (size_t)(end - bytes.data) - used;

        if (link->line.len + len > I2P_LINE_MAX) {
            rc = error_set(err, E_LIMIT, "Received too many bytes without a terminator (%d)",
                           I2P_LINE_MAX);
            break;
        }
        buf_add(&link->line, bytes.data + used, len);
        used += len + (end != NULL ? 1 : 0);
        if (end == NULL)
            break;
        rc = take_line(link, buf_string(&link->line), send, err);
        link->line.len = 0;
    }
    if (rc < 0) {
        link->state = I2P_FAILED;
        log_failure(link, err);
    }
    *ret_used = used;
    return rc;
}

bool i2p_may_connect(const struct net_address *peer)
{
    char text[NET_ADDRESS_TEXT_SIZE];

    if (peer->port == I2P_PORT)
        return true;
    log_debug("i2p", "Error connecting to %s, connection refused due to arbitrary port %u",
              net_address_text(text, peer), peer->port);
    return false;
}
