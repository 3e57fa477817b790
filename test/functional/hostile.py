#!/usr/bin/env python3
"""Peers that mean harm: thousands of messages of every type, malformed, cut off, absurd,
at the wrong time, too many, and connections that say nothing or half of something. The
node lives, serves an honest peer meanwhile, takes no more memory than its bounds allow,
hangs up on who misbehaves, and follows the chain afterwards.

    hostile.py BUILD [--long] [--seed N]
"""

import argparse
import hashlib
import os
import random
import select
import shutil
import socket
import struct
import sys
import tempfile
import time

from node import Gone, Node, free_port
from story import Failure, require

MAGIC = bytes.fromhex("fabfb5da")
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
MESSAGES = 10000
RSS_GROWTH_MAX_KB = 200 * 1024
BYTES_MAX = 4000000
VERSION = 70017
WAIT_S = 60


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def frame(name, payload, checksum=None, length=None, magic=MAGIC):
    return (magic + name.ljust(12, b"\0")[:12] +
            struct.pack("<I", len(payload) if length is None else length) +
            (sha256d(payload)[:4] if checksum is None else checksum) + payload)


def size(n):
    """CompactSize."""
    if n < 253:
        return bytes([n])
    if n < 1 << 16:
        return b"\xfd" + struct.pack("<H", n)
    if n < 1 << 32:
        return b"\xfe" + struct.pack("<I", n)
    return b"\xff" + struct.pack("<Q", n)


def vector(items):
    return size(len(items)) + b"".join(items)


def version_payload(version=VERSION, services=0x409, relay=1, agent=b"/hostile:1/"):
    return (struct.pack("<iQq", version, services, int(time.time())) + bytes(26) + bytes(26) +
            struct.pack("<Q", random.getrandbits(64)) + size(len(agent)) + agent +
            struct.pack("<iB", 0, relay))


class Peer:
    """One connection to the node. What the node says is kept, up to a bound."""

    def __init__(self, port, shake=True):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.inbox = b""
        self.is_gone = False
        if shake:
            self.say(b"version", version_payload())
            self.say(b"verack", b"")
            require("the node shakes hands", self.hear(b"verack") is not None)

    def close(self):
        self.socket.close()
        self.is_gone = True

    def read(self, wait_s=0.0):
        """Takes in what is there."""
        while not self.is_gone:
            ready, _, _ = select.select([self.socket], [], [], wait_s)
            if not ready:
                return
            wait_s = 0
            try:
                data = self.socket.recv(1 << 20)
            except OSError:
                data = b""
            if not data:
                self.is_gone = True
            self.inbox = (self.inbox + data)[-BYTES_MAX:]

    def send(self, data):
        """False: the node has hung up."""
        end = time.monotonic() + WAIT_S
        while data and not self.is_gone:
            require("the node takes bytes", time.monotonic() < end)
            self.read()
            _, ready, _ = select.select([], [self.socket], [], 0.05)
            if not ready:
                continue
            try:
                data = data[self.socket.send(data[:1 << 18]):]
            except OSError:
                self.is_gone = True
        return not self.is_gone

    def say(self, name, payload):
        return self.send(frame(name, payload))

    def hear(self, name, wait_s=WAIT_S):
        """The payload of the next message of that name; None: it hung up."""
        end = time.monotonic() + wait_s
        while True:
            while len(self.inbox) >= 24:
                n = struct.unpack("<I", self.inbox[16:20])[0]
                if len(self.inbox) < 24 + n:
                    break
                got, payload = self.inbox[4:16].rstrip(b"\0"), self.inbox[24:24 + n]
                self.inbox = self.inbox[24 + n:]
                if got == name:
                    return payload
            if self.is_gone:
                return None
            require(f"waiting for {name}", time.monotonic() < end)
            self.read(0.1)

    def is_served(self):
        """Everything said so far has been dealt with, and the node still talks."""
        nonce = os.urandom(8)
        if not self.say(b"ping", nonce):
            return False
        while True:
            got = self.hear(b"pong")
            if got is None or got == nonce:
                return got is not None


# --- What there is to say --------------------------------------------------------------

def good_payloads(rng, genesis):
    """A payload of every type that makes some sense."""
    h = rng.randbytes(32)
    header = struct.pack("<i", 4) + genesis + h + struct.pack("<III", 1296688700, 0x207fffff, 0)
    tx = (struct.pack("<i", 2) + size(1) + rng.randbytes(32) + bytes(4) + size(0) + b"\xff" * 4 +
          size(1) + struct.pack("<q", 1000) + size(1) + b"\x51" + bytes(4))
    locator = struct.pack("<I", VERSION) + vector([genesis]) + bytes(32)
    inv = vector([struct.pack("<I", rng.choice((1, 2, 3, 4, 5, 0x40000001, 9))) + rng.randbytes(32)
                  for _ in range(3)])
    addr = struct.pack("<IQ", int(time.time()), 9) + bytes(10) + b"\xff\xff" + rng.randbytes(4)
    cfilters = b"\0" + struct.pack("<I", 0) + genesis
    return {
        b"version": version_payload(), b"verack": b"", b"addr": vector([addr + b"\x20\x8d"]),
        b"addrv2": vector([struct.pack("<I", int(time.time())) + b"\x09\x01\x04" +
                           rng.randbytes(4) + b"\x20\x8d"]),
        b"sendaddrv2": b"", b"inv": inv, b"getdata": inv, b"notfound": inv,
        b"merkleblock": header + struct.pack("<I", 1) + vector([h]) + vector([b"\1"]),
        b"getblocks": locator, b"getheaders": locator, b"tx": tx,
        b"headers": vector([header + b"\0"]), b"block": header + vector([tx]), b"getaddr": b"",
        b"mempool": b"", b"ping": rng.randbytes(8), b"pong": rng.randbytes(8),
        b"filterload": vector([b"\xff"] * 9) + struct.pack("<IIB", 3, 4, 1),
        b"filteradd": vector([b"x"] * 20), b"filterclear": b"", b"sendheaders": b"",
        b"feefilter": struct.pack("<q", 1000), b"sendcmpct": b"\1" + struct.pack("<Q", 2),
        b"cmpctblock": header + rng.randbytes(8) + vector([rng.randbytes(6)]) + size(1) + size(0) +
                       tx,
        b"getblocktxn": genesis + vector([size(0)]), b"blocktxn": genesis + vector([tx]),
        b"getcfilters": cfilters, b"cfilter": b"\0" + genesis + size(0),
        b"getcfheaders": cfilters, b"cfheaders": b"\0" + genesis + bytes(32) + vector([h]),
        b"getcfcheckpt": b"\0" + genesis, b"cfcheckpt": b"\0" + genesis + vector([h]),
        b"wtxidrelay": b"", b"sendtxrcncl": struct.pack("<IQ", 1, 5),
        b"feature": size(4) + b"test" + size(0), b"alert": rng.randbytes(9), b"": b"x",
        b"nobody\xffknows": rng.randbytes(30),
    }


def spoil(rng, payload):
    """The same, but not right."""
    how = rng.randrange(8)
    if how == 0:
        return payload[:rng.randrange(len(payload) + 1)]
    if how == 1:
        return payload + rng.randbytes(rng.randrange(1, 200))
    if how == 2 and payload:
        at = rng.randrange(len(payload))
        return payload[:at] + rng.randbytes(1) + payload[at + 1:]
    if how == 3:
        return rng.choice((size(1 << 63), size((1 << 64) - 1), size(1 << 31), size(1 << 25), size(60000))) + payload
    if how == 4:
        return rng.randbytes(rng.randrange(300))
    if how == 5:
        return payload * rng.randrange(2, 40)
    if how == 6:
        return size(rng.randrange(1, 70000)) + rng.randbytes(rng.randrange(2000))
    return bytes(rng.randrange(2000))


def memory_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    raise Gone("no process")


class Run:
    def __init__(self, options, folder):
        self.rng = random.Random(options.seed)
        self.messages = MESSAGES * (10 if options.long else 1)
        self.p2p_port = free_port()
        self.node = Node(os.path.join(options.build, "bin", "assayd"), os.path.join(folder, "node"),
                         "regtest", ("-listen=1", f"-bind=127.0.0.1:{self.p2p_port}",
                                     "-dnsseed=0", "-fixedseeds=0"))

    def peer(self, shake=True):
        return Peer(self.p2p_port, shake)

    def start(self):
        self.node.start()
        self.node.call("generatetoaddress", 20, ADDRESS)
        self.genesis = bytes.fromhex(self.node.call("getblockhash", 0))[::-1]

    def alive(self):
        require(f"the node lives: {self.node.stderr()}", self.node.process.poll() is None)

    def must_end(self, what, data, shake=True):
        peer = self.peer(shake)
        peer.send(data)
        end = time.monotonic() + WAIT_S
        while not peer.is_gone:
            require(f"hangs up: {what}", time.monotonic() < end)
            peer.read(0.2)
        peer.close()
        self.alive()

    def must_stay(self, what, data):
        peer = self.peer()
        peer.send(data)
        require(f"stays: {what}", peer.is_served())
        peer.close()

    # --- What is known to be an offence ---

    def offences(self):
        inv = struct.pack("<I", 1) + bytes(32)
        header = struct.pack("<i", 4) + self.genesis + bytes(32) + struct.pack(
            "<III", 1296688700, 0x207fffff, 0) + b"\0"
        addr = bytes(30)
        tell = {
            "another network": frame(b"ping", bytes(8), magic=b"\xf9\xbe\xb4\xd9"),
            "no protocol": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "more than a message may have": frame(b"ping", b"", length=BYTES_MAX + 1),
            "2^32 bytes": frame(b"block", b"", length=(1 << 32) - 1),
            "1,001 addresses": frame(b"addr", vector([addr] * 1001)),
            "50,001 inv": frame(b"inv", vector([inv] * 50001)),
            "50,001 getdata": frame(b"getdata", vector([inv] * 50001)),
            "2,001 headers": frame(b"headers", vector([header] * 2001)),
            "102 in a locator": frame(b"getheaders", struct.pack("<I", VERSION) +
                                      vector([bytes(32)] * 102) + bytes(32)),
            "headers that do not follow": frame(b"headers", vector([header, header])),
            "a filter nobody offered": frame(b"filterload", vector([b"a"]) + bytes(9)),
            "compact filters nobody offered": frame(b"getcfilters", b"\0" + bytes(4) + self.genesis),
            "sendcmpct with 2": frame(b"sendcmpct", b"\2" + struct.pack("<Q", 2)),
            "wtxidrelay too late": frame(b"wtxidrelay", b""),
            "a feature too late": frame(b"feature", size(4) + b"late" + size(0)),
        }
        for what, data in tell.items():
            self.must_end(what, data)
        self.must_end("an old version", frame(b"version", version_payload(31799)), shake=False)

    def pardons(self):
        tell = {
            "a wrong checksum": frame(b"ping", bytes(8), checksum=bytes(4)),
            "an unknown name": frame(b"whatever", os.urandom(1000)),
            "a name with odd bytes": frame(b"\0\1\2\xff", b""),
            "the most a message may have": frame(b"whatever", bytes(BYTES_MAX)),
            "a second version": frame(b"version", version_payload()),
            "an empty inv": frame(b"inv", size(0)),
            "a pong out of nowhere": frame(b"pong", bytes(8)),
        }
        for what, data in tell.items():
            self.must_stay(what, data)

    # --- Thousands ---

    def storm(self):
        """Every type, good and spoilt, before, within and after the handshake."""
        honest = self.peer()
        first_kb = memory_kb(self.node.process.pid)
        most_kb = first_kb
        peer = None
        said = ended = 0
        while said < self.messages:
            if peer is None or peer.is_gone:
                ended += peer is not None
                peer = self.peer(shake=self.rng.random() < 0.9)
            good = good_payloads(self.rng, self.genesis)
            name = self.rng.choice(list(good))
            payload = good[name] if self.rng.random() < 0.25 else spoil(self.rng, good[name])
            if self.rng.random() < 0.02:
                peer.send(frame(name, payload, length=self.rng.getrandbits(22)))
                peer.close()
            else:
                peer.say(name, payload)
            said += 1
            if said % 200 == 0:
                self.alive()
                require("the honest peer is served", honest.is_served())
                most_kb = max(most_kb, memory_kb(self.node.process.pid))
        honest.close()
        require(f"some were hung up on: {ended}", ended > 20)
        require(f"memory: {first_kb} kB, then {most_kb} kB", most_kb - first_kb < RSS_GROWTH_MAX_KB)
        print(f"   {said} messages, hung up {ended} times, {(most_kb - first_kb) // 1024} MB more")

    def crowd(self):
        """Connections that say nothing, half a message, or what looks like v2; and one who
        asks much and takes nothing."""
        first_kb = memory_kb(self.node.process.pid)
        peers = []
        for i in range(80):
            peer = self.peer(shake=False)
            peer.send((b"", frame(b"version", bytes(100))[:50], self.rng.randbytes(64),
                       self.rng.randbytes(64 + 5000), frame(b"block", b"", length=BYTES_MAX) +
                       bytes(100000))[i % 5])
            peers.append(peer)
        asker = self.peer()
        want = vector([struct.pack("<I", 0x40000002) + self.genesis] * 50000)
        for _ in range(20):
            if not select.select([], [asker.socket], [], 0.2)[1]:
                break
            try:
                asker.socket.send(frame(b"getdata", want))
            except OSError:
                break
        honest = self.peer()
        require("the honest peer is served", honest.is_served())
        grown_kb = memory_kb(self.node.process.pid) - first_kb
        require(f"memory: {grown_kb} kB more", grown_kb < RSS_GROWTH_MAX_KB)
        for peer in peers + [asker, honest]:
            peer.close()
        self.alive()

    def afterwards(self):
        """The chain goes on, and a peer is told of it."""
        peer = self.peer()
        require("served", peer.is_served())
        before = self.node.call("getblockcount")
        tip = self.node.call("generatetoaddress", 1, ADDRESS)[0]
        require("one more", self.node.call("getblockcount") == before + 1)
        told = peer.hear(b"inv")
        require("told of it", told is not None and bytes.fromhex(tip)[::-1] in told)
        peer.close()
        require("a clean stop", self.node.stop() == 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="assay-hostile-")
    run = Run(options, folder)
    try:
        for scene in (run.start, run.offences, run.pardons, run.storm, run.crowd, run.afterwards):
            begun = time.monotonic()
            scene()
            print(f"ok {scene.__name__} {time.monotonic() - begun:.1f} s")
    except (Failure, Gone, OSError) as e:
        print(f"FAILED: {e}\nseed {options.seed}; the folder is kept: {folder}")
        return 1
    finally:
        run.node.kill()
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
