/* Print what a transaction spends and pays.
 *
 *   parse_tx HEX
 */
#include <assay/assay.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *bytes_of_hex(const char *hex, size_t *ret_len)
{
    size_t len = strlen(hex) / 2;
    uint8_t *bytes = (uint8_t *)malloc(len > 0 ? len : 1);

    for (size_t i = 0; bytes != NULL && i < len; i++) {
        unsigned byte;

        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) {
            free(bytes);
            return NULL;
        }
        bytes[i] = (uint8_t)byte;
    }
    *ret_len = len;
    return bytes;
}

int main(int argc, char **argv)
{
    char hex[ASSAY_HASH_HEX_SIZE];
    struct assay_error err = {0};
    struct assay_tx *tx = NULL;
    uint8_t *bytes;
    size_t len;

    if (argc != 2) {
        fprintf(stderr, "usage: parse_tx HEX\n");
        return 2;
    }
    bytes = bytes_of_hex(argv[1], &len);
    if (bytes == NULL || assay_tx_parse(&tx, bytes, len, &err) != ASSAY_OK) {
        fprintf(stderr, "parse_tx: %s\n", bytes == NULL ? "not hexadecimal" : err.text);
        free(bytes);
        return 1;
    }
    free(bytes); /* The transaction has its own copy. */

    assay_hash_to_hex(hex, assay_tx_txid(tx));
    printf("txid   %s\nweight %" PRIu64 "\n", hex, assay_tx_weight(tx));
    for (uint32_t i = 0; i < assay_tx_inputs_n(tx); i++) {
        struct assay_input input;

        if (assay_tx_input(&input, tx, i) != ASSAY_OK)
            break;
        assay_hash_to_hex(hex, input.prevout_txid);
        printf("spends %s:%" PRIu32 "\n", hex, input.prevout_vout);
    }
    for (uint32_t i = 0; i < assay_tx_outputs_n(tx); i++) {
        struct assay_output output;

        if (assay_tx_output(&output, tx, i) != ASSAY_OK)
            break;
        printf("pays   %" PRId64 " satoshi to %zu bytes of script\n", output.value_sat,
               output.script_pubkey_len);
    }
    printf("rules  %s\n",
           assay_tx_check(tx) == ASSAY_V_VALID ? "kept" : assay_verdict_reason(assay_tx_check(tx)));
    assay_tx_free(tx);
    return 0;
}
