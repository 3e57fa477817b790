#!/usr/bin/env python3
"""A node that begins with a snapshot: what it shows and serves while the blocks below are
verified behind its tip, and that `kill -9` at any instant costs nothing.

    snapshot.py BUILD          BUILD/bin holds assayd
    snapshot.py BUILD --long   ten times the kills
"""

import argparse
import hashlib
import os
import random
import shutil
import struct
import sys
import tempfile
import threading
import time

from node import Gone, Node, RpcError

BASE = 200  # A snapshot of this chain at this height is in regtest's parameters.
BASE_HASH = "385901ccbd69dff6bbd00065d01fb8a9e464dede7cfe0372443884f9b1dcf6b9"
TIP = 240
OWN = 50  # What the node has verified by itself before.
SUBSIDY_SAT = 50 * 100000000
HALVING = 150
GENESIS = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
GENESIS_TIME = 1296688602
EASY_BITS = 0x207fffff
VERSION = 4
# Pays to the hash of a witness script of one opcode: true.
SCRIPT = bytes([0x00, 0x20]) + hashlib.sha256(b"\x51").digest()
WAIT_S = 60


class Failure(Exception):
    pass


def require(what, truth):
    if not truth:
        raise Failure(what)


def require_equal(what, got, wanted):
    require(f"{what}: {got!r} instead of {wanted!r}", got == wanted)


def wait_for(what, condition):
    end = time.monotonic() + WAIT_S
    while not condition():
        require(f"{what}: not within {WAIT_S} s", time.monotonic() < end)
        time.sleep(0.02)


def double_hash(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def push_number(n):
    if n <= 16:
        return bytes([0x50 + n])
    data = n.to_bytes(n.bit_length() // 8 + 1, "little")
    return bytes([len(data)]) + data


def coinbase(height):
    script = push_number(height) + b"\x00"
    value = SUBSIDY_SAT >> (height // HALVING)
    return (struct.pack("<iB32sIB", 2, 1, bytes(32), 0xffffffff, len(script)) + script +
            struct.pack("<IBqB", 0xfffffffe, 1, value, len(SCRIPT)) + SCRIPT +
            struct.pack("<I", height - 1))


def make_chain():
    """Blocks 1 to TIP, a second apart, each the first that its nonces allow."""
    blocks = []
    prev = bytes.fromhex(GENESIS)[::-1]
    for height in range(1, TIP + 1):
        tx = coinbase(height)
        head = struct.pack("<i32s32sII", VERSION, prev, double_hash(tx),
                           GENESIS_TIME + height, EASY_BITS)
        nonce = 0
        while True:
            header = head + struct.pack("<I", nonce)
            prev = double_hash(header)
            if prev[31] < 0x80:
                break
            nonce += 1
        blocks.append((header + b"\x01" + tx).hex())
    return blocks


def refused(what, code, text, call, *arguments):
    try:
        call(*arguments)
    except RpcError as e:
        require_equal(what, e.code, code)
        require(f"{what}: {e}", text in str(e))
        return
    raise Failure(f"{what}: not refused")


class Story:
    def __init__(self, program, folder):
        self.blocks = make_chain()
        self.path = os.path.join(folder, "utxo.dat")
        self.maker = Node(program, os.path.join(folder, "maker"))
        self.node = Node(program, os.path.join(folder, "node"))
        self.kills = 0

    def make(self):
        self.maker.start()
        for block in self.blocks:
            require_equal("maker", self.maker.call("submitblock", block), None)
        require_equal("the chain of the parameters", self.maker.call("getblockhash", BASE),
                      BASE_HASH)
        made = self.maker.call("dumptxoutset", self.path, "rollback", {"rollback": BASE})
        require_equal("outputs", made["coins_written"], BASE)
        self.want = self.maker.call("gettxoutsetinfo")

    def begin(self):
        """Blocks up to OWN, and the headers of all."""
        for block in self.blocks[:OWN]:
            self.node.call("submitblock", block)
        for block in self.blocks:
            self.node.call("submitheader", block[:160])

    def check_refusals(self):
        call = self.node.call
        refused("no file", -8, "Couldn't open file", call, "loadtxoutset", "nothing.dat")
        require_equal("one state", len(call("getchainstates")["chainstates"]), 1)
        require("no background", "backgroundvalidation" not in call("getblockchaininfo"))

    def check_loaded(self):
        call = self.node.call
        behind, tip = call("getchainstates")["chainstates"]
        require_equal("behind", (behind["blocks"], behind["validated"]), (OWN, True))
        require("from genesis", "snapshot_blockhash" not in behind)
        require_equal("tip", (tip["blocks"], tip["validated"]), (BASE, False))
        require_equal("snapshot", tip["snapshot_blockhash"], BASE_HASH)
        background = call("getblockchaininfo")["backgroundvalidation"]
        require_equal("base", background["snapshotheight"], BASE)
        require_equal("at", background["blocks"], OWN)
        require("share", abs(background["verificationprogress"] - (OWN + 1) / (BASE + 1)) < 1e-6)
        require_equal("outputs", call("gettxoutsetinfo")["txouts"], BASE)
        require_equal("all transactions", call("getchaintxstats", 1, BASE_HASH)["txcount"],
                      BASE + 1)
        refused("not here yet", -1, "Block not available (not fully downloaded)", call,
                "getblock", BASE_HASH)
        names = call("getnetworkinfo")["localservicesnames"]
        require("no old blocks for others", "NETWORK" not in names)
        require("new ones", "NETWORK_LIMITED" in names)
        refused("once", -32603, "more than once", call, "loadtxoutset", self.path)

    def load(self):
        done = self.node.call("loadtxoutset", self.path)
        require_equal("loaded", (done["coins_loaded"], done["base_height"], done["tip_hash"]),
                      (BASE, BASE, BASE_HASH))

    def load_and_kill(self):
        """Killed while it loads, before or after."""
        thread = threading.Thread(target=self.try_load)
        thread.start()
        time.sleep(random.random() * 0.06)
        self.kill()
        thread.join()
        self.node.start()
        states = self.node.call("getchainstates")["chainstates"]
        require("a state of before or after", len(states) in (1, 2))
        if len(states) == 1:
            self.begin()  # Headers of the last second may be gone.
        return len(states) == 2

    def try_load(self):
        try:
            self.node.call("loadtxoutset", self.path)
        except (Gone, RpcError):
            pass

    def kill(self):
        self.node.kill()
        self.kills += 1

    def submit_and_kill(self, order):
        thread = threading.Thread(target=self.submit_all, args=(order,))
        thread.start()
        time.sleep(random.random() * 0.3)
        self.kill()
        thread.join()
        self.node.start()
        tip = self.node.call("getblockchaininfo")["blocks"]
        require(f"not below the base: {tip}", tip >= BASE)

    def submit_all(self, order):
        try:
            for at in order:
                self.node.call("submitblock", self.blocks[at])
        except Gone:
            pass

    def finish(self):
        self.submit_all(range(OWN, TIP))
        wait_for("verified",
                 lambda: len(self.node.call("getchainstates")["chainstates"]) == 1)
        state, = self.node.call("getchainstates")["chainstates"]
        require("validated", state["validated"])
        wait_for("the tip", lambda: self.node.call("getblockcount") == TIP)
        require("all blocks for others",
                "NETWORK" in self.node.call("getnetworkinfo")["localservicesnames"])

    def check_moved(self):
        folder = os.path.join(self.node.folder, "chainstate_snapshot")
        require("no folder any more", not os.path.exists(folder))
        state, = self.node.call("getchainstates")["chainstates"]
        require("no snapshot any more", "snapshot_blockhash" not in state)
        self.submit_all(range(BASE, TIP))  # The last seconds before a kill may be gone.
        got = self.node.call("gettxoutsetinfo")
        for key in ("height", "bestblock", "txouts", "hash_serialized_3"):
            require_equal(key, got[key], self.want[key])
        require("whole", self.node.call("verifychain", 4, 0))


def tell(story, kills):
    story.make()
    story.node.start()
    story.begin()
    story.check_refusals()
    while story.kills < kills and not story.load_and_kill():
        pass
    if len(story.node.call("getchainstates")["chainstates"]) == 1:
        story.load()
    story.check_loaded()
    for _ in range(kills):
        order = random.sample(range(OWN, TIP), TIP - OWN)
        story.submit_and_kill(order[:random.randrange(TIP - OWN)])
    story.finish()
    # The store moves in the beginning of the next life: kill it there.
    for _ in range(kills):
        story.kill()
        story.node.spawn()
        time.sleep(random.random() * 0.1)
    story.kill()
    story.node.start()
    story.check_moved()
    require_equal("a clean stop", story.node.stop(), 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    folder = tempfile.mkdtemp(prefix="assay-snapshot-")
    story = Story(os.path.join(arguments.build, "bin", "assayd"), folder)
    try:
        tell(story, 40 if arguments.long else 4)
    except (Failure, Gone, RpcError) as e:
        print(f"FAILED (seed {arguments.seed}): {e}\n{story.node.stderr()}")
        print(f"the data directory is left in {folder}")
        return 1
    finally:
        story.node.kill()
        story.maker.kill()
    shutil.rmtree(folder)
    print(f"snapshot: {story.kills} kills, nothing lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
