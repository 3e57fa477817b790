#!/usr/bin/env python3
"""A full disk, a read-only folder, a second process on the same folders, too few
file descriptors: a clear error, an orderly end, and nothing lost once the cause is
gone.

    trouble.py BUILD [--long]

The disks are small ones in memory, mounted in a namespace of this process (unshare
of util-linux); where that is not allowed their tests are skipped.
"""

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile

from node import Gone, Node, RpcError
from story import Failure, Story, require

MIB = 1 << 20
INSIDE = "ASSAY_TROUBLE_INSIDE"


def orderly(node, *wanted):
    """It ended by itself, with one of the wanted words."""
    status = node.process.wait(timeout=60)
    node.process = None
    require(f"an orderly end, not {status}: {node.stderr()}", status == 1)
    require(f"a clear message: {node.stderr()}", any(w in node.stderr().lower() for w in wanted))


class Run:
    def __init__(self, options, folder):
        self.folder = folder
        self.rounds = 12 if options.long else 3
        self.random = random.Random(options.seed)
        self.program = os.path.join(options.build, "bin", "assayd")
        teller = self.node("teller")
        teller.start()
        self.story = Story(teller)
        teller.stop()

    def node(self, name, *arguments):
        return Node(self.program, os.path.join(self.folder, name), "regtest", arguments)

    def feed(self, node, blocks):
        for block in blocks:
            node.call("submitblock", self.story.blocks[block])

    def whole_again(self, node):
        """Opens by itself, with coins we know, and goes on to the end."""
        story = self.story
        node.start()
        got = node.coins()
        require(f"the coins after it: {got}", got == story.coins_at.get(got[1]))
        self.feed(node, story.trunk + [b for branch in story.branches for b in branch])
        require("the best block", node.call("getbestblockhash") == story.branches[-1][-1])
        require("the coins at the end",
                node.coins() == story.coins_at[story.branches[-1][-1]])
        require("verifychain", node.call("verifychain", 4, 0))
        require("a clean stop", node.stop() == 0)

    # --- scenes ---

    def full_disk(self):
        for i in range(self.rounds):
            disk = os.path.join(self.folder, f"disk{i}")
            os.mkdir(disk)
            mount("-o", "size=100m", disk)
            node = self.node(f"disk{i}/node", "-fastprune")
            node.stderr_path = disk + ".stderr"
            node.start()
            fed = self.random.randrange(len(self.story.trunk))
            self.feed(node, self.story.trunk[:fed])
            left = self.random.choice((0, 4096, 20000, 60 * 1024, 300 * 1024))
            fill(os.path.join(disk, "filler"), left)
            self.run_into(node, self.story.trunk[fed:] + self.story.branches[-1])
            # Still full: it says so at the start.
            node.spawn()
            orderly(node, "disk space")
            os.remove(os.path.join(disk, "filler"))
            self.whole_again(node)
            umount(disk)

    def run_into(self, node, blocks):
        try:
            try:
                self.feed(node, blocks)
            except RpcError:
                pass
            status = node.stop()
        except Gone:
            status = node.process.wait(timeout=60)
            node.process = None
        require(f"an orderly end, not {status}", status in (0, 1))
        if status == 1:
            require(f"a clear message: {node.stderr()}",
                    "space" in node.stderr().lower())

    def read_only(self):
        disk = os.path.join(self.folder, "readonly")
        os.mkdir(disk)
        mount("-o", "size=200m", disk)
        node = self.node("readonly/node")
        node.start()
        self.feed(node, self.story.trunk[:60])
        require("a clean stop", node.stop() == 0)
        stderr = os.path.join(self.folder, "stderr-elsewhere")
        mount("-o", "remount,ro", disk)
        with open(stderr, "wb") as err:
            status = subprocess.call([self.program, f"-datadir={node.datadir}", "-regtest",
                                      "-printtoconsole=0", f"-rpcport={node.port}"], stderr=err,
                                     timeout=60)
        mount("-o", "remount,rw", disk)
        with open(stderr, encoding="utf-8") as err:
            text = err.read()
        require(f"an orderly end, not {status}", status == 1)
        require(f"a clear message: {text}", "ermission" in text or "ead-only" in text)
        self.whole_again(node)
        umount(disk)

    def second_process(self):
        first = self.node("first")
        first.start()
        self.feed(first, self.story.trunk[:60])
        second = Node(self.program, first.datadir)
        with open(os.path.join(first.folder, ".cookie"), encoding="ascii") as f:
            cookie = f.read()
        second.spawn()
        orderly(second, "cannot obtain a lock")
        with open(os.path.join(first.folder, ".cookie"), "w", encoding="ascii") as f:
            f.write(cookie)
        other = self.node("other", f"-blocksdir={first.datadir}")
        other.spawn()
        orderly(other, "cannot obtain a lock")
        self.feed(first, self.story.trunk[60:])
        require("a clean stop", first.stop() == 0)
        self.whole_again(first)

    def few_descriptors(self):
        node = self.node("few")
        for limit in (256, 128, 64, 48, 32, 20, 12, 8):
            def lower(limit=limit):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

            node.spawn(before=lower)
            try:
                node.wait_ready()
                self.feed(node, self.story.trunk[:60])
                require("a clean stop", node.stop() == 0)
            except Gone:
                orderly(node, "file descriptors", "too many open files")
        self.whole_again(node)


def mount(*arguments):
    subprocess.run(["mount", "-t", "tmpfs", *arguments[:-1], "tmpfs", arguments[-1]], check=True)


def umount(disk):
    subprocess.run(["umount", disk], check=True)


def fill(path, left):
    """Takes the disk's space but for so many bytes."""
    with open(path, "wb") as f:
        try:
            while True:
                f.write(bytes(MIB))
                f.flush()
        except OSError:
            pass
        try:
            while True:
                os.write(f.fileno(), bytes(4096))
        except OSError:
            pass
    size = os.path.getsize(path)
    os.truncate(path, max(0, size - left))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=None,
                        help="the same again; else one that is new with --long, and always 1 without")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32) if options.long else 1
    may_mount = INSIDE in os.environ
    if not may_mount and subprocess.call(["unshare", "-rm", "true"],
                                         stderr=subprocess.DEVNULL) == 0:
        os.execvpe("unshare", ["unshare", "-rm", sys.executable] + sys.argv,
                   dict(os.environ, **{INSIDE: "1"}))
    folder = tempfile.mkdtemp(prefix="assay-trouble-")
    print(f"seed {options.seed}")
    run = Run(options, folder)
    passed = failed = skipped = 0
    for name, scene, needs_mount in (("full disk", run.full_disk, True),
                                     ("read only", run.read_only, True),
                                     ("second process", run.second_process, False),
                                     ("few descriptors", run.few_descriptors, False)):
        if options.only not in name:
            continue
        if needs_mount and not may_mount:
            print(f"skipped {name}: no disk can be mounted here")
            skipped += 1
            continue
        try:
            scene()
            passed += 1
        except (Failure, Gone, RpcError, subprocess.SubprocessError, OSError) as e:
            print(f"FAILED: {name}: {e}")
            failed += 1
    if failed == 0:
        shutil.rmtree(folder)
    else:
        print(f"the folder is kept: {folder}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
