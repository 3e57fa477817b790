#!/usr/bin/env python3
"""Hours of a sandbox: three nodes, blocks, payments, strangers that come and go. Memory
that goes on growing is a leak, and fails.

    soak_node.py BUILD --hours 12
    soak_node.py BUILD --minutes 5 --dir DIR

Every node is looked at every ten seconds; the peaks of the second quarter of the time and of the
last one are compared (in the first one caches fill).
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "functional"))

from hostile import Peer, frame, good_payloads, spoil  # noqa: E402
from node import Gone, RpcError, ask  # noqa: E402
from sandbox import NODES, Sandbox, free_ports  # noqa: E402
from sandbox import Failure as SandboxFailure  # noqa: E402
from story import Failure, require  # noqa: E402

LOOK_EVERY_S = 10
STRANGERS = 10
# What may come in between: the allocator's own habits, and each block's header and index.
SLACK_MB = 8
BLOCK_BYTES = 2000
MB = 1000 * 1000


def resident_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / MB
    raise Gone("no such process")


class Soak:
    def __init__(self, options, folder):
        self.box = Sandbox(options.build, folder, free_ports())
        self.span_s = options.hours * 3600 + options.minutes * 60
        self.rng = random.Random(options.seed)
        self.strangers = []
        self.said = 0
        self.samples = []  # (seconds, [MB of each node], height)

    def start(self):
        require("the sandbox starts", self.box.run("start").returncode == 0)
        self.pids = [self.box.pid(n) for n in range(1, NODES + 1)]
        self.genesis = bytes.fromhex(self.box.ask(1, "getblockhash", 0))[::-1]

    def speak(self):
        """A stranger comes, says things good and spoilt, and goes, or is sent away."""
        if len(self.strangers) < STRANGERS:
            port = self.box.port + 10 * self.rng.randrange(NODES)
            self.strangers.append(Peer(port))
        for peer in self.strangers:
            good = good_payloads(self.rng, self.genesis)
            name = self.rng.choice(list(good))
            payload = good[name] if self.rng.random() < 0.7 else spoil(self.rng, good[name])
            peer.send(frame(name, payload))
            peer.read()
            peer.inbox = b""
            self.said += 1
            if self.rng.random() < 0.02:
                peer.close()
        self.strangers = [peer for peer in self.strangers if not peer.is_gone]

    def look(self, now_s):
        require("no node was started anew",
                self.pids == [self.box.pid(n) for n in range(1, NODES + 1)])
        sizes = [resident_mb(pid) for pid in self.pids]
        height = self.box.ask(1, "getblockcount")
        self.samples.append((now_s, sizes, height))
        if len(self.samples) % 6 == 1:
            print(f"   {now_s:8.0f} s: height {height}, {self.said} messages of strangers, "
                  f"resident {' '.join(f'{size:.1f}' for size in sizes)} MB", flush=True)

    def run(self):
        begun = time.monotonic()
        look_at = 0
        while (now_s := time.monotonic() - begun) < self.span_s:
            if now_s >= look_at:
                self.look(now_s)
                look_at += LOOK_EVERY_S
            self.speak()
            time.sleep(0.05)

    def judge(self):
        early = [s for s in self.samples if self.span_s / 4 <= s[0] < self.span_s / 2]
        late = [s for s in self.samples if s[0] >= self.span_s * 3 / 4]
        require("long enough to compare", bool(early and late))
        blocks = late[-1][2] - early[0][2]
        require("blocks were found", blocks > 0)
        allowed_mb = SLACK_MB + blocks * BLOCK_BYTES / MB
        for n in range(NODES):
            before = max(s[1][n] for s in early)
            after = max(s[1][n] for s in late)
            print(f"   node {n + 1}: {before:.1f} MB, then {after:.1f} MB; {blocks} blocks between")
            require(f"node {n + 1} has grown by {after - before:.1f} MB, at most {allowed_mb:.1f} MB",
                    after - before <= allowed_mb)

    def stop(self):
        for peer in self.strangers:
            peer.close()
        require("a clean stop", self.box.run("stop").returncode == 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--hours", type=float, default=0)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--dir", help="where the nodes' folders are; default: a temporary one")
    options = parser.parse_args()
    if options.hours + options.minutes <= 0:
        options.hours = 12
    folder = options.dir or tempfile.mkdtemp(prefix="assay-soak-")
    soak = Soak(options, folder)
    try:
        soak.start()
        soak.run()
        soak.judge()
        soak.stop()
    except (Failure, SandboxFailure, Gone, RpcError, OSError, subprocess.SubprocessError) as e:
        soak.box.run("stop")
        print(f"FAILED: {e}\nthe folder is kept: {folder}")
        return 1
    if options.dir is None:
        shutil.rmtree(folder)
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
