#!/usr/bin/env python3
"""Assay and a node that others wrote: bcoin, from npm.

Both on regtest, connected by either side: blocks synced both ways, new blocks and
transactions relayed both ways, and each follows the other through a reorganization.

bcoin is installed once, into the build folder, without running scripts of packages (its
native parts are not needed). Skipped (exit 77) where there is no npm or its registry
cannot be reached.

    bcoin.py BUILD [--long]
"""

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from node import Node, free_port

VERSION = "1.0.2"
HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77
WAIT_S = 60
# The secret key 1 and where its coins lie.
KEY = "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA"
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
FEE = 0.0001


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def install(build):
    """The folder that bcoin is installed in."""
    folder = os.path.join(build, f"bcoin-{VERSION}")
    if os.path.exists(os.path.join(folder, "installed")):
        return folder
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            skip(f"no {program} on this machine (tools/deps.sh check installs it)")
    os.makedirs(folder, exist_ok=True)
    try:
        done = subprocess.run(
            ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save",
             "--prefix", folder, f"bcoin@{VERSION}"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False)
    except subprocess.TimeoutExpired:
        skip("npm's registry does not answer")
    if done.returncode != 0:
        skip(f"npm could not install bcoin: {done.stderr.strip().splitlines()[-1:]}")
    open(os.path.join(folder, "installed"), "w", encoding="ascii").close()
    return folder


class Bcoin:
    """The process behind bcoin_node.js."""

    def __init__(self, folder):
        self.port = free_port()
        environment = dict(os.environ, NODE_BACKEND="js")
        self.process = subprocess.Popen(
            ["node", os.path.join(HERE, "bcoin_node.js"), folder, str(self.port),
             str(free_port())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=environment)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.answer()

    def read(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                self.lines.put(line)
        self.lines.put(None)

    def answer(self):
        line = self.lines.get(timeout=WAIT_S)
        if line is None:
            raise AssertionError("bcoin has ended")
        reply = json.loads(line)
        if "error" in reply:
            raise AssertionError(f"bcoin: {reply['error']}")
        return reply["result"]

    def call(self, name, *arguments):
        self.process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def stop(self):
        self.process.kill()
        self.process.wait()


def wait_for(what, holds):
    end = time.monotonic() + WAIT_S
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"in vain: {what}")
        time.sleep(0.1)
    print(f"ok: {what}")


class Story:
    def __init__(self, build, folder, work):
        self.port = free_port()
        self.assay = Node(os.path.join(build, "bin", "assayd"), os.path.join(work, "assay"))
        self.assay.start("-listen=1", f"-bind=127.0.0.1:{self.port}", "-dnsseed=0",
                         "-fixedseeds=0", "-persistmempool=0")
        self.bcoin = Bcoin(folder)
        self.coins = []

    def stop(self):
        self.bcoin.stop()
        self.assay.kill()

    def assay_mines(self, n):
        for block_hash in self.assay.call("generatetoaddress", n, ADDRESS):
            coinbase = self.assay.call("getblock", block_hash, 1)["tx"][0]
            self.coins.append(coinbase)

    def same_tip(self, what):
        wait_for(what, lambda: self.assay.call("getbestblockhash")
                 == self.bcoin.call("tip")["hash"])

    def spend(self, txid, amount):
        """A signed transaction of one coin of ours to ourselves."""
        raw = self.assay.call("createrawtransaction", [{"txid": txid, "vout": 0}],
                              [{ADDRESS: round(amount - FEE, 8)}])
        signed = self.assay.call("signrawtransactionwithkey", raw, [KEY])
        assert signed["complete"], signed
        return signed["hex"], self.assay.call("decoderawtransaction", signed["hex"])["txid"]

    def connect_from_bcoin(self):
        self.bcoin.call("connect", self.port)
        self.connected()

    def connect_from_assay(self):
        self.assay.call("addnode", f"127.0.0.1:{self.bcoin.port}", "onetry", False)
        self.connected()

    def connected(self):
        wait_for("connected", lambda: self.bcoin.call("peers") == 1
                 and len(self.assay.call("getpeerinfo")) == 1)

    def disconnect(self):
        self.bcoin.call("disconnect")
        wait_for("disconnected", lambda: self.bcoin.call("peers") == 0
                 and not self.assay.call("getpeerinfo"))

    def blocks(self):
        self.assay_mines(110)
        self.connect_from_bcoin()
        self.same_tip("bcoin syncs from Assay")
        # While it was behind it left our getheaders unanswered, and we wait for two minutes
        # before we ask a peer again.
        self.disconnect()
        self.connect_from_bcoin()
        self.bcoin.call("mine", 10)
        self.same_tip("blocks of bcoin are relayed")
        self.assay_mines(1)
        self.same_tip("blocks of Assay are relayed")
        self.disconnect()
        self.bcoin.call("mine", 30)
        self.connect_from_assay()
        self.same_tip("Assay syncs from bcoin")

    def transactions(self):
        raw, txid = self.spend(self.coins.pop(0), 50)
        self.assay.call("sendrawtransaction", raw)
        wait_for("a transaction of Assay is relayed", lambda: txid in self.bcoin.call("mempool"))
        raw, child = self.spend_unconfirmed(raw, txid, 50 - FEE)
        self.bcoin.call("send", raw)
        wait_for("a transaction of bcoin is relayed",
                 lambda: child in self.assay.call("getrawmempool"))
        self.bcoin.call("mine", 1)
        self.same_tip("a block with them")
        assert not self.assay.call("getrawmempool")
        assert self.assay.call("getblock", self.assay.call("getbestblockhash"), 1)["tx"][1:] \
            == [txid, child]

    def spend_unconfirmed(self, parent_raw, parent, amount):
        script = self.assay.call("decoderawtransaction", parent_raw)["vout"][0]["scriptPubKey"]
        raw = self.assay.call("createrawtransaction", [{"txid": parent, "vout": 0}],
                              [{ADDRESS: round(amount - FEE, 8)}])
        signed = self.assay.call("signrawtransactionwithkey", raw, [KEY],
                                 [{"txid": parent, "vout": 0, "scriptPubKey": script["hex"],
                                   "amount": round(amount, 8)}])
        assert signed["complete"], signed
        return signed["hex"], self.assay.call("decoderawtransaction", signed["hex"])["txid"]

    def reorganizations(self):
        self.disconnect()
        raw, txid = self.spend(self.coins.pop(0), 50)
        self.assay.call("sendrawtransaction", raw)
        self.assay_mines(3)
        self.bcoin.call("mine", 5)
        self.connect_from_bcoin()
        self.same_tip("Assay leaves three blocks for five of bcoin")
        assert txid in self.assay.call("getrawmempool"), "what was confirmed waits again"
        self.disconnect()
        self.bcoin.call("mine", 2)
        self.assay_mines(5)
        self.connect_from_assay()
        self.assay_mines(1)  # It asks those who called it only when they announce something.
        self.same_tip("bcoin leaves two blocks for six of Assay")


def main():
    build = os.path.abspath(sys.argv[1])
    rounds = 5 if "--long" in sys.argv else 1
    folder = install(build)
    with tempfile.TemporaryDirectory() as work:
        story = Story(build, folder, work)
        try:
            story.blocks()
            for _ in range(rounds):
                story.transactions()
                story.reorganizations()
        finally:
            story.stop()
    print("passed")


if __name__ == "__main__":
    main()
