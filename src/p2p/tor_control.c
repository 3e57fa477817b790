#include "p2p/tor_control.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "base/log.h"
#include "crypto/hmac.h"
#include "p2p/tor_reply_priv.h"

#define REPLY_OK 250
#define REPLY_UNRECOGNIZED 510
#define REPLY_BAD_ARGUMENT 512
#define REPLY_ASYNC 600

#define RETRY_FIRST_MS 1000
#define RETRY_MAX_MS 600000
#define COOKIE_BYTES 32
#define NONCE_BYTES 32
#define KEY_BYTES_MAX 4096
#define NEW_KEY "NEW:ED25519-V3"
#define COMMANDS_MAX 8

/* Commands whose answers are awaited, in order. */
enum command { CMD_INFO, CMD_CHALLENGE, CMD_AUTHENTICATE, CMD_SOCKS, CMD_ADD, CMD_ADD_PLAIN };

struct tor_control {
    struct tor_control_options options; /* Texts owned. */
    struct random_source random;
    uint64_t retry_ms;

    struct buf line;  /* What came of the line now read. */
    struct buf reply; /* The lines of the reply so far, each terminated by zero. */
    unsigned lines_n;
    int code;
    enum command awaited[COMMANDS_MAX];
    size_t awaited_n;

    struct buf key; /* As Tor writes it, or NEW_KEY. */
    uint8_t cookie[COOKIE_BYTES];
    uint8_t nonce[NONCE_BYTES];
    bool has_service;
    struct net_address service;
};

static char *key_path(const struct tor_control *control)
{
    return alloc_printf("%s/onion_v3_private_key", control->options.folder);
}

struct tor_control *tor_control_new(const struct tor_control_options *options)
{
    struct tor_control *control = alloc_zero(sizeof(*control));
    char *path;

    control->options = *options;
    control->options.control = alloc_string(options->control);
    control->options.password = alloc_string(options->password == NULL ? "" : options->password);
    control->options.folder = alloc_string(options->folder);
    control->retry_ms = RETRY_FIRST_MS;
    random_init(&control->random, options->seed, "tor_control");
    path = key_path(control);
    if (disk_read_file(options->disk, &control->key, path, KEY_BYTES_MAX, NULL) == 0)
        log_debug("tor", "Reading cached private key from %s", path);
    free(path);
    return control;
}

void tor_control_free(struct tor_control *own_control)
{
    if (own_control == NULL)
        return;
    free((char *)(uintptr_t)own_control->options.control);
    free((char *)(uintptr_t)own_control->options.password);
    free((char *)(uintptr_t)own_control->options.folder);
    if (own_control->key.data != NULL)
        secret_wipe(own_control->key.data, own_control->key.capacity);
    secret_wipe(own_control->cookie, sizeof(own_control->cookie));
    buf_clear(&own_control->line);
    buf_clear(&own_control->reply);
    buf_clear(&own_control->key);
    free(own_control);
}

static void command(struct tor_control *control, enum command which, struct buf *own_text)
{
    CHECK(control->awaited_n < COMMANDS_MAX);
    control->awaited[control->awaited_n++] = which;
    buf_add_string(own_text, "\r\n");
    control->options.handler.send(control->options.handler.context, span_of_buf(own_text));
    buf_clear(own_text);
}

static void command_text(struct tor_control *control, enum command which, const char *text)
{
    struct buf buf = {0};

    buf_add_string(&buf, text);
    command(control, which, &buf);
}

/* The n-th line of the reply; NULL behind the last. */
static const char *reply_line(const struct tor_control *control, const char *previous)
{
    const char *begin = (const char *)control->reply.data;
    const char *next = previous == NULL ? begin : previous + strlen(previous) + 1;

    return control->lines_n > 0 && next < begin + control->reply.len ? next : NULL;
}

/* What is behind "WORD " if the line begins so. */
static const char *behind(const char *line, const char *word)
{
    size_t len = strlen(word);

    if (strncmp(line, word, len) != 0 || (line[len] != ' ' && line[len] != '\0'))
        return NULL;
    return line[len] == ' ' ? line + len + 1 : line + len;
}

/* --- The onion service --- */

static void ask_for_service(struct tor_control *control, bool has_defences)
{
    char target[NET_ADDRESS_TEXT_SIZE];
    struct buf text = {0};

    buf_add_string(&text, "ADD_ONION ");
    buf_add(&text, control->key.data, control->key.len);
    buf_add_printf(&text, "%s Port=%u,%s", has_defences ? " PoWDefensesEnabled=1" : "",
                   control->options.service_port,
                   net_address_text(target, &control->options.target));
    command(control, has_defences ? CMD_ADD : CMD_ADD_PLAIN, &text);
}

static void save_key(struct tor_control *control)
{
    char *path = key_path(control);

    if (disk_replace_file(control->options.disk, path, control->key.data, control->key.len, NULL) ==
        0)
        log_debug("tor", "Cached service private key to %s", path);
    else
        log_warning("tor", "tor: Error writing service private key to %s", path);
    free(path);
}

static void take_service(struct tor_control *control, const char *id)
{
    char text[NET_ADDRESS_TEXT_SIZE];
    struct net_address service = {0};
    char *host = alloc_printf("%.100s.onion", id);

    if (net_address_read_host(&service, host, strlen(host)))
        service.port = control->options.service_port;
    log_info("tor", "Got tor service ID %.100s, advertising service %s", id,
             net_address_text(text, &service));
    save_key(control);
    if (net_address_is_valid(&service)) {
        control->service = service;
        control->has_service = true;
        control->options.handler.made_service(control->options.handler.context, &service);
    }
    free(host);
}

static void added(struct tor_control *control, bool had_defences)
{
    struct buf id = {0};
    struct buf value = {0};

    if (control->code == REPLY_OK) {
        log_debug("tor", "ADD_ONION successful (PoW defenses %s)",
                  had_defences ? "enabled" : "disabled");
        for (const char *line = NULL; (line = reply_line(control, line)) != NULL;) {
            value.len = 0;
            if (tor_reply_value(&value, line, "ServiceID")) {
                id.len = 0;
                buf_add(&id, value.data, value.len);
            }
            value.len = 0;
            if (tor_reply_value(&value, line, "PrivateKey") && value.len <= KEY_BYTES_MAX) {
                control->key.len = 0;
                buf_add(&control->key, value.data, value.len);
            }
        }
        if (id.len == 0)
            log_warning("tor", "tor: Error parsing ADD_ONION parameters");
        else
            take_service(control, buf_string(&id));
    } else if (control->code == REPLY_UNRECOGNIZED) {
        log_warning("tor", "tor: Add onion failed with unrecognized command (You probably need to "
                           "upgrade Tor)");
    } else if (had_defences && control->code == REPLY_BAD_ARGUMENT) {
        log_debug("tor", "ADD_ONION failed with PoW defenses, retrying without");
        ask_for_service(control, false);
    } else {
        log_warning("tor", "tor: Add onion failed; error code %d", control->code);
    }
    if (value.data != NULL)
        secret_wipe(value.data, value.capacity);
    buf_clear(&value);
    buf_clear(&id);
}

/* --- The SOCKS port --- */

/* The first of "addr addr ..." on this machine, else the last; each may be quoted. */
static void choose_socks(struct buf *chosen, const char *list)
{
    while (*list != '\0') {
        size_t len = strcspn(list, " ");
        const char *text = list;
        size_t text_len = len;

        list += len + (list[len] == ' ' ? 1 : 0);
        if (text_len >= 2 && (text[0] == '"' || text[0] == '\'') && text[text_len - 1] == text[0]) {
            text++;
            text_len -= 2;
        }
        if (text_len == 0)
            continue;
        chosen->len = 0;
        buf_add(chosen, text, text_len);
        if (text_len >= 10 && memcmp(text, "127.0.0.1:", 10) == 0)
            return;
    }
}

static void got_socks(struct tor_control *control)
{
    static const char name[] = "net/listeners/socks=";
    char text[NET_ADDRESS_TEXT_SIZE];
    struct net_address proxy = {0};
    struct buf chosen = {0};

    if (control->code == REPLY_OK) {
        for (const char *line = NULL; (line = reply_line(control, line)) != NULL;) {
            if (strncmp(line, name, strlen(name)) == 0)
                choose_socks(&chosen, line + strlen(name));
        }
        if (chosen.len > 0)
            log_debug("tor", "Get SOCKS port command yielded %.200s", buf_string(&chosen));
        else
            log_warning("tor", "tor: Get SOCKS port command returned nothing");
    } else if (control->code == REPLY_UNRECOGNIZED) {
        log_warning("tor", "tor: Get SOCKS port command failed with unrecognized command (You "
                           "probably should upgrade Tor)");
    } else {
        log_warning("tor", "tor: Get SOCKS port command failed; error code %d", control->code);
    }
    if (chosen.len == 0 ||
        !net_address_read(&proxy, (const char *)chosen.data, chosen.len, TOR_SOCKS_PORT) ||
        !net_address_is_valid(&proxy))
        CHECK(net_address_read(&proxy, "127.0.0.1", 9, TOR_SOCKS_PORT));
    log_debug("tor", "Configuring onion proxy for %s", net_address_text(text, &proxy));
    control->options.handler.found_proxy(control->options.handler.context, &proxy);
    buf_clear(&chosen);
}

/* --- Who we are --- */

static void authenticated(struct tor_control *control)
{
    if (control->code != REPLY_OK) {
        log_warning("tor", "tor: Authentication failed");
        return;
    }
    log_debug("tor", "Authentication successful");
    if (control->options.wants_proxy)
        command_text(control, CMD_SOCKS, "GETINFO net/listeners/socks");
    if (control->key.len == 0)
        buf_add_string(&control->key, NEW_KEY);
    ask_for_service(control, true);
}

static void respond(uint8_t *ret_mac, const struct tor_control *control, const char *key,
                    const uint8_t *server_nonce)
{
    struct hmac_sha256 mac;

    hmac_sha256_init(&mac, key, strlen(key));
    hmac_sha256_add(&mac, control->cookie, COOKIE_BYTES);
    hmac_sha256_add(&mac, control->nonce, NONCE_BYTES);
    hmac_sha256_add(&mac, server_nonce, NONCE_BYTES);
    hmac_sha256_finish(&mac, ret_mac);
}

static bool read_hex_value(uint8_t *ret, size_t len, const char *text, const char *key)
{
    struct buf value = {0};
    bool is_read = tor_reply_value(&value, text, key) &&
                   hex_read(ret, len, (const char *)value.data, value.len);

    buf_clear(&value);
    return is_read;
}

/* Constant time: who guesses the hash byte by byte learns nothing. */
static bool same(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint8_t differ = 0;

    for (size_t i = 0; i < len; i++)
        differ |= (uint8_t)(a[i] ^ b[i]);
    return differ == 0;
}

static void challenged(struct tor_control *control)
{
    const char *line = reply_line(control, NULL);
    const char *values = line == NULL ? NULL : behind(line, "AUTHCHALLENGE");
    uint8_t server_hash[SHA256_BYTES];
    uint8_t server_nonce[NONCE_BYTES];
    uint8_t mac[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    struct buf text = {0};

    if (control->code != REPLY_OK) {
        log_warning("tor", "tor: SAFECOOKIE authentication challenge failed");
        return;
    }
    log_debug("tor", "SAFECOOKIE authentication challenge successful");
    if (values == NULL) {
        log_warning("tor", "tor: Invalid reply to AUTHCHALLENGE");
        return;
    }
    if (!read_hex_value(server_nonce, sizeof(server_nonce), values, "SERVERNONCE")) {
        log_warning("tor", "tor: ServerNonce is not 32 bytes, as required by spec");
        return;
    }
    respond(mac, control, "Tor safe cookie authentication server-to-controller hash", server_nonce);
    if (!read_hex_value(server_hash, sizeof(server_hash), values, "SERVERHASH") ||
        !same(mac, server_hash, sizeof(mac))) {
        log_warning("tor", "tor: ServerHash does not match expected ServerHash");
        return;
    }
    respond(mac, control, "Tor safe cookie authentication controller-to-server hash", server_nonce);
    hex_write(hex, mac, sizeof(mac));
    buf_add_printf(&text, "AUTHENTICATE %s", hex);
    command(control, CMD_AUTHENTICATE, &text);
}

static void use_password(struct tor_control *control)
{
    struct buf text = {0};

    log_debug("tor", "Using HASHEDPASSWORD authentication");
    buf_add_string(&text, "AUTHENTICATE \"");
    for (const char *at = control->options.password; *at != '\0'; at++) {
        if (*at == '"')
            buf_add_byte(&text, '\\');
        buf_add_byte(&text, (uint8_t)*at);
    }
    buf_add_string(&text, "\"");
    command(control, CMD_AUTHENTICATE, &text);
}

static void use_cookie(struct tor_control *control, const char *path)
{
    char hex[2 * NONCE_BYTES + 1];
    struct buf cookie = {0};
    struct buf text = {0};
    int rc;

    log_debug("tor", "Using SAFECOOKIE authentication, reading cookie authentication from %s",
              path);
    rc = disk_read_file(control->options.disk, &cookie, path, COOKIE_BYTES, NULL);
    if (rc == E_LIMIT || (rc == 0 && cookie.len != COOKIE_BYTES)) {
        log_warning("tor",
                    "tor: Authentication cookie %s is not exactly %d bytes, as is required by the "
                    "spec",
                    path, COOKIE_BYTES);
    } else if (rc < 0) {
        log_warning("tor", "tor: Authentication cookie %s could not be opened (check permissions)",
                    path);
    } else {
        memcpy(control->cookie, cookie.data, COOKIE_BYTES);
        secret_wipe(cookie.data, cookie.len);
        random_fill(&control->random, control->nonce, NONCE_BYTES);
        hex_write(hex, control->nonce, NONCE_BYTES);
        buf_add_printf(&text, "AUTHCHALLENGE SAFECOOKIE %s", hex);
        command(control, CMD_CHALLENGE, &text);
    }
    buf_clear(&cookie);
}

/* Is word in "a,b,c"? */
static bool has_method(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (;;) {
        size_t n = strcspn(list, ",");

        if (n == len && memcmp(list, word, n) == 0)
            return true;
        if (list[n] == '\0')
            return false;
        list += n + 1;
    }
}

static void authenticate(struct tor_control *control, const char *methods, const char *cookie_path)
{
    if (control->options.password[0] != '\0') {
        if (has_method(methods, "HASHEDPASSWORD"))
            use_password(control);
        else
            log_warning("tor", "tor: Password provided with -torpassword, but HASHEDPASSWORD "
                               "authentication is not available");
    } else if (has_method(methods, "NULL")) {
        log_debug("tor", "Using NULL authentication");
        command_text(control, CMD_AUTHENTICATE, "AUTHENTICATE");
    } else if (has_method(methods, "SAFECOOKIE")) {
        use_cookie(control, cookie_path);
    } else if (has_method(methods, "HASHEDPASSWORD")) {
        log_warning("tor", "tor: The only supported authentication mechanism left is password, but "
                           "no password provided with -torpassword");
    } else {
        log_warning("tor", "tor: No supported authentication method");
    }
}

static void got_info(struct tor_control *control)
{
    struct buf methods = {0};
    struct buf cookie_path = {0};
    struct buf version = {0};

    if (control->code != REPLY_OK) {
        log_warning("tor", "tor: Requesting protocol info failed");
        return;
    }
    for (const char *line = NULL; (line = reply_line(control, line)) != NULL;) {
        const char *auth = behind(line, "AUTH");
        const char *about = behind(line, "VERSION");

        if (auth != NULL) {
            methods.len = cookie_path.len = 0;
            (void)tor_reply_value(&methods, auth, "METHODS");
            (void)tor_reply_value(&cookie_path, auth, "COOKIEFILE");
        } else if (about != NULL && tor_reply_value(&version, about, "Tor")) {
            log_debug("tor", "Connected to Tor version %.100s", buf_string(&version));
        }
    }
    if (methods.len > 0)
        log_debug("tor", "Supported authentication method: %.200s", buf_string(&methods));
    authenticate(control, buf_string(&methods), buf_string(&cookie_path));
    buf_clear(&methods);
    buf_clear(&cookie_path);
    buf_clear(&version);
}

/* --- Replies --- */

static void take_reply(struct tor_control *control)
{
    enum command which;

    if (control->code >= REPLY_ASYNC) {
        log_debug("tor", "Received async notification %d", control->code);
        return;
    }
    if (control->awaited_n == 0) {
        log_debug("tor", "Received unexpected sync reply %d", control->code);
        return;
    }
    which = control->awaited[0];
    control->awaited_n--;
    memmove(control->awaited, control->awaited + 1, control->awaited_n * sizeof(which));
    switch (which) {
    case CMD_INFO:
        got_info(control);
        break;
    case CMD_CHALLENGE:
        challenged(control);
        break;
    case CMD_AUTHENTICATE:
        authenticated(control);
        break;
    case CMD_SOCKS:
        got_socks(control);
        break;
    case CMD_ADD:
    case CMD_ADD_PLAIN:
        added(control, which == CMD_ADD);
        break;
    }
}

static void forget_reply(struct tor_control *control)
{
    if (control->reply.data != NULL)
        secret_wipe(control->reply.data, control->reply.capacity);
    control->reply.len = 0;
    control->lines_n = 0;
    control->code = 0;
}

/* "<code><-|+| ><text>"; a space is in the last line of a reply. */
static int take_line(struct tor_control *control, struct error *err)
{
    struct span line = span_of_buf(&control->line);

    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    if (control->lines_n == TOR_LINES_MAX)
        return error_set(err, E_LIMIT, "Control port reply exceeded %d lines, disconnecting",
                         TOR_LINES_MAX);
    if (line.len < 4)
        return 0;
    if (control->reply.len + line.len > TOR_REPLY_BYTES_MAX)
        return error_set(err, E_LIMIT, "the reply is too long");
    control->code = 0;
    for (unsigned i = 0; i < 3; i++) {
        if (line.data[i] < '0' || line.data[i] > '9') {
            control->code = 0;
            break;
        }
        control->code = control->code * 10 + (line.data[i] - '0');
    }
    /* What is behind a zero byte is no text. */
    buf_add(&control->reply, line.data + 4, strnlen((const char *)line.data + 4, line.len - 4));
    buf_add_byte(&control->reply, 0);
    control->lines_n++;
    if (line.data[3] == ' ') {
        take_reply(control);
        forget_reply(control);
    }
    return 0;
}

int tor_control_feed(struct tor_control *control, struct span bytes, struct error *err)
{
    int rc = 0;

    while (rc == 0 && bytes.len > 0) {
        const uint8_t *end = (const uint8_t *)memchr(bytes.data, '\n', bytes.len);
        size_t len = end == NULL ? bytes.len : (size_t)(end - bytes.data);
        size_t used = end == NULL ? len : len + 1;

        if (control->line.len + len > TOR_LINE_MAX) {
            rc = error_set(err, E_LIMIT, "max_line_length exceeded");
            break;
        }
        buf_add(&control->line, bytes.data, len);
        bytes = span_of(bytes.data + used, bytes.len - used);
        if (end != NULL) {
            rc = take_line(control, err);
            control->line.len = 0;
        }
    }
    if (rc < 0)
        log_warning("tor", "tor: Error processing receive buffer: %s", error_text(err));
    return rc;
}

/* --- The connection --- */

void tor_control_connected(struct tor_control *control)
{
    log_debug("tor", "Successfully connected to Tor control port");
    control->retry_ms = RETRY_FIRST_MS;
    control->line.len = 0;
    control->awaited_n = 0;
    forget_reply(control);
    command_text(control, CMD_INFO, "PROTOCOLINFO 1");
}

uint64_t tor_control_failed(struct tor_control *control)
{
    uint64_t wait_ms = control->retry_ms;

    log_warning("tor", "tor: Error connecting to address %s", control->options.control);
    log_warning("tor", "tor: Initiating connection to Tor control port %s failed",
                control->options.control);
    log_debug("tor", "Retrying in %.1f seconds", (double)wait_ms / 1000);
    control->retry_ms = MIN(wait_ms + wait_ms / 2, (uint64_t)RETRY_MAX_MS);
    return wait_ms;
}

void tor_control_closed(struct tor_control *control)
{
    log_debug("tor", "Lost connection to Tor control port");
    if (control->has_service)
        control->options.handler.lost_service(control->options.handler.context, &control->service);
    control->has_service = false;
    control->awaited_n = 0;
    log_debug("tor", "Not connected to Tor control port %s, will retry", control->options.control);
}
