/* Follow a file of 80-byte headers of the main network and show the best one.
 *
 *   header_chain FILE
 */
#include <assay/assay.h>
#include <stdio.h>
#include <time.h>

int main(int argc, char **argv)
{
    const struct assay_params *params = assay_params_of(ASSAY_MAIN);
    struct assay_headers *headers;
    struct assay_header_info best;
    struct assay_error err = {0};
    uint8_t bytes[ASSAY_HEADER_BYTES];
    char hex[ASSAY_HASH_HEX_SIZE];
    int rc = 0;
    FILE *file;

    if (argc != 2) {
        fprintf(stderr, "usage: header_chain FILE\n");
        return 2;
    }
    file = fopen(argv[1], "rb");
    if (file == NULL) {
        perror(argv[1]);
        return 2;
    }
    headers = assay_headers_new(params);
    while (rc == 0 && fread(bytes, sizeof(bytes), 1, file) == 1) {
        enum assay_verdict verdict;

        if (assay_headers_accept(headers, &verdict, bytes, (int64_t)time(NULL), &err) != ASSAY_OK) {
            fprintf(stderr, "header_chain: %s\n", err.text);
            rc = 1;
        } else if (verdict != ASSAY_V_VALID) {
            fprintf(stderr, "header_chain: %s\n", assay_verdict_reason(verdict));
            rc = 1;
        }
    }
    fclose(file);
    assay_headers_best(&best, headers);
    assay_hash_to_hex(hex, best.hash);
    printf("height %d\nhash   %s\nwork   ", best.height, hex);
    for (size_t i = 0; i < sizeof(best.chainwork); i++)
        printf("%02x", best.chainwork[i]);
    printf("\n");
    assay_headers_free(headers);
    return rc;
}
