# Flags every target of ours is built with.
add_library(assay_flags INTERFACE)
target_compile_definitions(assay_flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64
    ASSAY_VERSION="${PROJECT_VERSION}" ASSAY_BUGREPORT="${ASSAY_BUGREPORT}")
target_compile_options(assay_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -fno-omit-frame-pointer -fstack-protector-strong)
if(ASSAY_WERROR)
    target_compile_options(assay_flags INTERFACE -Werror)
endif()
if(ASSAY_VERIFY)
    target_compile_definitions(assay_flags INTERFACE ASSAY_VERIFY)
endif()
if(ASSAY_SANITIZE)
    target_compile_options(assay_flags INTERFACE -fsanitize=${ASSAY_SANITIZE}
        -fno-sanitize-recover=all)
    target_link_options(assay_flags INTERFACE -fsanitize=${ASSAY_SANITIZE})
endif()
if(ASSAY_COVERAGE)
    target_compile_options(assay_flags INTERFACE --coverage)
    target_link_options(assay_flags INTERFACE --coverage)
endif()

# The lanes are one straight line of thousands of vector instructions. Instrumented,
# they take minutes to compile and tell nothing: the same source over plain C lanes
# is what the sanitizers see.
if(ASSAY_SANITIZE)
    set_source_files_properties(src/crypto/sigbatch_ifma.c PROPERTIES
        COMPILE_OPTIONS -fno-sanitize=all)
endif()
