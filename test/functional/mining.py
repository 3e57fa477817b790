#!/usr/bin/env python3
"""Miners of all kinds: one that builds its blocks from getblocktemplate by itself, the
node's own on regtest, and one on a signet with its key.

    mining.py BUILD          BUILD/bin holds assayd
    mining.py BUILD --long   the same with ten times the blocks
"""

import argparse
import hashlib
import os
import shutil
import struct
import sys
import tempfile
import threading
import time

from node import Node, RpcError
from story import FEE, WIF, address_of, btc

WAIT_S = 120
RULES = {"rules": ["segwit"]}
TRUE_SCRIPT = "51"
KEY_ONE = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
SIGNET_CHALLENGE = "21" + KEY_ONE + "ac"


class Failure(Exception):
    pass


def require_equal(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}: {got!r} instead of {wanted!r}")


def require(what, truth):
    if not truth:
        raise Failure(what)


def wait_for(what, condition):
    end = time.monotonic() + WAIT_S
    while not condition():
        require(f"{what}: not within {WAIT_S} s", time.monotonic() < end)
        time.sleep(0.05)


def refused(what, code, call, *arguments):
    try:
        call(*arguments)
    except RpcError as e:
        require_equal(what, e.code, code)
        return
    raise Failure(f"{what}: was not refused")


# --- A miner that knows nothing but the template ---


def double_sha(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def merkle_root(hashes):
    while len(hashes) > 1:
        if len(hashes) % 2:
            hashes.append(hashes[-1])
        hashes = [double_sha(hashes[i] + hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def push_height(height):
    if height <= 16:
        return bytes([0x50 + height, 0])
    number = height.to_bytes((height.bit_length() + 8) // 8, "little")
    return bytes([len(number)]) + number


def count(n):
    return bytes([n]) if n < 253 else b"\xfd" + struct.pack("<H", n)


def coinbase(template):
    """Both forms: without witness for the txid, with it for the block."""
    script = push_height(template["height"])
    commitment = bytes.fromhex(template["default_witness_commitment"])
    inputs = b"\x01" + bytes(32) + b"\xff" * 4 + count(len(script)) + script + b"\xff" * 4
    outputs = (b"\x02" + struct.pack("<q", template["coinbasevalue"]) + b"\x01" +
               bytes.fromhex(TRUE_SCRIPT) + struct.pack("<q", 0) + count(len(commitment)) +
               commitment)
    bare = struct.pack("<i", 2) + inputs + outputs + bytes(4)
    full = (struct.pack("<i", 2) + b"\x00\x01" + inputs + outputs + b"\x01\x20" + bytes(32) +
            bytes(4))
    return bare, full


def block_of(template, solve=True):
    bare, full = coinbase(template)
    txs = template["transactions"]
    leaves = [double_sha(bare)] + [bytes.fromhex(tx["txid"])[::-1] for tx in txs]
    head = (struct.pack("<i", template["version"]) +
            bytes.fromhex(template["previousblockhash"])[::-1] + merkle_root(leaves) +
            struct.pack("<I", template["curtime"]) + bytes.fromhex(template["bits"])[::-1])
    target = int(template["target"], 16)
    nonce = 0
    while solve and int.from_bytes(double_sha(head + struct.pack("<I", nonce)), "little") > target:
        nonce += 1
    body = count(len(txs) + 1) + full + b"".join(bytes.fromhex(tx["data"]) for tx in txs)
    return (head + struct.pack("<I", nonce) + body).hex()


# --- Transactions ---


class Purse:
    """Mature coinbases of the key 1, and what is made of them."""

    def __init__(self, node, coins_n):
        self.node = node
        self.address = address_of(node, "wpkh(%s)")
        made = node.call("generatetoaddress", coins_n + 100, self.address)
        self.coins = []
        for hash_ in made[:coins_n]:
            tx = node.call("getblock", hash_, 2)["tx"][0]
            self.coins.append(self.coin(tx, tx["txid"]))

    @staticmethod
    def coin(tx, txid):
        out = tx["vout"][0]
        return {"txid": txid, "vout": 0, "scriptPubKey": out["scriptPubKey"]["hex"],
                "satoshi": round(out["value"] * 100000000)}

    def send(self, coin, fee):
        """Returns the txid and the new coin."""
        node = self.node
        left = coin["satoshi"] - fee
        raw = node.call("createrawtransaction", [{"txid": coin["txid"], "vout": coin["vout"]}],
                        [{self.address: btc(left)}])
        prevout = [{"txid": coin["txid"], "vout": coin["vout"],
                    "scriptPubKey": coin["scriptPubKey"], "amount": btc(coin["satoshi"])}]
        signed = node.call("signrawtransactionwithkey", raw, [WIF], prevout)
        txid = node.call("sendrawtransaction", signed["hex"], 0)
        tx = node.call("decoderawtransaction", signed["hex"])
        return txid, self.coin(tx, txid)


# --- Scenes ---


def templates_make_blocks(scene):
    node = scene.start()
    purse = Purse(node, 12 * scene.scale)
    expected = []
    for i in range(0, len(purse.coins), 2):
        parent, coin = purse.send(purse.coins[i], FEE)
        child, _ = purse.send(coin, 40 * FEE + i)
        alone, _ = purse.send(purse.coins[i + 1], 5 * FEE + i)
        expected.append((parent, child, alone))

    template = node.call("getblocktemplate", RULES)
    ids = [tx["txid"] for tx in template["transactions"]]
    require_equal("all are in it", len(ids), 3 * len(expected))
    for parent, child, alone in expected:
        require("a child comes right behind its parent", ids.index(child) == ids.index(parent) + 1)
        require("helped ones come before cheap ones", ids.index(child) < ids.index(alone))
        entry = template["transactions"][ids.index(child)]
        require_equal("its parent by place", entry["depends"], [ids.index(parent) + 1])
    fees = sum(tx["fee"] for tx in template["transactions"])
    subsidy = 50 * 100000000 >> node.call("getblockcount") // 150
    require_equal("value", template["coinbasevalue"], subsidy + fees)
    require_equal("mempool", len(node.call("getrawmempool")), len(ids))

    block = block_of(template, solve=False)
    proposal = {"mode": "proposal", "data": block, **RULES}
    require_equal("a proposal", node.call("getblocktemplate", proposal), None)
    proposal["data"] = block[:72] + "00" * 32 + block[136:]
    require_equal("with another root", node.call("getblocktemplate", proposal), "bad-txnmrklroot")
    solved = block_of(template)
    require_equal("submitted", node.call("submitblock", solved), None)
    require_equal("height", node.call("getblockcount"), template["height"])
    require_equal("mined", node.call("getrawmempool"), [])
    proposal["data"] = solved
    require_equal("once more", node.call("getblocktemplate", proposal), "duplicate")
    template["curtime"] += 1
    proposal["data"] = block_of(template, solve=False)
    require_equal("an old one", node.call("getblocktemplate", proposal),
                  "inconclusive-not-best-prevblk")
    refused("no rules", -8, node.call, "getblocktemplate", {})


def news_and_priorities(scene):
    node = scene.start()
    purse = Purse(node, 3)
    txid, _ = purse.send(purse.coins[0], FEE)
    require_equal("it is in", len(node.call("getblocktemplate", RULES)["transactions"]), 1)
    node.call("prioritisetransaction", txid, 0, -FEE)
    template = node.call("getblocktemplate", RULES)
    require_equal("it is not worth it", template["transactions"], [])
    require_equal("remembered", node.call("getprioritisedtransactions"),
                  {txid: {"fee_delta": -FEE, "in_mempool": True, "modified_fee": 0}})
    node.call("prioritisetransaction", txid, 0, FEE)
    require_equal("forgotten", node.call("getprioritisedtransactions"), {})

    answers = []
    poll = {"longpollid": template["longpollid"], **RULES}
    waiting = threading.Thread(target=lambda: answers.append(node.call("getblocktemplate", poll)))
    waiting.start()
    waiting.join(1)
    require("it waits", waiting.is_alive())
    made = node.call("generatetoaddress", 1, purse.address)[0]
    waiting.join(WAIT_S)
    require_equal("the new tip", answers[0]["previousblockhash"], made)
    block = node.call("getblock", made, 2)
    require_equal("mined with it", [tx["txid"] for tx in block["tx"][1:]], [txid])
    require_equal("and its fee", round(block["tx"][0]["vout"][0]["value"] * 100000000),
                  50 * 100000000 + FEE)
    info = node.call("getmininginfo")
    require_equal("last template", info["currentblocktx"], 0)
    require_equal("mempool", info["pooledtx"], 0)


def own_processor(scene):
    address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
    node = scene.start(f"-mine={address}", "-mineinterval=0", "-minethreads=2")
    wait_for("blocks", lambda: node.call("getblockcount") >= 20 * scene.scale)
    info = node.call("getmininginfo")
    require("it says so", info["minedblocks"] > 0 and info["hashespersec"] >= 0)
    block = node.call("getblock", node.call("getblockhash", 1), 2)
    require_equal("to the address", block["tx"][0]["vout"][0]["scriptPubKey"]["address"], address)
    require_equal("a clean stop", node.stop(), 0)
    node.spawn("-mine=nonsense")
    require("a bad address is refused", node.process.wait(timeout=WAIT_S) != 0)
    node.process = None


def signet_with_its_key(scene):
    address = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
    private = [f"-signetchallenge={SIGNET_CHALLENGE}", f"-mine={address}"]
    node = scene.start(*private, f"-minekey={WIF}", chain="signet")
    wait_for("blocks", lambda: node.call("getblockcount") >= 2 * scene.scale)
    rate = node.call("getmininginfo")["hashespersec"]
    require("it counts", rate > 0)
    refused("rules", -8, node.call, "getblocktemplate", RULES)
    template = node.call("getblocktemplate", {"rules": ["segwit", "signet"]})
    require_equal("challenge", template["signet_challenge"], SIGNET_CHALLENGE)
    require("marked", "!signet" in template["rules"])
    require_equal("a clean stop", node.stop(), 0)
    # Without the key nothing is found, and that is told.
    height = node.start(*private)
    log = os.path.join(node.folder, "debug.log")
    wait_for("told", lambda: "no key is known" in open(log, encoding="utf-8").read())
    require_equal("height", node.call("getblockcount"), height)


class Scene:
    def __init__(self, build, folder, scale):
        self.program = os.path.join(build, "bin", "assayd")
        self.folder = folder
        self.scale = scale
        self.node = None

    def start(self, *arguments, chain="regtest"):
        self.node = Node(self.program, self.folder, chain)
        self.node.start(*arguments)
        return self.node

    def end(self):
        if self.node is not None:
            self.node.kill()


SCENES = [templates_make_blocks, news_and_priorities, own_processor, signet_with_its_key]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--long", action="store_true")
    arguments = parser.parse_args()
    bad = 0
    for play in SCENES:
        folder = tempfile.mkdtemp(prefix="assay-mining-")
        scene = Scene(arguments.build, folder, 10 if arguments.long else 1)
        started = time.monotonic()
        try:
            play(scene)
            print(f"ok {play.__name__} {time.monotonic() - started:.1f} s")
        except Exception as e:
            bad += 1
            print(f"FAILED {play.__name__}: {type(e).__name__}: {e}")
        finally:
            scene.end()
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if bad else 0


sys.exit(main())
