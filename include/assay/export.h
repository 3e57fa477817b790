/** How published declarations are marked. */
#ifndef ASSAY_EXPORT_H
#define ASSAY_EXPORT_H

#if defined(__GNUC__)
#define ASSAY_API __attribute__((visibility("default")))
#define ASSAY_NODISCARD __attribute__((warn_unused_result))
#define ASSAY_NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))
#else
#define ASSAY_API
#define ASSAY_NODISCARD
#define ASSAY_NONNULL(...)
#endif

#endif /* ASSAY_EXPORT_H */
