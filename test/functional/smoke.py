#!/usr/bin/env python3
"""The programs as a user meets them: start, ask by RPC and by assay-cli, warnings,
restart, every way to stop, and what must be refused.

    smoke.py BUILD          BUILD/bin holds assayd and assay-cli
    smoke.py BUILD --long   the same with ten times the blocks
"""

import argparse
import hashlib
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

from node import Node, RpcError

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
WIF = "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA"
SUBSIDY_SAT = 50 * 100000000
SIGNAL_BIT_3 = 0x20000008
PERIOD = 144
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


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def refused(what, code, call, *arguments):
    try:
        call(*arguments)
    except RpcError as e:
        require_equal(f"{what} ({e})", e.code, code)
        return str(e)
    raise Failure(f"{what}: was not refused")


# --- Blocks of our own ---

def double_hash(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def coinbase(height, value_sat):
    """Pays to OP_TRUE; returns the transaction without witness."""
    if height <= 16:
        script = bytes([0x50 + height, 0x00])
    else:
        number = height.to_bytes((height.bit_length() + 8) // 8, "little")
        script = bytes([len(number)]) + number
    return (struct.pack("<i", 2) + b"\x01" + bytes(32) + b"\xff" * 4 + bytes([len(script)]) +
            script + b"\xff" * 4 + b"\x01" + struct.pack("<q", value_sat) + b"\x01\x51" +
            bytes(4))


def solve(prev_hex, height, seconds, value_sat):
    """A regtest block on prev with nothing but a coinbase; (hash, header, block)."""
    transaction = coinbase(height, value_sat)
    for nonce in range(1 << 32):
        header = struct.pack("<i32s32sIII", 0x20000000, bytes.fromhex(prev_hex)[::-1],
                             double_hash(transaction), seconds, 0x207fffff, nonce)
        block_hash = double_hash(header)
        if block_hash[31] < 0x80:
            return block_hash[::-1].hex(), header, header + b"\x01" + transaction
    raise Failure("no solution")


# --- Scenes: each gets an empty folder ---

class Scene:
    def __init__(self, build, folder, scale):
        self.daemon = os.path.join(build, "bin", "assayd")
        self.cli_program = os.path.join(build, "bin", "assay-cli")
        self.folder = folder
        self.scale = scale
        self.nodes = []

    def node(self, *arguments):
        node = Node(self.daemon, os.path.join(self.folder, f"n{len(self.nodes)}"),
                    arguments=arguments)
        self.nodes.append(node)
        return node

    def cli(self, node, *arguments, given=None):
        """(exit status, output, complaints) of assay-cli."""
        command = [self.cli_program, f"-datadir={node.datadir}", f"-chain={node.chain}",
                   f"-rpcport={node.port}"]
        done = subprocess.run(command + list(arguments), input=given, capture_output=True,
                              text=True, timeout=120, check=False)
        return done.returncode, done.stdout.strip(), done.stderr.strip()

    def end(self):
        for node in self.nodes:
            node.kill()


def chain_and_coins(scene):
    """Mined blocks are seen by every method, and are the same after a restart."""
    node = scene.node()
    require_equal("genesis only", node.start(), 0)
    count = 110 * scene.scale
    hashes = node.call("generatetoaddress", count, ADDRESS)
    require_equal("mined", len(hashes), count)
    require_equal("height", node.call("getblockcount"), count)
    block = node.call("getblock", hashes[-1], 2)
    require_equal("coinbase pays", block["tx"][0]["vout"][0]["scriptPubKey"]["address"], ADDRESS)
    require_equal("raw header", node.call("getblockheader", hashes[4], False),
                  node.call("getblock", hashes[4], 0)[:160])
    coin = node.call("gettxout", block["tx"][0]["txid"], 0)
    require_equal("coin", coin["bestblock"], hashes[-1])
    refused("height out of range", -8, node.call, "getblockhash", count + 1)
    refused("no such block", -5, node.call, "getblock", "00" * 32)
    refused("no such method", -32601, node.call, "nonsuch")
    refused("wrong type", -3, node.call, "getblockhash", "x")
    proof = node.call("gettxoutproof", [block["tx"][0]["txid"]], hashes[-1])
    require_equal("proof", node.call("verifytxoutproof", proof), [block["tx"][0]["txid"]])
    node.call("invalidateblock", hashes[-10])
    require_equal("ten blocks less", node.call("getblockcount"), count - 10)
    node.call("reconsiderblock", hashes[-10])
    coins = node.coins()
    require_equal("all checked", node.call("verifychain", 4, 0), True)
    require_equal("clean stop", node.stop(), 0)
    require_equal("after restart", node.start(), count)
    require_equal("coins after restart", node.coins(), coins)
    require_equal("clean stop", node.stop(), 0)
    require_equal("after reindex", node.start("-reindex", "-stopafterblockimport=0") >= 0, True)
    wait_for("reindex", lambda: node.call("getblockcount") == count)
    require_equal("coins after reindex", node.coins(), coins)


def spending(scene):
    """A transaction made, signed, mined and found again; amounts are exact."""
    node = scene.node()
    node.start()
    descriptor = node.call("getdescriptorinfo", f"wpkh({WIF})")["descriptor"]
    own = node.call("deriveaddresses", descriptor)[0]
    first = node.call("generatetoaddress", 1, own)[0]
    node.call("generatetoaddress", 100, ADDRESS)
    txid = node.call("getblock", first)["tx"][0]
    raw = node.call("createrawtransaction", [{"txid": txid, "vout": 0}],
                    [{ADDRESS: "49.99999000"}])
    script = node.call("validateaddress", own)["scriptPubKey"]
    signed = node.call("signrawtransactionwithkey", raw, [WIF],
                       [{"txid": txid, "vout": 0, "scriptPubKey": script, "amount": "50"}])
    require_equal("complete", signed["complete"], True)
    made = node.call("generateblock", ADDRESS, [signed["hex"]])["hash"]
    block = node.call("getblock", made, 2)
    require_equal("two transactions", len(block["tx"]), 2)
    spent = block["tx"][1]
    require_equal("found", node.call("getrawtransaction", spent["txid"], 0, made), signed["hex"])
    require_equal("gone", node.call("gettxout", txid, 0), None)
    status, text, _ = scene.cli(node, "getblock", made, "2")
    require_equal("cli", status, 0)
    require("the fee as a decimal", '"fee": 0.00001000' in text)
    status, text, _ = scene.cli(node, "gettxout", spent["txid"], "0")
    require("the amount as a decimal", '"value": 49.99999000' in text)
    refused("spent twice", -25, node.call, "generateblock", ADDRESS, [signed["hex"]])


def command_line(scene):
    """assay-cli: arguments in all their forms, exit statuses, views."""
    node = scene.node()
    node.spawn()
    status, text, _ = scene.cli(node, "-rpcwait", "-rpcwaittimeout=60", "getblockcount")
    require_equal("-rpcwait", (status, text), (0, "0"))
    status, text, _ = scene.cli(node, "-generate", "3")
    require("-generate needs a wallet", status != 0)
    require_equal("mines", scene.cli(node, "generatetoaddress", "3", ADDRESS)[0], 0)
    status, text, _ = scene.cli(node, "-named", "getblockhash", "height=2")
    require_equal("-named", text, node.call("getblockhash", 2))
    status, text, _ = scene.cli(node, "-stdin", "getblockhash", given="3\n")
    require_equal("-stdin", text, node.call("getblockhash", 3))
    status, text, complaint = scene.cli(node, "getblockhash", "99")
    require_equal("status is the code", status, 8)
    require("code and message", "error code: -8" in complaint and "out of range" in complaint)
    status, text, _ = scene.cli(node, "-getinfo", "-color=never")
    require("-getinfo", status == 0 and "Blocks: 3" in text and "Chain: regtest" in text)
    status, text, _ = scene.cli(node, "-netinfo")
    require("-netinfo", status == 0 and "Assay client" in text)
    status, text, _ = scene.cli(node, "-addrinfo")
    require("-addrinfo", status == 0 and '"total": 0' in text)
    status, text, _ = scene.cli(node, "help", "getblock")
    require("help with examples", status == 0 and "Examples:" in text)
    status, text, complaint = scene.cli(node, "-nonsuch", "getblockcount")
    require("unknown option", status == 1 and "Invalid parameter -nonsuch" in complaint)
    require_equal("stop", scene.cli(node, "stop")[0], 0)
    require_equal("ends with", node.process.wait(timeout=WAIT_S), 0)
    node.process = None
    status, text, complaint = scene.cli(node, "getblockcount")
    require("nobody answers", status == 1 and "Could not connect" in complaint)


def ways_to_stop(scene):
    """SIGTERM, SIGINT, -stopatheight; the pid file and the cookie go away."""
    node = scene.node()
    for number in (signal.SIGTERM, signal.SIGINT):
        node.start()
        pid_file = os.path.join(node.folder, "bitcoind.pid")
        require_equal("pid", read_text(pid_file).strip(), str(node.process.pid))
        node.process.send_signal(number)
        require_equal("ends with", node.process.wait(timeout=WAIT_S), 0)
        require("no pid file", not os.path.exists(pid_file))
        require("no cookie", not os.path.exists(os.path.join(node.folder, ".cookie")))
        require_equal("nothing to complain of", node.stderr(), "")
    node.start("-stopatheight=7")
    try:
        node.call("generatetoaddress", 10, ADDRESS)
    except Exception:  # The node may be gone before it answers.
        pass
    require_equal("ends with", node.process.wait(timeout=WAIT_S), 0)
    require("height", 7 <= node.start() <= 10)


def refusals(scene):
    """What must not start says why, with status 1, and spoils nothing."""
    node = scene.node()
    node.start()
    node.call("generatetoaddress", 5, ADDRESS)

    def fails(what, folder, text, *arguments):
        command = [scene.daemon, f"-datadir={folder}", "-regtest", "-printtoconsole=0",
                   "-listen=0", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        require_equal(f"{what}: status", done.returncode, 1)
        require(f"{what}: {done.stderr!r}", text in done.stderr)

    empty = os.path.join(scene.folder, "empty")
    os.mkdir(empty)
    fails("second process", node.datadir, "Cannot obtain a lock on directory")
    fails("unknown option", empty, "Invalid parameter -nonsuch", "-nonsuch")
    fails("no folder", os.path.join(empty, "none"), "does not exist")
    fails("bad number", empty, "Invalid port specified in -rpcport: 'x'", "-rpcport=x")
    fails("bad port", empty, "Invalid port specified in -rpcbind: '[::1]:x'", "-rpcbind=[::1]:x")
    fails("word", empty, "unexpected token 'word'", "word")
    fails("two networks", empty, "Invalid combination", "-testnet4")
    fails("file in the way", empty, "does not exist", "-blocksdir=/dev/null")
    with open(os.path.join(empty, "bitcoin.conf"), "w", encoding="ascii") as f:
        f.write("[regtest]\nnonsuch=1\n")
    config = scene.node()
    shutil.copy(os.path.join(empty, "bitcoin.conf"), config.datadir)
    config.start()
    require("unknown in the file is only logged", "nonsuch" in
            read_text(os.path.join(config.folder, "debug.log")))
    require_equal("the first one lives", node.call("getblockcount"), 5)


def warnings(scene):
    """Unknown rules and an invalid chain ahead of ours: by RPC and -alertnotify."""
    node = scene.node()
    alerts = os.path.join(scene.folder, "alerts")
    node.arguments.append(f"-alertnotify=echo %s >> {alerts}")
    node.start()
    require_equal("none", node.call("getblockchaininfo")["warnings"], [])
    node.call("generatetoaddress", PERIOD, ADDRESS)
    node.stop()
    node.start(f"-blockversion={SIGNAL_BIT_3}")
    node.call("generatetoaddress", PERIOD, ADDRESS)
    node.stop()
    node.start()
    node.call("generatetoaddress", PERIOD, ADDRESS)
    rules = "Unknown new rules activated (versionbit 3)"
    require_equal("unknown rules", node.call("getmininginfo")["warnings"], [rules])
    wait_for("alert", lambda: read_text(alerts) == rules + "\n")

    tip = node.call("getblockheader", node.call("getbestblockhash"))
    seconds = tip["time"] + 1
    parent = tip["hash"]
    blocks = []
    for i in range(1, 8):
        parent, header, block = solve(parent, tip["height"] + i, seconds + i, SUBSIDY_SAT + 1)
        blocks.append(block)
        node.call("submitheader", header.hex())
    for block in reversed(blocks):
        answer = node.call("submitblock", block.hex())
    require_equal("judged", answer, "bad-cb-amount")
    shown = node.call("getnetworkinfo")["warnings"]
    require("invalid chain", len(shown) == 2 and "Found invalid chain" in shown[1])
    wait_for("alert", lambda: "Found invalid chain" in read_text(alerts))
    node.call("generatetoaddress", 2, ADDRESS)
    require_equal("it fell behind", node.call("getnetworkinfo")["warnings"], [rules])


SCENES = [chain_and_coins, spending, command_line, ways_to_stop, refusals, warnings]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--long", action="store_true")
    arguments = parser.parse_args()
    bad = 0
    for play in SCENES:
        folder = tempfile.mkdtemp(prefix="assay-smoke-")
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
