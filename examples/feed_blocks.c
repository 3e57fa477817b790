/* Feed the blocks of a block file (magic, length, block, as in blk00000.dat) to a
 * data directory of the main network, and show the tip.
 *
 *   feed_blocks DATADIR BLOCKFILE
 */
#include <assay/assay.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 1: a block, 0: the end, -1: not a block file of this network. */
static int next_block(FILE *file, const uint8_t *magic, uint8_t *ret_bytes, size_t *ret_len)
{
    uint8_t frame[8];
    size_t len;

    if (fread(frame, sizeof(frame), 1, file) != 1)
        return 0;
    len = frame[4] | (size_t)frame[5] << 8 | (size_t)frame[6] << 16 | (size_t)frame[7] << 24;
    if (memcmp(frame, magic, 4) != 0 || len > 4000000 || fread(ret_bytes, len, 1, file) != 1)
        return -1;
    *ret_len = len;
    return 1;
}

static int feed(struct assay_chain *chain, FILE *file, struct assay_error *err)
{
    uint8_t *bytes = (uint8_t *)malloc(4000000);
    enum assay_verdict verdict;
    uint8_t magic[4];
    size_t len = 0;
    int rc = bytes == NULL ? -1 : 1;

    assay_params_magic(magic, assay_params_of(ASSAY_MAIN));
    while (rc == 1 && (rc = next_block(file, magic, bytes, &len)) == 1) {
        if (assay_chain_offer(chain, &verdict, bytes, len, err) != ASSAY_OK) {
            fprintf(stderr, "feed_blocks: %s\n", err->text);
            rc = -1;
        } else if (verdict != ASSAY_V_VALID) {
            fprintf(stderr, "feed_blocks: %s\n", assay_verdict_reason(verdict));
            rc = -1;
        }
    }
    free(bytes);
    return rc;
}

int main(int argc, char **argv)
{
    struct assay_chain_options options = {0};
    struct assay_header_info tip;
    struct assay_error err = {0};
    struct assay_chain *chain = NULL;
    char hex[ASSAY_HASH_HEX_SIZE];
    FILE *file;
    int rc;

    if (argc != 3 || (file = fopen(argv[2], "rb")) == NULL) {
        fprintf(stderr, "usage: feed_blocks DATADIR BLOCKFILE\n");
        return 2;
    }
    options.folder = argv[1];
    options.network = ASSAY_MAIN;
    options.verify_all_scripts = true;
    if (assay_chain_open(&chain, &options, &err) != ASSAY_OK) {
        fprintf(stderr, "feed_blocks: %s\n", err.text);
        fclose(file);
        return 1;
    }
    rc = feed(chain, file, &err);
    fclose(file);
    assay_chain_tip(&tip, chain);
    assay_hash_to_hex(hex, tip.hash);
    printf("height %d\ntip    %s\n", tip.height, hex);
    if (assay_chain_close(chain, &err) != ASSAY_OK) {
        fprintf(stderr, "feed_blocks: %s\n", err.text);
        return 1;
    }
    return rc == 0 ? 0 : 1;
}
