/* Messages signed with the key of an address: the old scheme, for P2PKH only. */
#ifndef KEYS_MESSAGE_H
#define KEYS_MESSAGE_H

#include "keys/address.h"
#include "keys/key.h"

enum message_status {
    MESSAGE_OK,
    MESSAGE_BAD_ADDRESS,
    MESSAGE_NO_KEY,        /* The address is not the hash of one key. */
    MESSAGE_BAD_SIGNATURE, /* Not base64. */
    MESSAGE_NO_RECOVERY,   /* No key fits the signature. */
    MESSAGE_NOT_SIGNED,    /* Another key signed. */
};

/* What is signed, 32 bytes. */
void message_hash(uint8_t *ret_hash, struct span message) NONNULL(1);

/* Append the signature in base64. */
void message_sign(struct buf *text, const struct seckey *key, struct span message) NONNULL(1, 2);

enum message_status message_verify(struct span address, struct span signature, struct span message,
                                   const struct params *params) NONNULL(4);

#endif /* KEYS_MESSAGE_H */
