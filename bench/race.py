#!/usr/bin/env python3
"""Race assayd against Bitcoin Core over the same block files, or time assayd
alone, and hold every figure to its gates.

  bench/race.py --chain DIR [--core DIR] [--build DIR] [--rounds N]
                [--mode full|skip] [--dbcache MIB] [--gates] [--invalid DIR ...]

--chain    a folder with blk*.dat and summary.json of the chain generator
--core     a folder with bitcoind; without it assayd is timed alone
--mode     full: every script; skip: scripts skipped up to the heavy tip
--gates    also run with 1 thread and with vector code off; same coins each time
--invalid  folders whose block 'bad_height' is invalid: the node must stop below

Each run gets a fresh data directory with a copy of the files (so in the page
cache), starts with -reindex, and is timed from the start of the process to the
tip reported by RPC; the clean stop after it is timed beside. A run counts only if
the coins agree with summary.json, and across all runs in their hash. Prints each
run and the medians; exit 1 when a gate fails.
"""
import argparse
import base64
import http.client
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

PORT = 28443
TICKS = os.sysconf("SC_CLK_TCK")


class GateError(Exception):
    pass


class Node:
    """chain None: none is imported. peers: whom it listens and connects to."""

    def __init__(self, program, chain, extra, folder, port=PORT, peers=("-connect=0", "-listen=0")):
        self.folder = pathlib.Path(folder)
        self.port = port
        blocks = self.folder / "regtest" / "blocks"
        blocks.mkdir(parents=True)
        if chain is not None:
            extra = ["-reindex", *extra]
            for path in sorted(pathlib.Path(chain).glob("blk*.dat")):
                shutil.copy(path, blocks / path.name)
        self.errors = open(self.folder / "stderr", "w+")
        self.args = [program, "-regtest", f"-datadir={folder}", "-blocksxor=0",
                     "-checkblockindex=0", "-checkmempool=0", f"-rpcport={port}", "-server=1",
                     "-printtoconsole=0", *peers, *extra]
        self.began = time.monotonic()
        self.process = subprocess.Popen(self.args, stderr=self.errors, stdout=subprocess.DEVNULL)
        self.connection = None

    def call(self, method, *params):
        if self.connection is None:
            cookie = (self.folder / "regtest" / ".cookie").read_bytes()
            self.headers = {"Authorization": "Basic " + base64.b64encode(cookie).decode()}
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        try:
            self.connection.request("POST", "/", body, self.headers)
            reply = json.loads(self.connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            self.connection = None
            raise
        if reply.get("error"):
            raise RuntimeError(reply["error"]["message"])
        return reply["result"]

    def wait_height(self, height, limit_s):
        """Seconds from the start of the process to the height."""
        while True:
            if self.process.poll() is not None:
                self.errors.seek(0)
                raise GateError(f"the node ended: {self.errors.read().strip()}")
            try:
                if self.call("getblockcount") >= height:
                    return time.monotonic() - self.began
            except (OSError, RuntimeError, ValueError, http.client.HTTPException):
                pass
            if time.monotonic() - self.began > limit_s:
                raise GateError(f"height {height} not reached in {limit_s} s")
            time.sleep(0.02)

    def cpu_s(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_mb(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        return 0

    def stop(self):
        began = time.monotonic()
        try:
            self.call("stop")
        except (OSError, RuntimeError, http.client.HTTPException):
            self.process.send_signal(signal.SIGTERM)
        if self.process.wait(timeout=600) != 0:
            raise GateError(f"exit status {self.process.returncode}")
        return time.monotonic() - began

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def run(program, chain, extra, limit_s=3600):
    summary = json.loads((pathlib.Path(chain) / "summary.json").read_text())
    with tempfile.TemporaryDirectory(prefix="race.") as folder:
        node = Node(program, chain, extra, folder)
        try:
            wall = node.wait_height(summary["height"], limit_s)
            cpu, peak = node.cpu_s(), node.peak_mb()
            coins = node.call("gettxoutsetinfo", "hash_serialized_3")
            peak_after = node.peak_mb()
            for name, want in (("txouts", summary["utxos"]), ("bestblock", summary["tip"]),
                               ("total_amount", summary["total_satoshis"] / 1e8)):
                if coins[name] != want:
                    raise GateError(f"{name} is {coins[name]}, want {want}")
            stop = node.stop()
        finally:
            node.kill()
    return {"wall": wall, "cpu": cpu, "peak": peak, "peak_after": peak_after, "stop": stop,
            "hash": coins["hash_serialized_3"]}


def run_invalid(program, chain, extra):
    summary = json.loads((pathlib.Path(chain) / "summary.json").read_text())
    want = summary["bad_height"] - 1
    with tempfile.TemporaryDirectory(prefix="race.") as folder:
        node = Node(program, chain, extra, folder)
        try:
            node.wait_height(want, 3600)
            # Long enough for a node that goes past it to show itself.
            while node.call("getblockchaininfo").get("initialblockdownload") and \
                    node.call("getblockcount") <= want and not settled(node):
                time.sleep(0.1)
            time.sleep(1)
            got = node.call("getblockcount")
            if got != want:
                raise GateError(f"{chain}: stands at {got}, want {want}")
            node.stop()
        finally:
            node.kill()


def settled(node):
    states = node.call("getchaintips")
    return any(tip["status"] == "invalid" for tip in states)


def show(name, figures):
    print(f"{name:8s} wall {figures['wall']:8.2f} s  cpu {figures['cpu']:8.2f} s  "
          f"stop {figures['stop']:6.2f} s  peak {figures['peak']:7.1f} MB", flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--chain", required=True)
    parser.add_argument("--core")
    parser.add_argument("--build", default=str(pathlib.Path(__file__).resolve().parent.parent / "build"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mode", choices=("full", "skip"), default="full")
    parser.add_argument("--dbcache", type=int)
    parser.add_argument("--gates", action="store_true")
    parser.add_argument("--invalid", nargs="*", default=[])
    args = parser.parse_args()

    summary = json.loads((pathlib.Path(args.chain) / "summary.json").read_text())
    extra = ["-assumevalid=" + ("0" if args.mode == "full" else summary["heavy_tip"])]
    if args.dbcache:
        extra.append(f"-dbcache={args.dbcache}")
    racers = {"assayd": os.path.join(args.build, "bin", "assayd")}
    if args.core:
        racers["bitcoind"] = os.path.join(args.core, "bitcoind")
    figures = {name: [] for name in racers}
    hashes = set()
    bad = 0
    try:
        for _ in range(args.rounds):
            for name, program in racers.items():
                figures[name].append(run(program, args.chain, extra))
                show(name, figures[name][-1])
                hashes.add(figures[name][-1]["hash"])
        if args.gates:
            for label, more in (("1 thread", ["-par=1"]), ("2 threads", ["-par=2"]),
                                ("no vector code", ["-vector=0"])):
                result = run(racers["assayd"], args.chain, extra + more)
                print(f"gate {label}: ", end="")
                show("assayd", result)
                hashes.add(result["hash"])
        for chain in args.invalid:
            run_invalid(racers["assayd"], chain, ["-assumevalid=0"])
            print(f"gate {chain}: stopped below the invalid block", flush=True)
        if len(hashes) > 1:
            raise GateError(f"the coins differ between runs: {sorted(hashes)}")
    except GateError as error:
        print(f"gate failed: {error}")
        bad = 1
    for name, rows in figures.items():
        if not rows:
            continue
        print(f"{name}: median wall {statistics.median(r['wall'] for r in rows):.2f} s "
              f"(min {min(r['wall'] for r in rows):.2f}, max {max(r['wall'] for r in rows):.2f}), "
              f"cpu {statistics.median(r['cpu'] for r in rows):.2f} s, "
              f"stop {statistics.median(r['stop'] for r in rows):.2f} s, "
              f"peak {max(r['peak'] for r in rows):.0f} MB "
              f"({max(r['peak_after'] for r in rows):.0f} MB with the scan of all coins)")
    if not bad and all(figures.get(n) for n in ("assayd", "bitcoind")):
        ratios = [b["wall"] / a["wall"] for a, b in zip(figures["assayd"], figures["bitcoind"])]
        cpu = [b["cpu"] / a["cpu"] for a, b in zip(figures["assayd"], figures["bitcoind"])]
        print(f"assayd is {statistics.median(ratios):.2f} x as fast in wall time "
              f"(pairs {min(ratios):.2f} to {max(ratios):.2f}), "
              f"{statistics.median(cpu):.2f} x in CPU time")
    return bad


if __name__ == "__main__":
    sys.exit(main())
