#include "p2p/permissions.h"

#include <string.h>

#include "base/check.h"

/* In the order in which they are shown; aliases behind. */
static const struct {
    const char *name;
    uint32_t bits;
} names[] = {
    {"bloomfilter", PERMISSION_BLOOM},
    {"noban", PERMISSION_NO_BAN},
    {"forcerelay", PERMISSION_FORCE_RELAY},
    {"relay", PERMISSION_RELAY},
    {"mempool", PERMISSION_MEMPOOL},
    {"download", PERMISSION_DOWNLOAD},
    {"addr", PERMISSION_ADDR},
    {"bloom", PERMISSION_BLOOM},
    {"all", PERMISSION_ALL},
};

static bool word_is(const char *word, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(word, name, len) == 0;
}

static bool find_bits(uint32_t *ret_bits, const char *word, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (word_is(word, len, names[i].name)) {
            *ret_bits = names[i].bits;
            return true;
        }
    }
    return false;
}

/* What stands before '@'; *ret_rest: what stands behind it, or all of text. */
static int read_permissions(struct net_whitelist *ret, const char **ret_rest, const char *text,
                            bool out_allowed, struct error *err)
{
    const char *end = strchr(text, '@');
    const char *at = text;

    *ret = (struct net_whitelist){.permissions = PERMISSION_NONE};
    *ret_rest = text;
    if (end == NULL) {
        ret->permissions = PERMISSION_IMPLICIT;
        ret->inbound = true;
        return 0;
    }
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t len = (size_t)((comma == NULL ? end : comma) - at);
        uint32_t bits = 0;

        if (find_bits(&bits, at, len))
            ret->permissions |= bits;
        else if (word_is(at, len, "in"))
            ret->inbound = true;
        else if (word_is(at, len, "out") && !out_allowed)
            return error_set(err, E_MALFORMED,
                             "whitebind may only be used for incoming connections (\"out\" was "
                             "passed)");
        else if (word_is(at, len, "out"))
            ret->outbound = true;
        else if (len > 0)
            return error_set(err, E_MALFORMED, "Invalid P2P permission: '%.*s'", (int)MIN(len, 200),
                             at);
        at += len + (comma == NULL ? 0 : 1);
    }
    if (!ret->inbound && !ret->outbound)
        ret->inbound = true;
    else if (ret->permissions == PERMISSION_NONE)
        return error_set(err, E_MALFORMED, "Only direction was set, no permissions: '%s'", text);
    *ret_rest = end + 1;
    return 0;
}

int net_whitelist_read(struct net_whitelist *ret, const char *text, bool to_cjdns,
                       struct error *err)
{
    const char *rest;
    int rc = read_permissions(ret, &rest, text, true, err);

    if (rc == 0 && !net_subnet_read(&ret->subnet, rest, strlen(rest), to_cjdns))
        rc = error_set(err, E_MALFORMED, "Invalid netmask specified in -whitelist: '%s'", rest);
    return rc;
}

int net_whitebind_read(struct net_whitebind *ret, const char *text, struct error *err)
{
    struct net_whitelist permissions;
    const char *rest;
    int rc = read_permissions(&permissions, &rest, text, false, err);

    if (rc < 0)
        return rc;
    ret->permissions = permissions.permissions;
    if (!net_address_read(&ret->address, rest, strlen(rest), 0))
        return error_set(err, E_MALFORMED, "Cannot resolve -whitebind address: '%s'", rest);
    if (ret->address.port == 0)
        return error_set(err, E_MALFORMED, "Need to specify a port with -whitebind: '%s'", rest);
    return 0;
}

uint32_t net_permissions_resolve(uint32_t permissions, bool whitelist_relay,
                                 bool whitelist_force_relay)
{
    if ((permissions & PERMISSION_IMPLICIT) == 0)
        return permissions;
    permissions &= ~(uint32_t)PERMISSION_IMPLICIT;
    if (whitelist_force_relay)
        permissions |= PERMISSION_FORCE_RELAY;
    if (whitelist_relay)
        permissions |= PERMISSION_RELAY;
    return permissions | PERMISSION_MEMPOOL | PERMISSION_NO_BAN;
}

size_t net_permission_names(const char *ret_names[PERMISSION_NAMES_MAX], uint32_t permissions)
{
    size_t n = 0;

    for (size_t i = 0; i < PERMISSION_NAMES_MAX; i++) {
        if ((permissions & names[i].bits) == names[i].bits)
            ret_names[n++] = names[i].name;
    }
    return n;
}
