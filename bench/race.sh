#!/bin/sh
# The race for the target "bench": both modes over the chain in ASSAY_CHAIN, against
# the bitcoind in ASSAY_CORE where there is one.   bench/race.sh BUILD
set -eu
if [ -z "${ASSAY_CHAIN:-}" ]; then
    echo "race: skipped, ASSAY_CHAIN names no chain (see bench/race.py)"
    exit 0
fi
for mode in full skip; do
    python3 "$(dirname "$0")/race.py" --build "$1" --chain "$ASSAY_CHAIN" --mode "$mode" \
        ${ASSAY_CORE:+--core "$ASSAY_CORE"}
done
