#!/usr/bin/env python3
"""Race assayd against Bitcoin Core at fetching a chain from a peer on this machine.

  bench/race_p2p.py --chain DIR [--core DIR] [--build DIR] [--rounds N]
                    [--mode full|skip] [--source assayd|bitcoind] [--v1]

The source holds the chain (imported from DIR's blk*.dat, not timed) and serves it to
each racer in turn: a fresh data directory, connected to nothing but the source, timed
from the start of the process to the tip reported by RPC. Both programs fetch from the
same source. See race.py for the other options and for what is checked.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile

import race

SOURCE_RPC_PORT = 28543
SOURCE_PORT = 28544


def fetch(program, summary, extra):
    with tempfile.TemporaryDirectory(prefix="race.") as folder:
        node = race.Node(program, None, extra, folder,
                         peers=("-listen=0", f"-connect=127.0.0.1:{SOURCE_PORT}"))
        try:
            wall = node.wait_height(summary["height"], 3600)
            cpu, peak = node.cpu_s(), node.peak_mb()
            coins = node.call("gettxoutsetinfo", "hash_serialized_3")
            for name, want in (("txouts", summary["utxos"]), ("bestblock", summary["tip"])):
                if coins[name] != want:
                    raise race.GateError(f"{name} is {coins[name]}, want {want}")
            stop = node.stop()
        finally:
            node.kill()
    return {"wall": wall, "cpu": cpu, "peak": peak, "stop": stop,
            "hash": coins["hash_serialized_3"]}


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--chain", required=True)
    parser.add_argument("--core")
    parser.add_argument("--build", default=str(here / "build"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mode", choices=("full", "skip"), default="full")
    parser.add_argument("--source", choices=("assayd", "bitcoind"), default="assayd")
    parser.add_argument("--v1", action="store_true", help="without encryption")
    args = parser.parse_args()

    summary = json.loads((pathlib.Path(args.chain) / "summary.json").read_text())
    racers = {"assayd": os.path.join(args.build, "bin", "assayd")}
    if args.core:
        racers["bitcoind"] = os.path.join(args.core, "bitcoind")
    transport = ["-v2transport=0"] if args.v1 else []
    extra = ["-assumevalid=" + ("0" if args.mode == "full" else summary["heavy_tip"]), *transport]
    figures = {name: [] for name in racers}
    hashes = set()
    with tempfile.TemporaryDirectory(prefix="race.") as folder:
        source = race.Node(racers[args.source], args.chain,
                           ["-assumevalid=" + summary["heavy_tip"], *transport], folder,
                           port=SOURCE_RPC_PORT,
                           peers=("-connect=0", "-listen=1", f"-bind=127.0.0.1:{SOURCE_PORT}"))
        try:
            source.wait_height(summary["height"], 3600)
            for _ in range(args.rounds):
                for name, program in racers.items():
                    before = source.cpu_s()
                    result = fetch(program, summary, extra)
                    figures[name].append(result)
                    hashes.add(result["hash"])
                    race.show(name, result)
                    print(f"         source cpu {source.cpu_s() - before:6.2f} s", flush=True)
        except race.GateError as error:
            print(f"race: {error}")
            return 1
        finally:
            source.kill()
    for name, runs in figures.items():
        print(f"{name}: median wall {statistics.median(r['wall'] for r in runs):.2f} s, "
              f"cpu {statistics.median(r['cpu'] for r in runs):.2f} s")
    if len(figures) == 2:
        ratios = [c["wall"] / a["wall"] for a, c in zip(figures["assayd"], figures["bitcoind"])]
        print(f"ratio: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    if len(hashes) != 1:
        print("race: coins differ")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
