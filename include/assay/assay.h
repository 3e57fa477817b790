/** libassay: Bitcoin's rules and chain as a C library.
 *
 *  Conventions, stated once for all headers:
 *
 *  - Functions that can fail return ASSAY_OK (0) or a negative ASSAY_E_* and take
 *    a `struct assay_error *err` as their last parameter, which may be NULL. On
 *    failure, outputs are unchanged unless said otherwise.
 *  - What the rules say about a header, block, transaction or script is never an
 *    error but a verdict (verdict.h), written only when the call returned 0.
 *  - Order of arguments: the object worked on, outputs, in/outs, inputs, flags,
 *    err. A length follows its pointer.
 *  - `T **ret_x` becomes yours, release it with its _free function (NULL is
 *    fine); `const T *` is borrowed for the call; pointers into an object live as
 *    long as the object.
 *  - Hashes are 32 bytes in wire order; texts show them reversed. Amounts are
 *    int64_t satoshi, sizes are bytes unless a name says otherwise.
 *  - Any function may be called from any thread. One object must not be changed
 *    by one thread while another uses it; objects that nothing changes may be
 *    shared freely.
 *  - Out of memory ends the process: every size a stranger can choose is bounded
 *    before memory is taken for it.
 */
#ifndef ASSAY_ASSAY_H
#define ASSAY_ASSAY_H

#include <assay/base.h>
#include <assay/block.h>
#include <assay/chain.h>
#include <assay/error.h>
#include <assay/hash.h>
#include <assay/headers.h>
#include <assay/network.h>
#include <assay/script.h>
#include <assay/transaction.h>
#include <assay/verdict.h>

#endif /* ASSAY_ASSAY_H */
