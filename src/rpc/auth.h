/* Who may use RPC: users by name and keyed hash of the password, and which
 * methods each may call. Filled before the server starts, then only read.
 */
#ifndef RPC_AUTH_H
#define RPC_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define RPC_SALT_BYTES 16

struct rpc_auth;

struct rpc_auth *rpc_auth_new(void);
void rpc_auth_free(struct rpc_auth *own_auth);

/* A user with a password in plain text, which is kept hashed only. salt:
 * RPC_SALT_BYTES random bytes. */
void rpc_auth_add(struct rpc_auth *auth, const char *user, const char *password,
                  const uint8_t *salt);
/* "name:salt$hash" as -rpcauth takes it: hash is the HMAC-SHA256 of the password
 * under salt, both in hexadecimal digits as they stand. 0 or E_MALFORMED. */
NODISCARD int rpc_auth_add_hashed(struct rpc_auth *auth, const char *text);

/* "name:method,method" as -rpcwhitelist takes it. A second list for a user
 * narrows the first. */
void rpc_auth_add_whitelist(struct rpc_auth *auth, const char *text);
/* May users without a list call nothing? */
void rpc_auth_set_default_deny(struct rpc_auth *auth, bool deny);

#define RPC_USER_SIZE 256
/* The value of an Authorization header. True: it names a user and his password;
 * ret_user (RPC_USER_SIZE bytes) is the name, cut if need be. Takes as long for a
 * wrong password as for the right one. */
bool rpc_auth_check(const struct rpc_auth *auth, const char *header, char *ret_user);

/* May user call method? NULL: may he call any at all? A struct rpc_auth as
 * context of rpc_permit_fn. */
bool rpc_auth_permits(void *auth, const char *user, const char *method);

#endif /* RPC_AUTH_H */
