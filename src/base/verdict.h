/* Verdicts inside the house: the list of include/assay/verdict.h under short
 * names (V_VALID, V_BAD_CB_AMOUNT, ...). A verdict is written through a
 * ret_verdict pointer, and only when the call returned 0.
 */
#ifndef BASE_VERDICT_H
#define BASE_VERDICT_H

#include <assay/verdict.h>

enum verdict {
#define VERDICT_ENUM(name, reason, where, condemns) V_##name,
    ASSAY_VERDICT_MAP(VERDICT_ENUM)
#undef VERDICT_ENUM
        V_COUNT
};

/* As assay_verdict_reason(). */
const char *verdict_reason(enum verdict verdict);

/* As assay_verdict_condemns(). */
enum assay_condemns verdict_condemns(enum verdict verdict);

#endif /* BASE_VERDICT_H */
