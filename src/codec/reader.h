/* Reading consensus-encoded bytes. A reader never runs past its end: the first
 * read that would fails sets rc (E_TRUNCATED or E_MALFORMED) and returns 0;
 * every later read returns 0 too. So a run of reads needs one look at rc.
 */
#ifndef CODEC_READER_H
#define CODEC_READER_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

/* A length prefix above this is refused (E_MALFORMED), as on the network:
 * 32 MiB. */
#define COMPACT_SIZE_MAX 0x02000000U

struct reader {
    const uint8_t *at; /* Borrowed. */
    size_t left;       /* Bytes. */
    int rc;            /* 0, E_TRUNCATED or E_MALFORMED; the first one stays. */
    const char *why;   /* Of a failure, where the format has words for it; else NULL. */
};

void reader_init(struct reader *r, const void *data, size_t len);

/* Marks the reader failed, unless it is already. Returns r->rc. */
int reader_fail(struct reader *r, int rc);
/* The same with words for the log: a static text. */
int reader_fail_why(struct reader *r, int rc, const char *why);

uint8_t read_u8(struct reader *r);
uint16_t read_le16(struct reader *r);
uint32_t read_le32(struct reader *r);
uint64_t read_le64(struct reader *r);

/* len bytes, borrowed from the input; empty on failure. */
struct span read_span(struct reader *r, size_t len);

/* Copies len bytes out; zeros on failure. */
void read_bytes(struct reader *r, uint8_t *ret_data, size_t len);

/* CompactSize, canonical only. read_compact_size takes any 64-bit value;
 * read_length refuses what is over COMPACT_SIZE_MAX. */
uint64_t read_compact_size(struct reader *r);
uint32_t read_length(struct reader *r);

/* A length and that many bytes. */
struct span read_var_bytes(struct reader *r);

#endif /* CODEC_READER_H */
