#include "api/api_priv.h"

#include "base/alloc.h"
#include "headers/accept.h"
#include "os/entropy.h"

struct assay_headers {
    const struct params *params;
    struct header_tree *tree;
};

struct assay_headers *assay_headers_new(const struct assay_params *params)
{
    struct assay_headers *headers = alloc_zero(sizeof(*headers));
    uint64_t salt[2];

    api_prepare();
    entropy_fill(salt, sizeof(salt));
    headers->params = params_in(params);
    headers->tree = header_tree_new(headers->params, salt);
    return headers;
}

void assay_headers_free(struct assay_headers *own_headers)
{
    if (own_headers == NULL)
        return;
    header_tree_free(own_headers->tree);
    free(own_headers);
}

int assay_headers_accept(struct assay_headers *headers, enum assay_verdict *ret_verdict,
                         const uint8_t *bytes, int64_t now_s, struct assay_error *err)
{
    struct header_node *node;
    struct finding finding = {0};
    enum verdict verdict;
    struct header header;
    struct reader r;
    bool is_new;
    int rc;

    reader_init(&r, bytes, HEADER_BYTES);
    header_read(&header, &r);
    rc = header_accept(headers->tree, &node, &is_new, &verdict, &header, headers->params, now_s,
                       &finding, error_of(err));
    if (rc == 0)
        *ret_verdict = (enum assay_verdict)verdict;
    return rc;
}

static void info_of(struct assay_header_info *ret_info, const struct header_node *node)
{
    struct header header = header_of_node(node);
    struct u256 work = header_work(node);
    uint8_t bytes[HEADER_BYTES];

    header_write(bytes, &header);
    assay_header_read(&ret_info->header, bytes);
    memcpy(ret_info->hash, node->hash.b, HASH_BYTES);
    ret_info->height = node->height;
    ret_info->median_time_past = header_median_time(node);
    for (size_t i = 0; i < 4; i++)
        put_be64(ret_info->chainwork + 8 * i, work.limb[3 - i]);
}

void assay_headers_best(struct assay_header_info *ret_info, const struct assay_headers *headers)
{
    info_of(ret_info, header_tree_best(headers->tree));
}

int assay_headers_find(struct assay_header_info *ret_info, const struct assay_headers *headers,
                       const uint8_t *hash)
{
    const struct header_node *node;
    struct block_hash key;

    memcpy(key.b, hash, HASH_BYTES);
    node = header_tree_find(headers->tree, &key);
    if (node == NULL)
        return E_NOT_FOUND;
    info_of(ret_info, node);
    return 0;
}

int assay_headers_at(struct assay_header_info *ret_info, const struct assay_headers *headers,
                     int32_t height)
{
    const struct header_node *node = header_ancestor(header_tree_best(headers->tree), height);

    if (node == NULL)
        return E_NOT_FOUND;
    info_of(ret_info, node);
    return 0;
}
