/* Target: ECDSA signatures as bytes. What the strict reader takes, the lax one
 * takes too, as the same numbers; what either finds is written as strict DER
 * that gives it back, and strict bytes are what they are written as. */
#include "base/bytes.h"
#include "base/check.h"
#include "crypto/secp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct ecdsa_sig zero;
    uint8_t der[SECP_DER_BYTES_MAX];
    struct ecdsa_sig strict;
    struct ecdsa_sig lax;
    struct ecdsa_sig again;
    size_t n;

    if (ecdsa_sig_read_strict(&strict, data, len)) {
        CHECK(ecdsa_sig_read_lax(&lax, data, len));
        CHECK(memcmp(&strict, &lax, sizeof(lax)) == 0);
        n = ecdsa_sig_write(der, &strict);
        if (memcmp(&strict, &zero, sizeof(zero)) != 0)
            CHECK(span_equal(span_of(der, n), span_of(data, len)));
    }
    if (ecdsa_sig_read_lax(&lax, data, len)) {
        n = ecdsa_sig_write(der, &lax);
        CHECK(n <= SECP_DER_BYTES_MAX);
        CHECK(ecdsa_sig_read_strict(&again, der, n));
        CHECK(memcmp(&again, &lax, sizeof(lax)) == 0);
    }
    return 0;
}
