#include "app/daemon.h"
#include "base/alloc.h"
#include "crypto/secp.h"
#include "os/entropy.h"

/* What signs is blinded with randomness of this process. */
static void prepare_curve(void)
{
    uint8_t seed[SECP_SECKEY_BYTES];

    entropy_fill(seed, sizeof(seed));
    secp_init(seed);
    secret_wipe(seed, sizeof(seed));
}

int main(int argc, char **argv)
{
    prepare_curve();
    return daemon_main(argc, argv);
}
