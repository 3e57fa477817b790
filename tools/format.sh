#!/bin/sh
# Is all C formatted as .clang-format says?   tools/format.sh [-i]   (-i: do it)
set -eu
cd "$(dirname "$0")/.."
files=$(find src include test bench examples -name '*.[ch]')
if [ "${1:-}" = -i ]; then
    # shellcheck disable=SC2086
    exec clang-format -i $files
fi
# shellcheck disable=SC2086
clang-format --dry-run -Werror $files && echo "format: $(echo "$files" | wc -l) files as they should be"
