#include "crypto/ellswift.h"

#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#if __has_include(<secp256k1_ellswift.h>)
#include <secp256k1_ellswift.h>
#define ELLSWIFT_BUILT 1
#else
#define ELLSWIFT_BUILT 0
#endif

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/secp_priv.h"

bool ellswift_is_built(void)
{
    return ELLSWIFT_BUILT;
}

#if ELLSWIFT_BUILT

bool ellswift_make(uint8_t *ret_ell, const uint8_t *seckey, const uint8_t *aux)
{
    return secp256k1_ellswift_create(secp_signing_context(), ret_ell, seckey, aux) == 1;
}

void ellswift_decode(struct secp_pubkey *ret_pubkey, const uint8_t *ell)
{
    CHECK(secp256k1_ellswift_decode(secp256k1_context_static, &ret_pubkey->point, ell) == 1);
}

bool ellswift_shared(uint8_t *ret_secret, const uint8_t *our_ell, const uint8_t *their_ell,
                     const uint8_t *seckey, bool initiating)
{
    return secp256k1_ellswift_xdh(secp_signing_context(), ret_secret,
                                  initiating ? our_ell : their_ell,
                                  initiating ? their_ell : our_ell, seckey, initiating ? 0 : 1,
                                  secp256k1_ellswift_xdh_hash_function_bip324, NULL) == 1;
}

#else

bool ellswift_make(uint8_t *ret_ell, const uint8_t *seckey, const uint8_t *aux)
{
    (void)ret_ell;
    (void)seckey;
    (void)aux;
    CHECK_NEVER("ElligatorSwift was not built");
}

void ellswift_decode(struct secp_pubkey *ret_pubkey, const uint8_t *ell)
{
    (void)ret_pubkey;
    (void)ell;
    CHECK_NEVER("ElligatorSwift was not built");
}

bool ellswift_shared(uint8_t *ret_secret, const uint8_t *our_ell, const uint8_t *their_ell,
                     const uint8_t *seckey, bool initiating)
{
    (void)ret_secret;
    (void)our_ell;
    (void)their_ell;
    (void)seckey;
    (void)initiating;
    CHECK_NEVER("ElligatorSwift was not built");
}

#endif

bool ecdh_shared(uint8_t *ret_secret, const uint8_t *seckey, const uint8_t *pubkey)
{
    struct secp_pubkey point;

    if (!secp_pubkey_read(&point, pubkey, SECP_PUBKEY_BYTES))
        return false;
    return secp256k1_ecdh(secp_signing_context(), ret_secret, &point.point, seckey, NULL, NULL) ==
           1;
}
