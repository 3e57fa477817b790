#include "p2p/ban_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "codec/json.h"
#include "p2p/rolling_set.h"

#define ENTRY_VERSION 1

struct ban_list {
    struct ban *bans; /* Owned, in order of their targets. */
    size_t n;
    size_t capacity;
    bool is_changed; /* Since the last save. */
    struct rolling_set discouraged;
};

/* --- Targets --- */

bool ban_target_read(struct ban_target *ret, const char *text, bool to_cjdns)
{
    struct ban_target target = {0};
    uint64_t asn = 0;

    if ((text[0] == 'A' || text[0] == 'a') && (text[1] == 'S' || text[1] == 's')) {
        for (const char *at = text + 2; *at != '\0'; at++) {
            if (*at < '0' || *at > '9' || asn > UINT32_MAX)
                return false;
            asn = asn * 10 + (uint64_t)(*at - '0');
        }
        if (asn == 0 || asn > UINT32_MAX)
            return false;
        target.asn = (uint32_t)asn;
    } else if (!net_subnet_read(&target.subnet, text, strlen(text), to_cjdns)) {
        return false;
    }
    *ret = target;
    return true;
}

const char *ban_target_text(char *ret_text, const struct ban_target *target)
{
    if (target->asn == 0)
        return net_subnet_text(ret_text, &target->subnet);
    (void)snprintf(ret_text, NET_ADDRESS_TEXT_SIZE, "AS%" PRIu32, target->asn);
    return ret_text;
}

static int compare(const struct ban_target *a, const struct ban_target *b)
{
    if (a->asn != b->asn)
        return a->asn < b->asn ? -1 : 1;
    return net_subnet_compare(&a->subnet, &b->subnet);
}

/* --- The list --- */

struct ban_list *ban_list_new(const uint8_t *seed)
{
    struct ban_list *list = alloc_zero(sizeof(*list));
    struct random_source random;
    struct siphash_key key;

    random_init(&random, seed, "ban_list");
    random_fill(&random, &key, sizeof(key));
    rolling_set_init(&list->discouraged, DISCOURAGED_N, &key);
    return list;
}

void ban_list_free(struct ban_list *own_list)
{
    if (own_list == NULL)
        return;
    free(own_list->bans);
    rolling_set_clear(&own_list->discouraged);
    free(own_list);
}

/* Where target is, or should be. */
static size_t find(const struct ban_list *list, const struct ban_target *target, bool *ret_found)
{
    size_t low = 0;
    size_t high = list->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(&list->bans[middle].target, target) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = low < list->n && compare(&list->bans[low].target, target) == 0;
    return low;
}

static void put(struct ban_list *list, const struct ban *ban)
{
    bool is_found;
    size_t at = find(list, &ban->target, &is_found);

    if (!is_found) {
        if (list->n == list->capacity) {
            list->capacity = MAX(list->capacity * 2, (size_t)16);
            list->bans = realloc_array(list->bans, list->capacity, sizeof(*list->bans));
        }
        memmove(list->bans + at + 1, list->bans + at, (list->n - at) * sizeof(*list->bans));
        list->n++;
    }
    list->bans[at] = *ban;
}

bool ban_list_add(struct ban_list *list, const struct ban_target *target, int64_t until_s,
                  int64_t now_s)
{
    const struct ban ban = {.target = *target, .created_s = now_s, .until_s = until_s};
    bool is_found;
    size_t at = find(list, target, &is_found);

    if ((is_found ? list->bans[at].until_s : 0) >= until_s)
        return false;
    put(list, &ban);
    list->is_changed = true;
    return true;
}

bool ban_list_remove(struct ban_list *list, const struct ban_target *target)
{
    bool is_found;
    size_t at = find(list, target, &is_found);

    if (!is_found)
        return false;
    list->n--;
    memmove(list->bans + at, list->bans + at + 1, (list->n - at) * sizeof(*list->bans));
    list->is_changed = true;
    return true;
}

void ban_list_clear(struct ban_list *list)
{
    list->n = 0;
    list->is_changed = true;
}

bool ban_list_has(const struct ban_list *list, const struct net_address *address, uint32_t asn,
                  int64_t now_s)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct ban *ban = &list->bans[i];

        if (now_s >= ban->until_s)
            continue;
        if (ban->target.asn != 0 ? ban->target.asn == asn
                                 : net_subnet_contains(&ban->target.subnet, address))
            return true;
    }
    return false;
}

bool ban_list_has_target(const struct ban_list *list, const struct ban_target *target,
                         int64_t now_s)
{
    bool is_found;
    size_t at = find(list, target, &is_found);

    return is_found && now_s < list->bans[at].until_s;
}

static void sweep(struct ban_list *list, int64_t now_s)
{
    char text[NET_ADDRESS_TEXT_SIZE];
    size_t kept = 0;

    for (size_t i = 0; i < list->n; i++) {
        if (now_s > list->bans[i].until_s) {
            log_debug("net", "Removed banned node address/subnet: %s",
                      ban_target_text(text, &list->bans[i].target));
            list->is_changed = true;
        } else {
            list->bans[kept++] = list->bans[i];
        }
    }
    list->n = kept;
}

size_t ban_list_get(struct ban_list *list, const struct ban **ret_bans, int64_t now_s)
{
    sweep(list, now_s);
    *ret_bans = list->bans;
    return list->n;
}

/* --- Discouragement --- */

void ban_list_discourage(struct ban_list *list, const struct net_address *address)
{
    uint8_t key[NET_ADDRESS_BYTES_MAX + 2];

    rolling_set_add_bytes(&list->discouraged, key, net_address_key(key, address, false));
}

bool ban_list_is_discouraged(const struct ban_list *list, const struct net_address *address)
{
    uint8_t key[NET_ADDRESS_BYTES_MAX + 2];

    return rolling_set_has_bytes(&list->discouraged, key, net_address_key(key, address, false));
}

/* --- The file --- */

static int read_entry(struct ban_list *list, const struct json *json, bool to_cjdns,
                      struct error *err)
{
    const struct json *version = json_find(json, "version");
    const struct json *created = json_find(json, "ban_created");
    const struct json *until = json_find(json, "banned_until");
    const struct json *address = json_find(json, "address");
    struct ban ban;
    int64_t number;

    if (version == NULL || !json_get_int64(&number, version))
        return error_set(err, E_MALFORMED, "an entry has no version");
    if (number != ENTRY_VERSION) {
        log_info("net", "Dropping entry with unknown version (%" PRId64 ") from ban list", number);
        return 0;
    }
    if (address == NULL || address->type != JSON_STRING)
        return error_set(err, E_MALFORMED, "an entry has no address");
    if (strlen(json_text(address)) != address->text.len ||
        !ban_target_read(&ban.target, json_text(address), to_cjdns)) {
        log_info("net", "Dropping entry with unparseable address or subnet (%.100s) from ban list",
                 json_text(address));
        return 0;
    }
    if (created == NULL || until == NULL || !json_get_int64(&ban.created_s, created) ||
        !json_get_int64(&ban.until_s, until))
        return error_set(err, E_MALFORMED, "an entry has no times");
    put(list, &ban);
    return 0;
}

int ban_list_read(struct ban_list *list, struct span text, bool to_cjdns, struct error *err)
{
    const struct json *entries;
    struct arena arena;
    struct json json;
    int rc;

    arena_init(&arena);
    list->n = 0;
    rc = json_read(&json, (const char *)text.data, text.len, &arena, err);
    if (rc < 0)
        goto done;
    entries = json_find(&json, "banned_nets");
    if (entries == NULL || entries->type != JSON_ARRAY) {
        rc = error_set(err, E_MALFORMED, "there is no list 'banned_nets'");
        goto done;
    }
    for (uint32_t i = 0; i < entries->count && rc == 0; i++) {
        if (entries->items[i].type != JSON_OBJECT)
            rc = error_set(err, E_MALFORMED, "an entry is no object");
        else
            rc = read_entry(list, &entries->items[i], to_cjdns, err);
    }
done:
    if (rc < 0)
        list->n = 0;
    arena_clear(&arena);
    return rc;
}

void ban_list_write(struct buf *buf, const struct ban_list *list)
{
    char text[NET_ADDRESS_TEXT_SIZE];
    struct json_writer w;

    json_writer_init(&w, buf, 4);
    json_begin_object(&w);
    json_put_string(&w, "_warning_",
                    "This file is written by the node. What is changed in it while the node runs "
                    "is lost.");
    json_key(&w, "banned_nets");
    json_begin_array(&w);
    for (size_t i = 0; i < list->n; i++) {
        json_begin_object(&w);
        json_put_int(&w, "version", ENTRY_VERSION);
        json_put_int(&w, "ban_created", list->bans[i].created_s);
        json_put_int(&w, "banned_until", list->bans[i].until_s);
        json_put_string(&w, "address", ban_target_text(text, &list->bans[i].target));
        json_end_object(&w);
    }
    json_end_array(&w);
    json_end_object(&w);
    buf_add_byte(buf, '\n');
}

void ban_list_load(struct ban_list *list, struct disk *disk, const char *folder, bool to_cjdns,
                   int64_t now_s)
{
    char *path = alloc_printf("%s/banlist.json", folder);
    struct error err = {0};
    struct buf text = {0};
    int rc;

    rc = disk_read_file(disk, &text, path, BAN_LIST_BYTES_MAX, &err);
    if (rc == 0) {
        rc = ban_list_read(list, span_of_buf(&text), to_cjdns, &err);
        if (rc < 0)
            log_warning("net", "Cannot parse banlist %s: %s", path, err.shown.text);
    } else if (rc != E_NOT_FOUND) {
        log_warning("net", "Cannot load banlist %s: %s", path, err.shown.text);
    }
    if (rc < 0) {
        log_info("net", "Recreating the banlist database");
        ban_list_clear(list);
    } else {
        list->is_changed = false;
        sweep(list, now_s);
        log_debug("net", "Loaded %zu banned node addresses/subnets", list->n);
    }
    buf_clear(&text);
    free(path);
}

int ban_list_save(struct ban_list *list, struct disk *disk, const char *folder, int64_t now_s,
                  struct error *err)
{
    struct buf text = {0};
    char *path;
    int rc;

    sweep(list, now_s);
    if (!list->is_changed)
        return 0;
    path = alloc_printf("%s/banlist.json", folder);
    ban_list_write(&text, list);
    rc = disk_replace_file(disk, path, text.data, text.len, err);
    if (rc == 0) {
        list->is_changed = false;
        log_debug("net", "Flushed %zu banned node addresses/subnets to disk", list->n);
    }
    buf_clear(&text);
    free(path);
    return rc;
}
