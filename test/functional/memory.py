#!/usr/bin/env python3
"""What a node with 125 peers and a full mempool keeps in memory: never more than its cache
of coins, its mempool and 300 MB.

    memory.py BUILD            24 peers and a mempool of 20 MB
    memory.py BUILD --long     125 peers and 300 MB
    memory.py BUILD --peers N --mempool MB --dbcache MB
"""

import argparse
import hashlib
import os
import shutil
import struct
import sys
import tempfile
import time

from hostile import Peer, frame, sha256d, size, vector
from node import Gone, Node, RpcError, free_port
from story import Failure, require

ALLOWANCE_MB = 300
MB = 1000 * 1000
WITNESS = b"\x01\x01\x51"  # One item: the script OP_TRUE.
SCRIPT = b"\x00\x20" + hashlib.sha256(b"\x51").digest()
FAN = 2000
SUBSIDY_SAT = 50 * 100 * MB
FAN_FEE_SAT = 100000
OUTPUT_SAT = (SUBSIDY_SAT - FAN_FEE_SAT) // FAN
MATURITY = 100
HALVING = 150
CHAIN = 3  # Transactions that hang on each coin, one on the other.
FEE_MIN_SAT = 1000
BATCH = 64
LOOK_EVERY = 200  # Transactions for each MB of mempool.
SILENT = 5  # Peers that take nothing of what is sent to them.
ASKING = 10  # Peers that fetch all that is announced.
TX_INV = 1
WITNESS_INV = 0x40000000


def transaction(txid, index, amounts):
    """Its bytes and its id; txid in the order of the wire."""
    body = (b"\x01" + txid + struct.pack("<I", index) + b"\x00" + b"\xfd\xff\xff\xff" +
            size(len(amounts)) + b"".join(struct.pack("<q", a) + size(len(SCRIPT)) + SCRIPT
                                          for a in amounts))
    head, tail = struct.pack("<i", 2), bytes(4)
    return head + b"\0\1" + body + WITNESS + tail, sha256d(head + body + tail)


def resident_mb(pid):
    """Now, and at most so far."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        lines = dict(line.split(":", 1) for line in f)
    return tuple(int(lines[key].split()[0]) * 1024 / MB for key in ("VmRSS", "VmHWM"))


class Run:
    def __init__(self, options, folder):
        self.options = options
        self.port = free_port()
        self.node = Node(os.path.join(options.build, "bin", "assayd"), os.path.join(folder, "node"),
                         "regtest",
                         ("-listen=1", f"-bind=127.0.0.1:{self.port}", "-dnsseed=0",
                          "-fixedseeds=0", f"-dbcache={options.dbcache}",
                          f"-maxmempool={options.mempool}", "-inboundrelaypercent=100",
                          "-persistmempool=0", "-checkmempool=0", "-checkblockindex=0"))
        self.bound_mb = options.dbcache + options.mempool + ALLOWANCE_MB
        self.peers = []
        self.coins = []
        self.sent = 0

    def begin(self):
        """Blocks whose outputs anyone may spend, each spread out into many."""
        self.node.start()
        address = self.node.call("decodescript", SCRIPT.hex())["address"]
        # Some 730 bytes are kept for a transaction of these.
        fans = max(2, self.options.mempool * MB // (500 * FAN * CHAIN))
        require("subsidies are whole", fans < HALVING)
        blocks = self.node.call("generatetoaddress", MATURITY + fans, address)[:fans]
        for block in blocks:
            coinbase = bytes.fromhex(self.node.call("getblock", block, 1)["tx"][0])[::-1]
            raw, txid = transaction(coinbase, 0, [OUTPUT_SAT] * FAN)
            self.node.call("sendrawtransaction", raw.hex())
            self.coins += [(txid, i) for i in range(FAN)]
        while self.node.call("getmempoolinfo")["size"] > 0:
            self.node.call("generatetoaddress", 1, address)

    def connect(self):
        for _ in range(self.options.peers):
            self.peers.append(Peer(self.port))
        require("all are connected", self.node.call("getconnectioncount") == self.options.peers)

    def look(self, begun):
        now_mb, most_mb = resident_mb(self.node.process.pid)
        pool = self.node.call("getmempoolinfo")
        print(f"   {time.monotonic() - begun:6.1f} s: {self.sent} sent, {pool['size']} kept in "
              f"{pool['usage'] / MB:.0f} MB; resident {now_mb:.0f} MB, at most {most_mb:.0f} MB",
              flush=True)
        require(f"{most_mb:.0f} MB resident, no more than {self.bound_mb} MB",
                most_mb < self.bound_mb)
        return pool

    def listen(self):
        """Most read and forget, some ask for what they hear of, some never read."""
        for i, peer in enumerate(self.peers[SILENT:]):
            if i >= ASKING:
                peer.read()
                peer.inbox = b""
                continue
            while (told := self.heard(peer, b"inv")) is not None:
                n, at = (told[0], 1) if told[0] < 253 else (struct.unpack("<H", told[1:3])[0], 3)
                ids = [told[at + 36 * k + 4:at + 36 * k + 36] for k in range(n)]
                peer.say(b"getdata", vector([struct.pack("<I", TX_INV | WITNESS_INV) + one
                                             for one in ids]))

    @staticmethod
    def heard(peer, name):
        """What is there already; None: nothing of that name."""
        peer.read()
        while len(peer.inbox) >= 24:
            n = struct.unpack("<I", peer.inbox[16:20])[0]
            if len(peer.inbox) < 24 + n:
                return None
            got, payload = peer.inbox[4:16].rstrip(b"\0"), peer.inbox[24:24 + n]
            peer.inbox = peer.inbox[24 + n:]
            if got == name:
                return payload
        return None

    def batch(self):
        """Some chains of transactions; later ones pay more, so that earlier ones must go."""
        out = []
        for _ in range(BATCH):
            txid, index = self.coins.pop()
            left = OUTPUT_SAT
            for _ in range(CHAIN):
                left -= FEE_MIN_SAT + self.sent // 50
                raw, txid = transaction(txid, index, [left])
                index = 0
                out.append(frame(b"tx", raw))
                self.sent += 1
        return b"".join(out)

    def fill(self):
        """Until the mempool is full, and a tenth of it has been pushed out again."""
        begun = time.monotonic()
        look_at = 0
        full_at = None
        turn = 0
        while full_at is None or self.sent < full_at * 1.1:
            require("there are coins left", len(self.coins) >= BATCH)
            speaker = self.peers[SILENT + turn % (len(self.peers) - SILENT)]
            require("nobody is hung up on", speaker.send(self.batch()))
            turn += 1
            if turn % 8 == 0:
                self.listen()
            if turn % (len(self.peers) - SILENT) == 0:
                for peer in self.peers[SILENT:]:
                    require("a peer is served", peer.is_served())
            if self.sent < look_at:
                continue
            look_at = self.sent + self.options.mempool * LOOK_EVERY
            pool = self.look(begun)
            if full_at is None and pool["mempoolminfee"] > pool["minrelaytxfee"]:
                full_at = self.sent
        for peer in self.peers[SILENT:]:
            require("served in the end", peer.is_served())
        pool = self.look(begun)
        require("full", pool["usage"] > 0.9 * self.options.mempool * MB)
        require("no more than may be", pool["usage"] <= self.options.mempool * MB)

    def mine(self):
        """Blocks take from it, while all peers are there."""
        address = self.node.call("decodescript", SCRIPT.hex())["address"]
        begun = time.monotonic()
        for _ in range(5):
            self.node.call("generatetoaddress", 1, address)
            self.listen()
            self.look(begun)
        require("all are still there",
                self.node.call("getconnectioncount") >= self.options.peers - SILENT)
        for peer in self.peers:
            peer.close()
        require("a clean stop", self.node.stop() == 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--peers", type=int)
    parser.add_argument("--mempool", type=int, help="MB")
    parser.add_argument("--dbcache", type=int, default=64, help="MB")
    options = parser.parse_args()
    options.peers = options.peers or (125 if options.long else 24)
    options.mempool = options.mempool or (300 if options.long else 20)
    folder = tempfile.mkdtemp(prefix="assay-memory-")
    run = Run(options, folder)
    try:
        for scene in (run.begin, run.connect, run.fill, run.mine):
            begun = time.monotonic()
            scene()
            print(f"ok {scene.__name__} {time.monotonic() - begun:.1f} s", flush=True)
    except (Failure, Gone, RpcError, OSError) as e:
        print(f"FAILED: {e}\nthe folder is kept: {folder}")
        return 1
    finally:
        run.node.kill()
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
