#include "base/verdict.h"

#include "base/check.h"

struct row {
    const char *reason;
    const char *source;
    enum assay_condemns condemns;
};

static const struct row rows[] = {
#define VERDICT_ROW(name, reason, where, condemns) {reason, where, ASSAY_CONDEMNS_##condemns},
    ASSAY_VERDICT_MAP(VERDICT_ROW)
#undef VERDICT_ROW
};

static const struct row *row_of(int verdict)
{
    CHECK(verdict >= 0 && verdict < V_COUNT);
    return &rows[verdict];
}

const char *assay_verdict_reason(enum assay_verdict verdict)
{
    return row_of((int)verdict)->reason;
}

const char *assay_verdict_source(enum assay_verdict verdict)
{
    return row_of((int)verdict)->source;
}

enum assay_condemns assay_verdict_condemns(enum assay_verdict verdict)
{
    return row_of((int)verdict)->condemns;
}

const char *verdict_reason(enum verdict verdict)
{
    return row_of((int)verdict)->reason;
}

enum assay_condemns verdict_condemns(enum verdict verdict)
{
    return row_of((int)verdict)->condemns;
}
