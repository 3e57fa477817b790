#!/usr/bin/env python3
"""The sandbox as a user meets it: three nodes find each other, agree on the chain,
share payments, and come back after each of them is killed.

    sandbox.py BUILD          BUILD/bin holds assay-sandbox and assayd
    sandbox.py BUILD --long   every node is killed ten times
"""

import argparse
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from node import Gone, RpcError, ask

WAIT_S = 90
NODES = 3


class Failure(Exception):
    pass


def wait_for(what, condition):
    end = time.monotonic() + WAIT_S
    while True:
        try:
            if condition():
                return
        except (Gone, OSError, RpcError, ValueError):
            pass
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {WAIT_S} s")
        time.sleep(0.2)


def free_ports():
    """A port with room above it: each node takes two, ten apart. Below those that the
    system gives to whoever asks for any."""
    while True:
        port = random.randrange(20000, 32000)
        if all(is_free(port + 10 * n + k) for n in range(NODES) for k in (0, 1)):
            return port


def is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Sandbox:
    def __init__(self, build, folder, port):
        self.program = [os.path.join(build, "bin", "assay-sandbox"), f"-dir={folder}",
                        f"-port={port}", "-blockinterval=1500", "-txinterval=150"]
        self.folder = folder
        self.port = port

    def run(self, command):
        return subprocess.run(self.program + [command], text=True, capture_output=True,
                              timeout=WAIT_S + 30, check=False)

    def ask(self, number, method, *params):
        cookie = os.path.join(self.folder, f"node{number}", "regtest", ".cookie")
        return ask(self.port + 10 * (number - 1) + 1, cookie, method, *params)

    def pid(self, number):
        path = os.path.join(self.folder, f"node{number}", "regtest", "bitcoind.pid")
        with open(path, encoding="ascii") as f:
            return int(f.read())

    def tips(self):
        return {self.ask(n, "getbestblockhash") for n in range(1, NODES + 1)}

    def agree_above(self, height):
        return self.ask(1, "getblockcount") > height and len(self.tips()) == 1

    def has_traffic(self):
        return all(self.ask(n, "getmempoolinfo")["size"] > 0 for n in range(1, NODES + 1))


def scene(sandbox, rounds):
    done = sandbox.run("start")
    if done.returncode != 0:
        raise Failure(f"start: {done.stdout}{done.stderr}")
    wait_for("peers", lambda: all(sandbox.ask(n, "getconnectioncount") >= 2
                                  for n in range(1, NODES + 1)))
    wait_for("one chain", lambda: sandbox.agree_above(110))
    wait_for("payments everywhere", sandbox.has_traffic)
    for _ in range(rounds):
        for number in random.sample(range(1, NODES + 1), NODES):
            height = max(sandbox.ask(n, "getblockcount") for n in range(1, NODES + 1))
            old = sandbox.pid(number)
            os.kill(old, signal.SIGKILL)
            wait_for(f"node {number} again", lambda n=number, o=old: sandbox.pid(n) != o and
                     sandbox.ask(n, "getblockcount") >= 0)
            wait_for(f"one chain after node {number} was killed",
                     lambda h=height: sandbox.agree_above(h))
    status = sandbox.run("status")
    if status.returncode != 0 or "node3  up" not in status.stdout:
        raise Failure(f"status: {status.stdout}{status.stderr}")
    done = sandbox.run("stop")
    if done.returncode != 0:
        raise Failure(f"stop: {done.stderr}")
    if sandbox.run("status").returncode == 0:
        raise Failure("it still runs after stop")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--long", action="store_true")
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="assay-sandbox-")
    sandbox = Sandbox(args.build, folder, free_ports())
    try:
        scene(sandbox, 10 if args.long else 1)
    except Failure as failure:
        sandbox.run("stop")
        print(f"sandbox: {failure}\nits folder: {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    print("sandbox: all good")
    return 0


if __name__ == "__main__":
    sys.exit(main())
