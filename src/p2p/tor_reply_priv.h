/* Texts in replies of Tor's control port: private to the p2p room. */
#ifndef P2P_TOR_REPLY_PRIV_H
#define P2P_TOR_REPLY_PRIV_H

#include <stdbool.h>

#include "base/bytes.h"

/* "KEY=value KEY=\"quoted\" ...": the value of key, unescaped, behind what value has;
 * terminated. False where it is not there, or the text is not of this form. A second one
 * of the same key counts. */
bool tor_reply_value(struct buf *value, const char *text, const char *key);

#endif /* P2P_TOR_REPLY_PRIV_H */
