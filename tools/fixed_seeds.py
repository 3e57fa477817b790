#!/usr/bin/env python3
"""Write src/p2p/fixed_seeds.c from lists of reachable nodes, one "host:port" a line
('#' begins a comment), as published with Bitcoin Core in contrib/seeds/nodes_*.txt:

    tools/fixed_seeds.py main.txt test.txt testnet4.txt signet.txt > src/p2p/fixed_seeds.c

Of each kind of address at most PER_KIND are taken, spread evenly over the list."""
import sys

PER_KIND = 96
NAMES = ["main", "test", "testnet4", "signet"]


def kind(text):
    if ".onion" in text:
        return "onion"
    if ".i2p" in text:
        return "i2p"
    if text.startswith("[fc"):
        return "cjdns"
    return "ipv6" if text.startswith("[") else "ipv4"


def choose(path):
    kinds = {}
    for line in open(path, encoding="utf-8"):
        text = line.split("#")[0].strip()
        if text:
            kinds.setdefault(kind(text), []).append(text)
    for name in sorted(kinds):
        entries = kinds[name]
        n = min(PER_KIND, len(entries))
        yield from (entries[i * len(entries) // n] for i in range(n))


print("/* Made by tools/fixed_seeds.py: nodes that were reachable for long when it ran. */")
print('#include "p2p/fixed_seeds.h"\n')
for name, path in zip(NAMES, sys.argv[1:], strict=True):
    print(f"static const char *const seeds_{name}[] = {{")
    for text in choose(path):
        print(f'    "{text}",')
    print("    NULL,\n};\n")
print("static const char *const no_seeds[] = {NULL};\n")
print("const char *const *fixed_seeds_of(enum network network)\n{")
print("    switch (network) {")
for name in NAMES:
    print(f"    case NETWORK_{name.upper()}:\n        return seeds_{name};")
print("    case NETWORK_REGTEST:\n    case NETWORK_COUNT:\n        break;\n    }\n    return no_seeds;\n}")
