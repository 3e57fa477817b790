/* Private to crypto: the context that libsecp256k1 wants where a secret key is
 * used. secp_init comes first (a CHECK). */
#ifndef CRYPTO_SECP_PRIV_H
#define CRYPTO_SECP_PRIV_H

#include <secp256k1.h>

const secp256k1_context *secp_signing_context(void);

#endif /* CRYPTO_SECP_PRIV_H */
