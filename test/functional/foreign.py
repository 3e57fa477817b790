#!/usr/bin/env python3
"""A data directory that another program made: its blocks are verified where they
are, and nothing of its own is changed or removed.

    foreign.py BUILD                     a directory laid out as another program's
    foreign.py BUILD --core FOLDER       one made by FOLDER/bitcoind, which must
                                         start on it again afterwards
"""

import argparse
import hashlib
import os
import shutil
import sys
import tempfile

from node import Gone, Node
from story import Failure, Story, require

# What a LevelDB database consists of, and other files of the other program.
OTHERS = ("blocks/index/CURRENT", "blocks/index/MANIFEST-000002", "blocks/index/000003.log",
          "blocks/index/LOCK", "chainstate/CURRENT", "chainstate/MANIFEST-000007",
          "chainstate/000008.log", "chainstate/000009.ldb", "chainstate/LOCK",
          "indexes/txindex/CURRENT", "wallets/wallet.dat")
# Both programs write these, each in its way (peers.dat and mempool.dat: in the same one).
SHARED = ("debug.log", "settings.json", ".lock", ".cookie")


class Held:
    """The bytes of every file as they were."""

    def __init__(self, base):
        self.base = base
        self.files = {}
        for folder, _, names in os.walk(base):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), base)
                if name not in SHARED:
                    with open(os.path.join(base, path), "rb") as f:
                        self.files[path] = f.read()

    def require_same(self):
        for path, content in self.files.items():
            full = os.path.join(self.base, path)
            require(f"{path} is still there", os.path.exists(full))
            with open(full, "rb") as f:
                now = f.read()
            # Zeros behind the blocks were set aside for more of them.
            if os.path.basename(path)[:3] in ("blk", "rev"):
                content = content.rstrip(b"\0")
                now = now[:len(content)]
            require(f"{path} is as it was", now == content)


class Run:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.program = os.path.join(options.build, "bin", "assayd")

    def node(self, name, *arguments):
        return Node(self.program, os.path.join(self.folder, name), "regtest", arguments)

    def lay_out(self):
        """Blocks, undo data and key of a node of ours; the rest is made up."""
        maker = self.node("maker", "-blocksxor=1")
        maker.start()
        story = Story(maker)
        for block in story.branches[-1]:
            maker.call("reconsiderblock", block)
        want = maker.coins()
        require("a clean stop", maker.stop() == 0)
        node = self.node("foreign")
        blocks = os.path.join(node.folder, "blocks")
        os.makedirs(blocks)
        for name in ("blk00000.dat", "rev00000.dat", "xor.dat"):
            shutil.copy(os.path.join(maker.folder, "blocks", name), blocks)
        for name in OTHERS:
            path = os.path.join(node.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(hashlib.sha256(name.encode()).digest() * 7)
        return node, want

    def scene(self):
        node, want = self.lay_out()
        self.open(node, want)

    def open(self, node, want):
        held = Held(node.folder)
        node.spawn()
        require("it does not begin by itself", node.process.wait(timeout=60) == 1)
        require(f"it says what to do: {node.stderr()}", "-reindex" in node.stderr())
        held.require_same()
        node.start("-reindex")
        self.reach(node, want)
        held.require_same()
        require("verifychain", node.call("verifychain", 4, 0))
        node.kill()
        node.start()
        self.reach(node, want)
        node.call("generatetoaddress", 20, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080")
        require("a clean stop", node.stop() == 0)
        held.require_same()

    def reach(self, node, want):
        while node.call("getblockcount") < want[0]:
            require("it runs", node.process.poll() is None)
        require("the coins", node.coins() == want)

    def core_scene(self):
        """A directory of the real other program."""
        core = Node(os.path.join(self.options.core, "bitcoind"),
                    os.path.join(self.folder, "core"))
        core.start()
        core.call("generatetoaddress", 130, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080")
        want = core.coins()
        require("a clean stop", core.stop() == 0)
        node = Node(self.program, core.datadir)
        self.open(node, want)
        core.start("-checkblocks=0", "-checklevel=4")
        require("the coins", core.coins() == want)
        require("a clean stop", core.stop() == 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--long", action="store_true", help="the same")
    parser.add_argument("--core", help="a folder with bitcoind in it")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="assay-foreign-")
    run = Run(options, folder)
    passed = 0
    try:
        run.scene()
        passed += 1
        if options.core:
            run.core_scene()
            passed += 1
    except (Failure, Gone) as e:
        print(f"FAILED: {e}\nthe folder is kept: {folder}\n{passed} passed, 1 failed")
        return 1
    shutil.rmtree(folder)
    print(f"{passed} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
