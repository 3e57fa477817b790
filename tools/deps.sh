#!/usr/bin/env bash
# Install what Assay is built and tested with, on Debian 12 or later. Says what
# it does; does nothing when all is there. Used by ./quickstart and ./check.
#
#   tools/deps.sh build    compiler, libraries
#   tools/deps.sh check    the same and what the tests need
set -euo pipefail

want=${1:-build}
build_packages=(gcc g++ cmake ninja-build pkg-config git ca-certificates libc6-dev
    libsodium-dev libuv1-dev)
check_packages=(clang clang-format libclang-rt-14-dev python3 python3-z3 curl)
packages=("${build_packages[@]}")
[ "$want" = check ] && packages+=("${check_packages[@]}")
# For the node from npm that Assay is tested with; Node.js of another source is as good.
if [ "$want" = check ] && ! command -v npm >/dev/null; then
    packages+=(nodejs npm)
fi

# The curve library: Debian 12 has 0.2.0; a newer one checks a signature in
# 15 % less time and depends on the C library alone, so it is taken from a later
# suite by itself. First match wins.
secp_suites=(forky sid trixie)
secp_least=0.5.0

say() { printf 'deps: %s\n' "$*"; }

if [ "$(id -u)" = 0 ]; then
    root=()
elif command -v sudo >/dev/null; then
    root=(sudo)
else
    root=(false)
fi

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

missing=()
for package in "${packages[@]}"; do
    installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    if [ "${root[0]:-}" = false ]; then
        say "missing: ${missing[*]}; run as root or install sudo" >&2
        exit 1
    fi
    say "installing ${missing[*]}"
    "${root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null
fi

secp_version() { pkg-config --modversion libsecp256k1 2>/dev/null || echo 0; }
new_enough() { dpkg --compare-versions "$(secp_version)" ge "$secp_least"; }

# Fetch the two packages of one suite without touching the machine's own list of
# sources, check them by Debian's keyring, and install just them.
secp_from() {
    local suite=$1 folder=$2 uri options library
    uri=$(apt-get indextargets --format '$(REPO_URI) $(LABEL)' 2>/dev/null |
        awk '$2 == "Debian" {print $1; exit}')
    [ -n "$uri" ] || return 1
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$uri" "$suite" \
        /usr/share/keyrings/debian-archive-keyring.gpg >"$folder/list.sources"
    options=(-o "Dir::Etc::sourcelist=$folder/list.sources" -o Dir::Etc::sourceparts=-
        -o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update -qq >/dev/null 2>&1 || return 1
    library=$(apt-cache "${options[@]}" depends libsecp256k1-dev |
        awk '$1 == "Depends:" && $2 ~ /^libsecp256k1-[0-9]+$/ {print $2; exit}')
    [ -n "$library" ] || return 1
    (cd "$folder" && apt-get "${options[@]}" download "$library/$suite" "libsecp256k1-dev/$suite" \
        >/dev/null 2>&1) || return 1
    "${root[@]}" dpkg --force-confold -i "$folder"/libsecp256k1-*.deb >/dev/null 2>&1
}

if ! new_enough; then
    for suite in "${secp_suites[@]}"; do
        folder=$(mktemp -d)
        say "installing libsecp256k1 from Debian's suite '$suite'"
        if secp_from "$suite" "$folder" && new_enough; then
            rm -rf "$folder"
            break
        fi
        rm -rf "$folder"
    done
    if ! new_enough; then
        say "no newer libsecp256k1 could be had; using Debian 12's (slower)"
        installed libsecp256k1-dev ||
            "${root[@]}" apt-get install -y -qq --no-install-recommends libsecp256k1-dev >/dev/null
    fi
fi
say "ready (libsecp256k1 $(secp_version))"
