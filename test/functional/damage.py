#!/usr/bin/env python3
"""Flip a byte, cut a file short or zero its tail in a stopped data directory: the
node must say which file is damaged and where, or go on unharmed. It never calls a
valid block invalid, never crashes, and never has other coins.

    damage.py BUILD             a few damages to every kind of file
    damage.py BUILD --long      many
    damage.py BUILD --seed N    the same damages again
"""

import argparse
import os
import random
import re
import shutil
import sys
import tempfile

from node import Gone, Node, RpcError
from story import Failure, Story, require

# What is not ours to check: logs for people, and locks without content.
SKIPPED = ("debug.log", ".lock", "coins.lock", ".cookie", "stderr")


class Damage:
    """One way to hurt a file, and how to make it good again."""

    def __init__(self, path, kind, offset, mask):
        self.path = path
        self.kind = kind
        self.offset = offset
        self.mask = mask

    def __str__(self):
        return f"{self.kind} {self.path} at {self.offset} (mask {self.mask:#04x})"

    def inflict(self, folder):
        with open(os.path.join(folder, self.path), "r+b") as f:
            size = f.seek(0, os.SEEK_END)
            if self.kind == "flip":
                self.flip(f)
            else:
                f.truncate(self.offset)
                if self.kind == "zero":
                    f.truncate(size)

    def flip(self, f):
        f.seek(self.offset)
        byte = f.read(1)
        f.seek(self.offset)
        f.write(bytes([byte[0] ^ self.mask]))

    def heal(self, folder, whole):
        path = os.path.join(folder, self.path)
        if not os.path.exists(path):
            return
        if self.kind != "flip":
            shutil.copy(os.path.join(whole, self.path), path)
            return
        with open(path, "r+b") as f:
            with open(os.path.join(whole, self.path), "rb") as w:
                w.seek(self.offset)
                was = w.read(1)[0]
            f.seek(self.offset)
            now = f.read(1)
            if now and now[0] == was ^ self.mask:
                self.flip(f)


def errors_in(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return "".join(line for line in f if "[error]" in line)


class Run:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.random = random.Random(options.seed)
        self.program = os.path.join(options.build, "bin", "assayd")
        self.counts = {}

    def make_whole(self):
        """A data directory with a few commits behind it, side branches included."""
        teller = Node(self.program, os.path.join(self.folder, "teller"))
        teller.start()
        self.story = Story(teller)
        teller.stop()
        self.whole = Node(self.program, os.path.join(self.folder, "whole"))
        story = self.story
        parts = [story.trunk[:50], story.trunk[50:]] + story.branches
        for part in parts:
            self.whole.start()
            for block in part:
                self.whole.call("submitblock", story.blocks[block])
            if part is parts[-1]:
                self.want = self.whole.coins()
            require("a clean stop", self.whole.stop() == 0)

    def files(self):
        base = self.whole.folder
        for folder, _, names in os.walk(base):
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), base)
                if name not in SKIPPED:
                    yield path

    def damages(self, path, n):
        full = os.path.join(self.whole.folder, path)
        with open(full, "rb") as f:
            content = f.read()
        # Files of blocks end in zeros that were set aside, as stored.
        used = len(content.rstrip(b"\0"))
        for i in range(n):
            if i % 4 == 0:
                offset = self.random.randrange(min(len(content), 64)) if content else None
            elif i % 4 == 1 and used > 0:
                offset = max(0, used - 1 - self.random.randrange(min(used, 400)))
            else:
                offset = self.random.randrange(used) if used else None
            if offset is not None:
                yield Damage(path, "flip", offset, 1 << self.random.randrange(8))
            if i % 4 == 3:
                kind = self.random.choice(("cut", "zero"))
                yield Damage(path, kind, self.random.randrange(used + 1), 0)

    def trial(self, damage):
        node = self.node = Node(self.program, os.path.join(self.folder, "trial"))
        shutil.rmtree(node.datadir)
        shutil.copytree(self.whole.datadir, node.datadir)
        for name in (node.datadir + "/stderr", node.folder + "/debug.log"):
            with open(name, "w", encoding="utf-8"):
                pass
        damage.inflict(node.folder)
        outcome = "unharmed"
        try:
            node.start()
        except Gone:
            self.check_end(node, damage)
            outcome = "stopped at the start"
        else:
            outcome = self.work(node, damage)
        self.counts[outcome] = self.counts.get(outcome, 0) + 1
        # A log that was cut and is in use is another log now.
        if damage.kind == "flip" or outcome.startswith("stopped") or damage.path.endswith(".dat"):
            damage.heal(node.folder, self.whole.folder)
        node.start()
        self.finish(node, damage)

    def check_end(self, node, damage):
        """It ended by itself, with a message that names the file."""
        status = node.process.wait()
        node.process = None
        require(f"{damage}: an orderly end, not {status}", status == 1)
        text = node.stderr() + errors_in(os.path.join(node.folder, "debug.log"))
        name = os.path.basename(damage.path)
        # The key file has no room for a checksum: the blocks that do not read tell.
        names = ("blk", "xor.dat") if name == "xor.dat" else (name,)
        # Whose tail is gone is not seen to be damaged, but what rests on it is missed.
        if name == "assay-index.log":
            names += ("blocks/index", "without a block index")
        require(f"{damage}: the message names the file: {text}",
                any(n in text for n in names))
        require(f"{damage}: the message says where: {text}",
                # peers.dat: in another program's words.
                name in ("settings.json", "peers.dat") or re.search(r"offset \d+|\d+ bytes|does not have|without|not there", text))
        if self.options.verbose:
            print(f"{damage}: {text.strip().splitlines()[-1]}")

    def work(self, node, damage):
        """The node opened: make it read everything."""
        outcome = "unharmed"
        try:
            try:
                got = node.coins()
                require(f"{damage}: the coins {got}", got == self.story.coins_at.get(got[1]))
            except RpcError:
                outcome = "an answer refused"
            for branch in self.story.branches[::-1]:
                try:
                    node.call("invalidateblock", branch[0])
                except RpcError:
                    outcome = "an answer refused"
            try:
                if not node.call("verifychain", 4, 0):
                    outcome = "found by verifychain"
            except RpcError:
                outcome = "found by verifychain"
            status = node.stop()
            if status != 0:
                require(f"{damage}: an orderly end, not {status}", status == 1)
                outcome = "stopped at work"
        except Gone:
            self.check_end(node, damage)
            outcome = "stopped at work"
        return outcome

    def finish(self, node, damage):
        """Whole again: nothing was lost, no block was condemned."""
        story = self.story
        for branch in story.branches:
            for block in branch:
                try:
                    node.call("reconsiderblock", block)
                except RpcError:
                    pass
        for block in story.trunk + [b for branch in story.branches for b in branch]:
            node.call("submitblock", story.blocks[block])
        invalid = [tip for tip in node.call("getchaintips") if tip["status"] == "invalid"]
        require(f"{damage}: no block is condemned: {invalid}", not invalid)
        got = node.coins()
        require(f"{damage}: the coins at the end: {got}, {self.want}", got == self.want)
        require(f"{damage}: a clean stop", node.stop() == 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=None,
                        help="the same again; else one that is new with --long, and always 1 without")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--only", default="", help="files whose names contain this")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32) if options.long else 1
    folder = tempfile.mkdtemp(prefix="assay-damage-")
    run = Run(options, folder)
    failed = 0
    passed = 0
    print(f"seed {options.seed}")
    run.make_whole()
    for path in run.files():
        if options.only not in path:
            continue
        run.counts = {}
        for damage in run.damages(path, 40 if options.long else 4):
            try:
                run.trial(damage)
                passed += 1
            except (Failure, Gone, RpcError) as e:
                failed += 1
                print(f"FAILED: {damage}: {e}", flush=True)
                run.node.kill()
        print(f"{path}: {run.counts}", flush=True)
    shutil.rmtree(folder)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
