/* Verify one input of a transaction against the output it spends: the first
 * payment ever made, from Satoshi Nakamoto to Hal Finney in block 170.
 */
#include <assay/assay.h>
#include <stdio.h>
#include <string.h>

static const char tx_hex[] =
    "0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd3704000000004847304402"
    "204e45e16932b8af514961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4"
    "acdd12909d831cc56cbbac4622082221a8768d1d0901ffffffff0200ca9a3b00000000434104ae1a62fe09c5f51b"
    "13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f554a7df5f142c21c1b7303b8a0626f1ba"
    "ded5c72a704f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482e"
    "cad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000";
static const char script_hex[] =
    "410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f8"
    "2e160bfa9b8b64f9d4c03f999b8643f656b412a3ac";

static size_t read_hex(uint8_t *ret_bytes, const char *hex)
{
    size_t len = strlen(hex) / 2;

    for (size_t i = 0; i < len; i++) {
        unsigned byte = 0;

        (void)sscanf(hex + 2 * i, "%2x", &byte);
        ret_bytes[i] = (uint8_t)byte;
    }
    return len;
}

int main(void)
{
    uint8_t tx_bytes[sizeof(tx_hex) / 2];
    uint8_t script[sizeof(script_hex) / 2];
    size_t tx_len = read_hex(tx_bytes, tx_hex);
    struct assay_coin coin = {5000000000, script, read_hex(script, script_hex)};
    struct assay_error err = {0};

    /* As it stands; then with one bit of the signature flipped. */
    for (int round = 0; round < 2; round++) {
        struct assay_spend *spend = NULL;
        enum assay_verdict verdict = ASSAY_V_COUNT;

        tx_bytes[60] ^= (uint8_t)round;
        if (assay_spend_new(&spend, tx_bytes, tx_len, &coin, 1, &err) != ASSAY_OK ||
            assay_script_verify(&verdict, spend, 0, ASSAY_VERIFY_CONSENSUS, &err) != ASSAY_OK) {
            fprintf(stderr, "verify_script: %s\n", err.text);
            return 1;
        }
        printf("%s: %s\n", round == 0 ? "as signed" : "one bit off",
               verdict == ASSAY_V_VALID ? "valid" : assay_verdict_reason(verdict));
        assay_spend_free(spend);
        if ((verdict == ASSAY_V_VALID) != (round == 0))
            return 1;
    }
    return 0;
}
