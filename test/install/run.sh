#!/usr/bin/env bash
# Install a build to a fresh place and use it as a stranger would: every example
# from C and from C++, against the shared and the static library, through
# pkg-config and through the CMake package.
#
#   test/install/run.sh BUILD
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd)
data=${ASSAY_DATA:-$root/../shared/data}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/usr" >/dev/null
library=$(dirname "$(find "$work/usr" -name assay.pc)")
sed -i "s|^prefix=.*|prefix=$work/usr|" "$library/assay.pc"
export PKG_CONFIG_PATH=$library
export LD_LIBRARY_PATH=${library%/pkgconfig}

# The symbols a program sees are the published ones only.
strange=$(nm -D --defined-only "$LD_LIBRARY_PATH/libassay.so" | awk '{print $3}' | grep -v '^assay_' || true)
strange+=$(nm -g --defined-only "$LD_LIBRARY_PATH/libassay.a" 2>/dev/null | awk 'NF == 3 {print $3}' |
    grep -v '^assay_' || true)
if [ -n "$strange" ]; then
    printf 'install: names that are not published are visible:\n%s\n' "$strange" >&2
    exit 1
fi

check() { # NAME FOLDER
    local out
    case $1 in
    parse_tx)
        out=$("$2/parse_tx" 01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000)
        grep -q '^txid   4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b$' <<<"$out"
        grep -q '^pays   5000000000 satoshi' <<<"$out"
        ;;
    verify_script)
        "$2/verify_script" >/dev/null
        ;;
    header_chain)
        [ -r "$data/headers/mainnet_0_10236.bin" ] || { echo "install: skipped header_chain: no ASSAY_DATA"; return; }
        out=$("$2/header_chain" "$data/headers/mainnet_0_10236.bin")
        grep -q '^height 10236$' <<<"$out"
        ;;
    feed_blocks)
        [ -r "$data/chains/mainnet_0_4521.dat" ] || { echo "install: skipped feed_blocks: no ASSAY_DATA"; return; }
        rm -rf "$work/datadir"
        out=$("$2/feed_blocks" "$work/datadir" "$data/chains/mainnet_0_4521.dat")
        grep -q '^tip    00000000ac08f7d984f6b36027395e654a5f1e3bb006cd9df9c60b9897ea4c40$' <<<"$out"
        ;;
    *)
        echo "install: no check for example '$1'" >&2
        return 1
        ;;
    esac
}

for source in "$root"/examples/*.c; do
    name=$(basename "$source" .c)
    [ "$(wc -l <"$source")" -le 150 ] || { echo "install: $name is over 150 lines" >&2; exit 1; }
    for kind in c-shared c-static c++-shared; do
        mkdir -p "$work/$kind"
        case $kind in
        c-shared) cc -std=c11 -Wall -Wextra -Wpedantic -Werror "$source" -o "$work/$kind/$name" \
            $(pkg-config --cflags --libs assay) ;;
        c-static) cc -std=c11 "$source" -o "$work/$kind/$name" $(pkg-config --cflags assay) \
            "$LD_LIBRARY_PATH/libassay.a" $(pkg-config --static --libs-only-l assay | sed 's/-lassay//') ;;
        c++-shared) c++ -x c++ -std=c++17 -Wall -Werror "$source" -o "$work/$kind/$name" \
            $(pkg-config --cflags --libs assay) ;;
        esac
        check "$name" "$work/$kind"
    done
done

mkdir "$work/package"
cat >"$work/package/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.20)
project(consumer C)
find_package(assay REQUIRED)
add_executable(verify_script $root/examples/verify_script.c)
target_link_libraries(verify_script PRIVATE assay::assay)
EOF
cmake -G Ninja -S "$work/package" -B "$work/package/build" -DCMAKE_PREFIX_PATH="$work/usr" >/dev/null
cmake --build "$work/package/build" >/dev/null
check verify_script "$work/package/build"
printf 'install: %d examples, C and C++, shared and static, pkg-config and CMake package\n' \
    "$(ls "$root"/examples/*.c | wc -l)"
