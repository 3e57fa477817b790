#include "p2p/pins.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "crypto/secp.h"

#define SECKEY_BYTES 32
#define KEY_FILE_BYTES_MAX 1024

struct pinned_node {
    char key[PIN_KEY_TEXT_SIZE];
    char *place; /* Owned; NULL: it calls us. */
    struct span host;
    uint16_t port;
    bool is_numeric;
    struct net_address address; /* If it is. */
};

struct pins {
    struct disk *disk;
    struct random_source *random;
    char *path;
    bool has_own;
    uint8_t *own; /* Secret memory, as the next ones are. */
    struct wire_pin *secrets;
    struct pinned_node nodes[WIRE_PINS_MAX];
    size_t n;
    uint16_t default_port;
};

/* --- Our key --- */

static int write_own(struct pins *pins, struct error *err)
{
    char text[2 * SECKEY_BYTES + 1];
    int rc;

    do {
        random_fill(pins->random, pins->own, SECKEY_BYTES);
    } while (!secp_seckey_is_valid(pins->own));
    hex_write(text, pins->own, SECKEY_BYTES);
    text[2 * SECKEY_BYTES] = '\n';
    rc = disk_replace_file(pins->disk, pins->path, text, sizeof(text), err);
    secret_wipe(text, sizeof(text));
    return rc;
}

static int read_own(struct pins *pins, struct error *err)
{
    struct buf text = {0};
    size_t len;
    int rc = disk_read_file(pins->disk, &text, pins->path, KEY_FILE_BYTES_MAX, err);

    if (rc < 0)
        return rc;
    len = text.len;
    while (len > 0 && (text.data[len - 1] == '\n' || text.data[len - 1] == '\r'))
        len--;
    if (!hex_read(pins->own, SECKEY_BYTES, (const char *)text.data, len) ||
        !secp_seckey_is_valid(pins->own))
        rc = error_set(err, E_CORRUPT, "%s holds no key of 64 hex digits", PINS_FILE);
    secret_wipe(text.data, text.capacity);
    buf_clear(&text);
    return rc;
}

/* A file that cannot be read is never replaced: the others know its key. */
static int load_own(struct pins *pins, struct error *err)
{
    struct disk_entry entry;
    int rc;

    if (pins->has_own)
        return 0;
    rc = disk_stat(pins->disk, pins->path, &entry, err);
    if (rc == E_NOT_FOUND)
        rc = write_own(pins, err);
    else if (rc == 0)
        rc = read_own(pins, err);
    pins->has_own = rc == 0;
    return rc;
}

int pins_own_key(struct pins *pins, char *ret_text, struct error *err)
{
    uint8_t bytes[PIN_KEY_BYTES];
    struct secp_pubkey pubkey;
    int rc = load_own(pins, err);

    if (rc < 0)
        return rc;
    CHECK(secp_pubkey_of(&pubkey, pins->own));
    secp_pubkey_write(bytes, &pubkey);
    hex_write(ret_text, bytes, sizeof(bytes));
    return 0;
}

/* --- Theirs --- */

static int read_place(struct pins *pins, struct pinned_node *node, const char *place,
                      struct error *err)
{
    size_t len = strlen(place);

    node->place = alloc_string(place);
    node->port = pins->default_port;
    if (!net_host_port_split(&node->host, &node->port, node->place, len) || node->host.len == 0)
        return error_set(err, E_MALFORMED, "Invalid address in -peerkey: '%.80s'", place);
    node->is_numeric = net_address_read(&node->address, node->place, len, pins->default_port);
    return 0;
}

static int read_key(struct pins *pins, const char *text, struct error *err)
{
    struct pinned_node *node = &pins->nodes[pins->n];
    size_t len = strcspn(text, "@");
    uint8_t bytes[PIN_KEY_BYTES];
    char own[PIN_KEY_TEXT_SIZE];
    int rc = pins_own_key(pins, own, err);

    if (rc < 0)
        return rc;
    if (!hex_read(bytes, sizeof(bytes), text, len) ||
        !wire_pin_make(&pins->secrets[pins->n], pins->own, bytes))
        return error_set(err, E_MALFORMED,
                         "Invalid -peerkey: '%.80s' does not begin with a public key of 66 hex "
                         "digits",
                         text);
    hex_write(node->key, bytes, sizeof(bytes));
    pins->n++;
    if (strcmp(node->key, own) == 0)
        return error_set(err, E_MALFORMED, "Invalid -peerkey: %s is this node's own key", own);
    return text[len] == '@' ? read_place(pins, node, text + len + 1, err) : 0;
}

int pins_new(struct pins **ret_pins, const struct pins_options *options, struct error *err)
{
    struct pins *pins;
    int rc = 0;

    if (options->keys_n > WIRE_PINS_MAX)
        return error_set(err, E_LIMIT, "At most %d -peerkey can be given", WIRE_PINS_MAX);
    pins = alloc_zero(sizeof(*pins));
    pins->disk = options->disk;
    pins->random = options->random;
    pins->path = alloc_string(options->path);
    pins->default_port = options->default_port;
    pins->own = secret_alloc(SECKEY_BYTES);
    pins->secrets = secret_alloc(WIRE_PINS_MAX * sizeof(*pins->secrets));
    for (size_t i = 0; rc == 0 && i < options->keys_n; i++)
        rc = read_key(pins, options->keys[i], err);
    if (rc < 0) {
        pins_free(pins);
        return rc;
    }
    *ret_pins = pins;
    return 0;
}

void pins_free(struct pins *own_pins)
{
    if (own_pins == NULL)
        return;
    for (size_t i = 0; i < own_pins->n; i++)
        free(own_pins->nodes[i].place);
    secret_free(own_pins->own, SECKEY_BYTES);
    secret_free(own_pins->secrets, WIRE_PINS_MAX * sizeof(*own_pins->secrets));
    free(own_pins->path);
    free(own_pins);
}

size_t pins_count(const struct pins *pins)
{
    return pins->n;
}

const char *pins_place(const struct pins *pins, size_t i)
{
    return pins->nodes[i].place;
}

const char *pins_key(const struct pins *pins, size_t i)
{
    return pins->nodes[i].key;
}

/* --- Which, for whom --- */

static bool is_same_name(const struct pins *pins, const struct pinned_node *node, const char *name)
{
    struct span host;
    uint16_t port = pins->default_port;

    return net_host_port_split(&host, &port, name, strlen(name)) && port == node->port &&
           host.len == node->host.len &&
           strncasecmp((const char *)host.data, (const char *)node->host.data, host.len) == 0;
}

int pins_find(const struct pins *pins, const char *name, const struct net_address *address)
{
    for (size_t i = 0; i < pins->n; i++) {
        const struct pinned_node *node = &pins->nodes[i];

        if (node->place == NULL)
            continue;
        if ((node->is_numeric && net_address_equal(&node->address, address)) ||
            (name != NULL && name[0] != '\0' && is_same_name(pins, node, name)))
            return (int)i;
    }
    return -1;
}

void pins_set_one(const struct pins *pins, struct wire *wire, int i)
{
    wire_set_pins(wire, &pins->secrets[i], 1);
}

void pins_set_all(const struct pins *pins, struct wire *wire)
{
    wire_set_pins(wire, pins->secrets, pins->n);
}
