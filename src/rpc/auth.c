#include "rpc/auth.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/hex.h"
#include "codec/base64.h"
#include "crypto/hmac.h"

#define HASH_DIGITS 64

struct user {
    char *name;
    char *salt; /* Hexadecimal, used as it stands. */
    char hash[HASH_DIGITS + 1];
};

struct whitelist {
    char *user;
    char **methods;
    size_t methods_n;
};

struct rpc_auth {
    struct user **users; /* Each in memory for secrets. */
    size_t users_n;
    struct whitelist *lists;
    size_t lists_n;
    bool denies_by_default;
};

struct rpc_auth *rpc_auth_new(void)
{
    return alloc_zero(sizeof(struct rpc_auth));
}

static void methods_free(char **methods, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(methods[i]);
    free(methods);
}

void rpc_auth_free(struct rpc_auth *own_auth)
{
    if (own_auth == NULL)
        return;
    for (size_t i = 0; i < own_auth->users_n; i++) {
        free(own_auth->users[i]->name);
        free(own_auth->users[i]->salt);
        secret_free(own_auth->users[i], sizeof(*own_auth->users[i]));
    }
    for (size_t i = 0; i < own_auth->lists_n; i++) {
        free(own_auth->lists[i].user);
        methods_free(own_auth->lists[i].methods, own_auth->lists[i].methods_n);
    }
    free(own_auth->users);
    free(own_auth->lists);
    free(own_auth);
}

/* ret_text: HASH_DIGITS + 1 bytes. */
static void hash_password(char *ret_text, const char *salt, const char *password, size_t len)
{
    uint8_t digest[HASH_DIGITS / 2];

    hmac_sha256(digest, salt, strlen(salt), password, len);
    hex_write(ret_text, digest, sizeof(digest));
}

/* Takes as long whether and wherever the texts differ. */
static bool same_text(const char *a, size_t a_len, const char *b)
{
    size_t b_len = strlen(b);
    size_t differs = a_len ^ b_len;

    if (b_len == 0)
        return a_len == 0;
    for (size_t i = 0; i < a_len; i++)
        differs |= (size_t)(uint8_t)(a[i] ^ b[i % b_len]);
    return differs == 0;
}

static struct user *add_user(struct rpc_auth *auth)
{
    auth->users = realloc_array(auth->users, auth->users_n + 1, sizeof(*auth->users));
    auth->users[auth->users_n] = secret_alloc(sizeof(struct user));
    return auth->users[auth->users_n++];
}

void rpc_auth_add(struct rpc_auth *auth, const char *user, const char *password,
                  const uint8_t *salt)
{
    struct user *added = add_user(auth);

    added->name = alloc_string(user);
    added->salt = alloc(2 * RPC_SALT_BYTES + 1);
    hex_write(added->salt, salt, RPC_SALT_BYTES);
    hash_password(added->hash, added->salt, password, strlen(password));
}

int rpc_auth_add_hashed(struct rpc_auth *auth, const char *text)
{
    const char *colon = strchr(text, ':');
    const char *dollar = colon == NULL ? NULL : strchr(colon, '$');
    struct user *added;

    if (dollar == NULL || strchr(colon + 1, ':') != NULL || strchr(dollar + 1, '$') != NULL ||
        memchr(text, '$', (size_t)(colon - text)) != NULL)
        return E_MALFORMED;
    added = add_user(auth);
    added->name = alloc_printf("%.*s", (int)(colon - text), text);
    added->salt = alloc_printf("%.*s", (int)(dollar - colon - 1), colon + 1);
    /* A hash of another length fits no password, which is what it means. */
    if (strlen(dollar + 1) == HASH_DIGITS)
        memcpy(added->hash, dollar + 1, HASH_DIGITS);
    return 0;
}

static struct whitelist *find_list(const struct rpc_auth *auth, const char *user, size_t len)
{
    for (size_t i = 0; i < auth->lists_n; i++) {
        if (strlen(auth->lists[i].user) == len && memcmp(auth->lists[i].user, user, len) == 0)
            return &auth->lists[i];
    }
    return NULL;
}

static bool list_has(const struct whitelist *list, const char *method)
{
    for (size_t i = 0; i < list->methods_n; i++) {
        if (strcmp(list->methods[i], method) == 0)
            return true;
    }
    return false;
}

/* Methods divided by commas and spaces. */
static void read_methods(struct whitelist *ret_list, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, ", ");

        if (len > 0) {
            ret_list->methods = realloc_array(ret_list->methods, ret_list->methods_n + 1,
                                              sizeof(*ret_list->methods));
            ret_list->methods[ret_list->methods_n++] = alloc_printf("%.*s", (int)len, text);
        }
        text += len;
        text += *text != '\0';
    }
}

/* Keeps of list what is in other too. */
static void narrow(struct whitelist *list, const struct whitelist *other)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->methods_n; i++) {
        if (list_has(other, list->methods[i]))
            list->methods[kept++] = list->methods[i];
        else
            free(list->methods[i]);
    }
    list->methods_n = kept;
}

void rpc_auth_add_whitelist(struct rpc_auth *auth, const char *text)
{
    size_t user_len = strcspn(text, ":");
    struct whitelist *list = find_list(auth, text, user_len);
    struct whitelist read = {0};
    bool is_new = list == NULL;

    if (is_new) {
        auth->lists = realloc_array(auth->lists, auth->lists_n + 1, sizeof(*auth->lists));
        list = &auth->lists[auth->lists_n++];
        *list = (struct whitelist){.user = alloc_printf("%.*s", (int)user_len, text)};
    }
    if (text[user_len] == '\0')
        return;
    read_methods(&read, text + user_len + 1);
    if (is_new) {
        list->methods = read.methods;
        list->methods_n = read.methods_n;
        return;
    }
    narrow(list, &read);
    methods_free(read.methods, read.methods_n);
}

void rpc_auth_set_default_deny(struct rpc_auth *auth, bool deny)
{
    auth->denies_by_default = deny;
}

static bool check_password(const struct rpc_auth *auth, const char *user, size_t user_len,
                           const char *password, size_t password_len)
{
    bool fits = false;

    for (size_t i = 0; i < auth->users_n; i++) {
        char hash[HASH_DIGITS + 1];

        if (!same_text(user, user_len, auth->users[i]->name))
            continue;
        hash_password(hash, auth->users[i]->salt, password, password_len);
        fits = same_text(hash, HASH_DIGITS, auth->users[i]->hash) || fits;
    }
    return fits;
}

bool rpc_auth_check(const struct rpc_auth *auth, const char *header, char *ret_user)
{
    struct buf decoded = {0};
    const char *colon;
    const char *text;
    size_t user_len;
    size_t len;
    bool fits = false;

    ret_user[0] = '\0';
    if (strncmp(header, "Basic ", 6) != 0)
        return false;
    header += 6 + strspn(header + 6, " \t");
    len = strcspn(header, " \t");
    if (!base64_read(&decoded, header, len))
        goto done;
    text = buf_string(&decoded);
    colon = memchr(text, ':', decoded.len);
    if (colon == NULL)
        goto done;
    user_len = (size_t)(colon - text);
    len = user_len < RPC_USER_SIZE - 1 ? user_len : RPC_USER_SIZE - 1;
    memcpy(ret_user, text, len);
    ret_user[len] = '\0';
    fits = check_password(auth, text, user_len, colon + 1, decoded.len - user_len - 1);
done:
    if (decoded.data != NULL)
        secret_wipe(decoded.data, decoded.capacity);
    buf_clear(&decoded);
    return fits;
}

bool rpc_auth_permits(void *context, const char *user, const char *method)
{
    const struct rpc_auth *auth = context;
    const struct whitelist *list = find_list(auth, user, strlen(user));

    if (list == NULL)
        return !auth->denies_by_default;
    return method == NULL || list_has(list, method);
}
