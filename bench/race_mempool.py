#!/usr/bin/env python3
"""Race assayd against Bitcoin Core at taking transactions into the mempool.

  bench/race_mempool.py [--chain DIR --longer DIR] [--core DIR] [--build DIR]
                        [--rounds N] [--txs N] [--connections N] [--port N]

--chain        a folder of the chain generator: the chain both programs hold
--longer       a folder of the same seed with more blocks: the transactions past the
               end of --chain are sent. Without the two, this part is left out.
--txs          how many chained and clustered transactions are sent beside (50000;
               0: none): half of them in chains of 25, half in clusters of 64, all
               with scripts of no signatures, so that the mempool itself is seen
--core         a folder with bitcoind; without it assayd is timed alone

Every transaction is one sendrawtransaction over one of a few connections that are
kept open; transactions that depend on each other go over the same one, in order. The
requests are made before the clock starts. Wall time is what the load generator and
the program need together; the program's own CPU time is given per transaction. A run
counts only if both programs hold the same transactions at the end.
"""
import argparse
import base64
import hashlib
import json
import os
import pathlib
import random
import selectors
import socket
import statistics
import struct
import sys
import tempfile
import time

import race

MAGIC = bytes.fromhex("fabfb5da")
GENESIS = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b2"
    "7ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000"
    "01"
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff"
    "001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e"
    "6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104"
    "678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51e"
    "c112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000")

CHAIN_TXS = 25
CLUSTER_TXS = 64
FEE_SAT = 2000
OP_TRUE = b"\x51"
LOCK = b"\x00\x20" + hashlib.sha256(OP_TRUE).digest()


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


# --- Transactions and blocks ---------------------------------------------------------------


def compact(n):
    if n < 253:
        return bytes([n])
    if n < 1 << 16:
        return b"\xfd" + struct.pack("<H", n)
    return b"\xfe" + struct.pack("<I", n)


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self):
        first = self.take(1)[0]
        width = {253: 2, 254: 4, 255: 8}.get(first)
        return first if width is None else int.from_bytes(self.take(width), "little")


def read_tx(reader):
    """(raw, txid, ids of the transactions it spends from)"""
    began = reader.at
    version = reader.take(4)
    has_witness = reader.data[reader.at] == 0
    if has_witness:
        reader.take(2)
    body = reader.at
    inputs = reader.number()
    spent = []
    for _ in range(inputs):
        spent.append(reader.take(36)[:32])
        reader.take(reader.number())
        reader.take(4)
    for _ in range(reader.number()):
        reader.take(8)
        reader.take(reader.number())
    core = reader.data[body:reader.at]
    for _ in range(inputs if has_witness else 0):
        for _ in range(reader.number()):
            reader.take(reader.number())
    lock_time = reader.take(4)
    return reader.data[began:reader.at], sha256d(version + core + lock_time), spent


def read_blocks(folder):
    for path in sorted(pathlib.Path(folder).glob("blk*.dat")):
        data = path.read_bytes()
        at = 0
        while data[at:at + 4] == MAGIC:
            n = struct.unpack_from("<I", data, at + 4)[0]
            yield data[at + 8:at + 8 + n]
            at += 8 + n


def txs_past(folder, height):
    """All but the coinbases of the blocks past height, in order."""
    txs = []
    for i, block in enumerate(read_blocks(folder)):
        if i > height:
            reader = Reader(block, 80)
            found = [read_tx(reader) for _ in range(reader.number())]
            txs += found[1:]
    return txs


def make_tx(coins, outs):
    """coins: (txid, index). Spends what is locked by LOCK."""
    inputs = b"".join(txid + struct.pack("<I", n) + b"\x00" + b"\xfd\xff\xff\xff"
                      for txid, n in coins)
    core = compact(len(coins)) + inputs + compact(len(outs)) + b"".join(
        struct.pack("<q", sat) + compact(len(LOCK)) + LOCK for sat in outs)
    version, lock_time = struct.pack("<i", 2), bytes(4)
    raw = version + b"\x00\x01" + core + b"\x01\x01\x51" * len(coins) + lock_time
    return raw, sha256d(version + core + lock_time), [txid for txid, _ in coins]


def plain_tx(coins, script_sig, outs):
    return (struct.pack("<i", 2) + compact(len(coins)) +
            b"".join(txid + struct.pack("<I", n) + compact(len(script_sig)) + script_sig +
                     b"\xff\xff\xff\xff" for txid, n in coins) +
            compact(len(outs)) + b"".join(struct.pack("<q", sat) + compact(len(script)) + script
                     for sat, script in outs) + bytes(4))


def subsidy(height):
    return (50 * 10 ** 8) >> (height // 150)


def make_block(previous, height, moment, txs):
    width = (height.bit_length() + 8) // 8
    push = bytes([0x50 + height]) if height <= 16 else bytes([width]) + height.to_bytes(
        width, "little")
    coinbase = plain_tx([(bytes(32), 0xffffffff)], push + b"\x51",
                        [(subsidy(height), OP_TRUE)])
    level = [sha256d(tx) for tx in [coinbase, *txs]]
    while len(level) > 1:
        level += level[-1:] * (len(level) % 2)
        level = [sha256d(level[i] + level[i + 1]) for i in range(0, len(level), 2)]
    for nonce in range(1 << 32):
        header = struct.pack("<i", 0x20000000) + previous + level[0] + struct.pack(
            "<III", moment, 0x207fffff, nonce)
        if sha256d(header)[31] < 0x7f:
            break
    return header + compact(1 + len(txs)) + b"".join([coinbase, *txs]), sha256d(coinbase)


def make_chain(folder, coins_n):
    """Blocks whose last one locks coins_n coins by LOCK; returns them and the height."""
    height, coins = 250, []
    moment = int(time.time()) - (height + 1) * 60
    coinbases = []
    with open(folder / "blk00000.dat", "wb") as out:
        def put(block):
            out.write(MAGIC + struct.pack("<I", len(block)) + block)
            return sha256d(block[:80])

        previous = put(GENESIS)
        for h in range(1, height + 1):
            txs = []
            if h == height:
                ripe = height - 100
                each = sum(map(subsidy, range(1, ripe + 1))) // coins_n
                fan = plain_tx([(txid, 0) for txid in coinbases[:ripe]], b"",
                               [(each, LOCK)] * coins_n)
                coins = [(sha256d(fan), i, each) for i in range(coins_n)]
                txs = [fan]
            block, coinbase = make_block(previous, h, moment + h * 60, txs)
            coinbases.append(coinbase)
            previous = put(block)
    return coins, height


def make_family(rng, coin, n, is_chain):
    """n transactions that hang together, from one coin."""
    txid, index, sat = coin
    free = [(txid, index, sat)]
    txs = []
    for _ in range(n):
        picked = [free.pop(rng.randrange(len(free)))
                  for _ in range(1 if is_chain else min(len(free), rng.randint(1, 2)))]
        total = sum(p[2] for p in picked) - FEE_SAT - rng.randrange(3000)
        outs_n = 1 if is_chain else rng.randint(1, 4) if len(free) > 3 else 4
        outs = [total // outs_n] * outs_n
        tx = make_tx([(p[0], p[1]) for p in picked], outs)
        free += [(tx[1], i, part) for i, part in enumerate(outs)]
        txs.append(tx)
    return txs


def make_families(folder, txs_n):
    rng = random.Random(1)
    sizes = [CHAIN_TXS] * (txs_n // 2 // CHAIN_TXS) + [CLUSTER_TXS] * (txs_n // 2 // CLUSTER_TXS)
    while sum(sizes) < txs_n:
        sizes.append(min(CLUSTER_TXS, txs_n - sum(sizes)))
    coins, height = make_chain(folder, len(sizes))
    families = [make_family(rng, coin, n, n <= CHAIN_TXS) for coin, n in zip(coins, sizes)]
    # As they would come: the families' transactions mixed, each in its order.
    order = [i for i, family in enumerate(families) for _ in family]
    rng.shuffle(order)
    nexts = [iter(family) for family in families]
    return [next(nexts[i]) for i in order], height


def lanes_of(txs, n):
    """Split into n lists such that dependent transactions stay together, in order."""
    root = {}

    def find(x):
        while root[x] != x:
            root[x] = root[root[x]]
            x = root[x]
        return x

    for _, txid, spent in txs:
        root[txid] = txid
        for parent in spent:
            if parent in root:
                root[find(parent)] = txid
    lanes = [[] for _ in range(n)]
    place = {}
    for raw, txid, _ in txs:
        key = find(txid)
        if key not in place:
            place[key] = min(range(n), key=lambda i: len(lanes[i]))
        lanes[place[key]].append(raw)
    return lanes


# --- The race ------------------------------------------------------------------------------


class Lane:
    """One connection and what is still to be sent over it."""

    def __init__(self, port, requests):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.requests = iter(requests)
        self.buffer = b""
        self.refused = []

    def send_next(self):
        request = next(self.requests, None)
        if request is not None:
            self.socket.sendall(request)
        return request is not None

    def take_reply(self):
        """True when the reply is whole."""
        part = self.socket.recv(1 << 16)
        if not part:
            raise race.GateError("the connection was closed")
        self.buffer += part
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return False
        at = head.lower().index(b"content-length:") + 15
        if len(body) < int(head[at:].split(b"\r\n", 1)[0]):
            return False
        if b'"error":null' not in body:
            self.refused.append(json.loads(body)["error"]["message"])
        self.buffer = b""
        return True


def http_requests(node, txs):
    cookie = base64.b64encode((node.folder / "regtest" / ".cookie").read_bytes()).decode()
    requests = []
    for raw in txs:
        body = ('{"id":1,"method":"sendrawtransaction","params":["' + raw.hex() + '",0]}').encode()
        requests.append(f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {cookie}\r\n"
                        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                        .encode() + body)
    return requests


def drive(lanes):
    with selectors.DefaultSelector() as selector:
        busy = 0
        for lane in lanes:
            if lane.send_next():
                selector.register(lane.socket, selectors.EVENT_READ, lane)
                busy += 1
        while busy > 0:
            for key, _ in selector.select():
                if key.data.take_reply() and not key.data.send_next():
                    selector.unregister(key.data.socket)
                    busy -= 1


def run(program, chain, height, txs, args):
    with tempfile.TemporaryDirectory(prefix="race.") as folder:
        node = race.Node(program, chain, ["-maxmempool=1000"], folder, port=args.port)
        try:
            node.wait_height(height, 600)
            # Until -reindex is really over, also behind the tip.
            time.sleep(1)
            lanes = [Lane(args.port, http_requests(node, lane))
                     for lane in lanes_of(txs, args.connections)]
            before, began = node.cpu_s(), time.monotonic()
            drive(lanes)
            wall, cpu = time.monotonic() - began, node.cpu_s() - before
            node.connection = None  # Core closes what was idle for half a minute.
            held = sorted(node.call("getrawmempool"))
            peak = node.peak_mb()
            stop = node.stop()
        finally:
            node.kill()
    return {"wall": wall, "cpu": cpu, "peak": peak, "stop": stop, "held": held,
            "refused": [why for lane in lanes for why in lane.refused]}


def show(name, n, result):
    print(f"{name:8s} {n / result['wall']:8.0f} tx/s  wall {result['wall']:6.2f} s  "
          f"server cpu {result['cpu'] / n * 1e6:6.0f} us/tx  held {len(result['held'])}  "
          f"refused {len(result['refused'])}  peak {result['peak']:.0f} MB", flush=True)


def race_over(title, racers, chain, height, txs, args):
    print(f"{title}: {len(txs)} transactions, {args.connections} connections", flush=True)
    figures = {name: [] for name in racers}
    for _ in range(args.rounds):
        for name, program in racers.items():
            result = run(program, chain, height, txs, args)
            figures[name].append(result)
            show(name, len(txs), result)
            for why in sorted(set(result["refused"]))[:5]:
                print(f"         {result['refused'].count(why)} x {why}")
    for name, runs in figures.items():
        wall = statistics.median(r["wall"] for r in runs)
        cpu = statistics.median(r["cpu"] for r in runs)
        print(f"{name}: median {len(txs) / wall:.0f} tx/s, server cpu {cpu / len(txs) * 1e6:.0f} "
              "us/tx")
    if len(figures) == 2:
        pairs = list(zip(figures["assayd"], figures["bitcoind"]))
        wall = [core["wall"] / ours["wall"] for ours, core in pairs]
        cpu = [core["cpu"] / ours["cpu"] for ours, core in pairs]
        print(f"ratio: wall {statistics.median(wall):.2f} ({min(wall):.2f} to {max(wall):.2f}), "
              f"server cpu {statistics.median(cpu):.2f}")
    runs = [r for rows in figures.values() for r in rows]
    if any(r["held"] != runs[0]["held"] for r in runs) or not runs[0]["held"]:
        raise race.GateError("the mempools differ")


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--chain")
    parser.add_argument("--longer")
    parser.add_argument("--core")
    parser.add_argument("--build", default=str(here / "build"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--txs", type=int, default=50000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--port", type=int, default=race.PORT)
    args = parser.parse_args()

    racers = {"assayd": os.path.join(args.build, "bin", "assayd")}
    if args.core:
        racers["bitcoind"] = os.path.join(args.core, "bitcoind")
    try:
        if args.chain and args.longer:
            height = json.loads((pathlib.Path(args.chain) / "summary.json").read_text())["height"]
            race_over("signed", racers, args.chain, height, txs_past(args.longer, height), args)
        if args.txs > 0:
            with tempfile.TemporaryDirectory(prefix="race.") as folder:
                txs, height = make_families(pathlib.Path(folder), args.txs)
                race_over("clustered", racers, folder, height, txs, args)
    except race.GateError as error:
        print(f"gate failed: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
