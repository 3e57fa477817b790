#!/usr/bin/env python3
"""Kill the node with SIGKILL at random instants; nothing may be lost.

After every kill the node must open by itself, without a reindex, and its coins
must be exactly those that an uninterrupted node has at the same block.

    kill.py BUILD                       about 20 kills on a chain of its own
    kill.py BUILD --long                220 kills
    kill.py BUILD --kills N             as many as asked, spread over the scenes
    kill.py BUILD --chain FILE.dat      also imports regtest blocks from FILE
    kill.py BUILD --seed N              the same instants again, as far as the
                                        machine allows

With ASSAY_DATA the first blocks of the main chain are imported, too.
"""

import argparse
import hashlib
import os
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time

from node import Gone, Node, RpcError
from story import Failure, Story, require


class Killer:
    """Kills a node after a while, unless told that it is over."""

    def __init__(self, node, seconds):
        self.node = node
        self.process = node.process
        self.timer = threading.Timer(seconds, self.process.kill)
        self.timer.start()

    def cancel(self):
        self.timer.cancel()
        self.timer.join()


class Run:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.random = random.Random(options.seed)
        self.kills = 0
        self.redone_s = []
        self.opened_s = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def node(self, name, chain="regtest", *arguments):
        return Node(os.path.join(self.options.build, "bin", "assayd"), self.path(name), chain,
                    arguments)

    def reopen(self, node, *extra):
        """Start after a kill: it must come up by itself."""
        node.process.wait()
        self.kills += 1
        began = time.monotonic()
        node.start(*extra)
        self.opened_s.append(time.monotonic() - began)

    # --- scenes: each is called with a number of kills ---

    def scene_branches(self, kills, *arguments):
        """Blocks of all branches come in any order, tips are marked and unmarked."""
        story = self.story
        node = self.node(f"branches{len(arguments)}", "regtest", *arguments)
        node.start()
        killed = 0
        while killed < kills:
            killer = Killer(node, self.random.uniform(0.0, 1.2))
            try:
                self.shake(node)
            except Gone:
                pass
            killer.cancel()
            if node.process.poll() is None:
                node.process.kill()
            killed += 1
            self.reopen(node)
            self.check_known(node)
        self.finish(node)
        shutil.rmtree(node.datadir)

    def shake(self, node):
        """Random work until the node is gone."""
        story = self.story
        while True:
            what = self.random.randrange(6)
            branch = self.random.choice(story.branches)
            try:
                if what < 3:
                    for block in story.trunk + branch:
                        node.call("submitblock", story.blocks[block])
                elif what == 3:
                    node.call("invalidateblock", self.random.choice(branch))
                elif what == 4:
                    node.call("reconsiderblock", self.random.choice(branch))
                else:
                    node.call("preciousblock", self.random.choice(branch))
            except RpcError as e:
                require(f"an error that is expected: {e}", e.code in (-5, -1, -8))

    def check_known(self, node):
        """The coins are those of the block the node stands at."""
        got = node.coins()
        require(f"a block we know: {got[1]}", got[1] in self.story.coins_at)
        require(f"the coins of height {got[0]}", got == self.story.coins_at[got[1]])

    def finish(self, node):
        """Everything comes again: the longest branch wins, with its coins."""
        story = self.story
        for block in [b for branch in story.branches for b in branch]:
            try:
                node.call("reconsiderblock", block)
            except RpcError:
                pass
        for block in story.trunk + [b for branch in story.branches for b in branch]:
            node.call("submitblock", story.blocks[block])
        longest = story.branches[-1][-1]
        require("the longest branch", node.call("getbestblockhash") == longest)
        self.check_known(node)
        require("verifychain", node.call("verifychain", 4, 0))
        require("a clean stop", node.stop() == 0)

    def scene_generate(self, kills, *arguments):
        """Mining while being killed; another node judges what came of it."""
        node = self.node(f"generate{len(arguments)}", "regtest", *arguments)
        node.start()
        seen = {}
        for _ in range(kills):
            killer = Killer(node, self.random.uniform(0.0, 0.8))
            try:
                while True:
                    for block in node.call("generatetoaddress", 1 + self.random.randrange(5),
                                           self.story.forms[1]):
                        seen[block] = None
                    if arguments and self.random.randrange(4) == 0:
                        try:
                            node.call("pruneblockchain", node.call("getblockcount"))
                        except RpcError:
                            pass
            except Gone:
                pass
            killer.cancel()
            self.reopen(node)
            height = node.call("getblockcount")
            for i in range(max(0, height - 3), height + 1):
                node.call("getblockheader", node.call("getblockhash", i))
        got = node.coins()
        judge = self.node(f"judge{len(arguments)}")
        judge.start()
        if arguments:
            # Old blocks are gone: only a reopened node with full checks can judge.
            require("verifychain", node.call("verifychain", 4, 20))
            require("a clean stop", node.stop() == 0)
            node.start()
            require("the same coins after a clean stop", node.coins() == got)
        else:
            for i in range(1, got[0] + 1):
                judge.call("submitblock", node.call("getblock", node.call("getblockhash", i), 0))
            require("the same coins", judge.coins() == got)
        judge.stop()
        require("a clean stop", node.stop() == 0)
        shutil.rmtree(node.datadir)
        shutil.rmtree(judge.datadir)

    def import_scene(self, kills, name, chain, file, extra, reindex):
        """Import with kills until it is done; it starts over when it is done before all
        kills have happened. With reindex a node that has imported is told to begin
        again, once."""
        self.target = blocks_in(file)
        whole = self.node(name + "-whole", chain, *extra)
        began = time.monotonic()
        whole.start(f"-loadblock={file}")
        want = self.wait_done(whole)
        took = time.monotonic() - began
        require("a clean stop", whole.stop() == 0)
        left = kills
        while left > 0:
            node = self.node(name, chain, *extra)
            if reindex:
                shutil.rmtree(node.datadir)
                shutil.copytree(whole.datadir, node.datadir)
            later = [] if reindex else [f"-loadblock={file}"]
            lives = min(left, self.options.lives)
            node.spawn(*(["-reindex"] if reindex else later))
            for i in range(lives):
                height, is_silent = self.run_and_kill(node, took / lives * 1.5)
                began = time.monotonic()
                node.spawn(*later)
                if i % 3 != 2:
                    node.wait_ready()
                    self.opened_s.append(time.monotonic() - began)
                    if not (reindex and is_silent):
                        self.measure(node, height, began)
                left -= 1
                self.kills += 1
            node.wait_ready()
            got = self.wait_done(node)
            require(f"{name}: the same coins: {got} {want}", got == want)
            require("verifychain", node.call("verifychain", 3, 50))
            require("a clean stop", node.stop() == 0)
            shutil.rmtree(node.datadir)
        shutil.rmtree(whole.datadir)

    def run_and_kill(self, node, longest):
        """Lets it run for a random while: the height just before the kill, and whether
        it was killed before it could answer."""
        end = time.monotonic() + self.random.uniform(0.0, longest)
        height = -1
        while time.monotonic() < end:
            try:
                height = node.call("getblockcount")
            except (Gone, RpcError):
                require(f"it runs: {node.stderr()}", node.process.poll() is None)
            time.sleep(min(0.02, max(0.0, end - time.monotonic())))
        node.kill()
        return height, height < 0

    def measure(self, node, height, began):
        """How long until the height before the kill is reached again."""
        while node.call("getblockcount") < height:
            time.sleep(0.02)
            require("work is redone in time", time.monotonic() - began < 120)
        self.redone_s.append(time.monotonic() - began)

    def wait_done(self, node):
        """Until the import is over: the coins then."""
        while node.call("getblockcount") < self.target:
            time.sleep(0.05)
            require(f"it runs: {node.stderr()}", node.process.poll() is None)
        return node.coins()


def blocks_in(path):
    """Height of the longest chain in a file of block records."""
    parents = {}
    with open(path, "rb") as f:
        while True:
            head = f.read(8)
            if len(head) < 8 or head[:4] == bytes(4):
                break
            block = f.read(int.from_bytes(head[4:], "little"))
            made = hashlib.sha256(hashlib.sha256(block[:80]).digest()).digest()
            parents[made] = block[4:36]
    heights = {bytes(32): -1}
    for block in parents:
        path = []
        while block in parents and block not in heights:
            path.append(block)
            block = parents[block]
        # A parent that is not in the file is the genesis block.
        height = heights.get(block, 0)
        for made in reversed(path):
            height += 1
            heights[made] = height
    return max(heights.values())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=None,
                        help="the same again; else one that is new with --long, and always 1 without")
    parser.add_argument("--chain", action="append", default=[])
    parser.add_argument("--only", default="", help="scenes whose names contain this")
    parser.add_argument("--lives", type=int, default=8, help="kills during one import")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32) if options.long else 1
    if options.kills is None:
        options.kills = 220 if options.long else 20
    folder = tempfile.mkdtemp(prefix="assay-kill-")
    run = Run(options, folder)
    scenes = [("branches", run.scene_branches), ("generate", run.scene_generate),
              ("prune", lambda n: run.scene_generate(n, "-prune=1", "-fastprune")),
              ("branches-small-cache", lambda n: run.scene_branches(n, "-dbcache=4", "-par=1"))]
    data = os.environ.get("ASSAY_DATA",
                          os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                       "../../../shared/data"))
    mainnet = os.path.join(data, "chains", "mainnet_0_4521.dat")
    files = [("main", mainnet)] if os.path.exists(mainnet) else []
    files += [("regtest", chain) for chain in options.chain]
    for chain, file in files:
        name = os.path.basename(os.path.dirname(file)) + "-" + chain
        for reindex in (False, True):
            kind = "reindex" if reindex else "loadblock"
            scenes.append((f"{kind}-{name}", lambda n, a=(kind + name, chain, file), r=reindex:
                           run.import_scene(n, *a, (), r)))
    scenes = [scene for scene in scenes if options.only in scene[0]]
    print(f"seed {options.seed}, {len(scenes)} scenes")
    passed = 0
    try:
        teller = run.node("teller")
        teller.start()
        run.story = Story(teller)
        teller.stop()
        for i, (name, scene) in enumerate(scenes):
            kills = options.kills * (i + 1) // len(scenes) - options.kills * i // len(scenes)
            began = time.monotonic()
            scene(kills)
            print(f"{name}: {kills} kills, {time.monotonic() - began:.1f} s", flush=True)
            passed += 1
    except (Failure, Gone, RpcError) as e:
        print(f"FAILED: {e}; the folder is kept: {folder}")
        for name in os.listdir(folder):
            log = Node("", os.path.join(folder, name)).stderr().strip()
            print(f"{name}: {log}")
        print(f"{passed} passed, 1 failed")
        return 1
    shutil.rmtree(folder)
    print(f"{run.kills} kills; the node opened by itself after each, at most "
          f"{max(run.opened_s):.2f} s (median {statistics.median(run.opened_s):.2f})")
    if run.redone_s:
        print(f"back at the height before the kill after at most {max(run.redone_s):.2f} s "
              f"(median {statistics.median(run.redone_s):.2f}, {len(run.redone_s)} measured)")
        if max(run.redone_s) > 10:
            print("FAILED: more than 10 s of work was done again")
            return 1
    print(f"{passed} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
