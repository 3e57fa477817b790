#!/usr/bin/env python3
"""Keys for one's own nodes (-peerkey): two daemons know each other in both directions, who
holds another key or none is dropped, and who knows nothing of keys notices nothing.

    pinned.py BUILD
    pinned.py BUILD --long     knowing each other ten times over
"""

import argparse
import os
import shutil
import sys
import tempfile
import time

from hostile import ADDRESS, Peer
from node import Gone, Node, RpcError, free_port
from story import Failure, require

WAIT_S = 60
STRANGER = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"


def wait_for(what, condition):
    end = time.monotonic() + WAIT_S
    while not condition():
        require(f"{what}: not within {WAIT_S} s", time.monotonic() < end)
        time.sleep(0.05)


class Run:
    def __init__(self, options, folder):
        self.program = os.path.join(options.build, "bin", "assayd")
        self.folder = folder
        self.nodes = []
        self.a, self.b = self.node("a"), self.node("b")

    def node(self, name):
        port = free_port()
        node = Node(self.program, os.path.join(self.folder, name), "regtest",
                    ("-listen=1", f"-bind=127.0.0.1:{port}", "-dnsseed=0", "-fixedseeds=0",
                     "-peertimeout=3", "-debug=net"))
        node.place = f"127.0.0.1:{port}"
        node.p2p_port = port
        self.nodes.append(node)
        return node

    def restart(self, node, *arguments):
        node.stop()
        node.start(*arguments)

    def proven(self, node):
        """Of every peer whose handshake is done: the key it has proven, or None."""
        return [peer.get("peerkey") for peer in node.call("getpeerinfo") if peer["version"] != 0]

    def log(self, node):
        with open(os.path.join(node.folder, "debug.log"), encoding="utf-8") as f:
            return f.read()

    def keys_are_made(self):
        for node in (self.a, self.b):
            node.start()
            path = os.path.join(node.folder, "peer_key")
            require("no key before it is asked for", not os.path.exists(path))
            node.key = node.call("getpeerkey")["peerkey"]
            require("nobody else may read it", os.stat(path).st_mode & 0o077 == 0)
            require("the same again", node.call("getpeerkey")["peerkey"] == node.key)
            self.restart(node)
            require("the same after a restart", node.call("getpeerkey")["peerkey"] == node.key)
        require("keys differ", self.a.key != self.b.key)

    def nodes_know_each_other(self):
        self.restart(self.b, f"-peerkey={self.a.key}")
        self.restart(self.a, f"-peerkey={self.b.key}@{self.b.place}")
        wait_for("a knows b", lambda: self.proven(self.a) == [self.b.key])
        wait_for("b knows a", lambda: self.proven(self.b) == [self.a.key])
        tip = self.a.call("generatetoaddress", 3, ADDRESS)[-1]
        wait_for("b has the blocks", lambda: self.b.call("getbestblockhash") == tip)
        # By hand and in v1 words: the address still stands for the key.
        self.a.call("disconnectnode", self.b.place)
        wait_for("gone", lambda: not self.proven(self.a))
        self.a.call("addnode", self.b.place, "onetry", False)
        wait_for("a knows b again", lambda: self.proven(self.a) == [self.b.key])

    def strangers_notice_nothing(self):
        """Without keys in v1 and in v2: a peer like any other."""
        peer = Peer(self.b.p2p_port)
        require("v1 is served", peer.is_served())
        peer.close()
        c = self.node("c")
        c.start(f"-addnode={self.b.place}")
        wait_for("c is connected", lambda: self.proven(c) == [None])
        wait_for("b has not taken c for one of its own",
                 lambda: sorted(map(str, self.proven(self.b))) == sorted([self.a.key, "None"]))
        require("in v2", c.call("getpeerinfo")[0]["transport_protocol_type"] == "v2")
        c.stop()

    def must_drop(self, what, called):
        """a, started already, calls one that does not hold the key: no handshake is ever done."""
        said = f"{called} has not proven the key"
        wait_for(f"{what}: dropped", lambda: said in self.log(self.a))
        require(f"{what}: no peer of a", not self.proven(self.a))

    def wrong_keys_are_dropped(self):
        self.restart(self.a, f"-peerkey={STRANGER}@{self.b.place}")
        self.must_drop("b holds another key", self.b.place)
        require("b saw no handshake", self.a.key not in self.proven(self.b))
        # b is right, but does not know a.
        c = self.node("c2")
        c.start()
        c.key = c.call("getpeerkey")["peerkey"]
        self.restart(self.a, f"-peerkey={c.key}@{c.place}")
        self.must_drop("c does not know us", c.place)
        # Nor does v1 help: there is no way back to it.
        self.restart(c, "-v2transport=0")
        self.restart(self.a, f"-peerkey={c.key}@{c.place}")
        wait_for("c was called", lambda: self.log(self.a).count(f"{c.place} has not proven") >= 2)
        require("no second try in v1", not self.proven(self.a) and not self.proven(c))
        c.stop()

    def nonsense_is_refused(self):
        self.a.stop()
        for what, arguments, text in (
                ("no key", ("-peerkey=02aa",), "Invalid -peerkey"),
                ("no point", ("-peerkey=02" + 32 * "ff",), "Invalid -peerkey"),
                ("its own", (f"-peerkey={self.a.key}",), "own key"),
                ("no port", (f"-peerkey={self.b.key}@host:x",), "Invalid address in -peerkey"),
                ("no v2", (f"-peerkey={self.b.key}", "-v2transport=0"), "-peerkey needs"),
                ("too many", (f"-peerkey={self.b.key}",) * 65, "At most 64")):
            self.a.spawn(*arguments)
            require(f"{what}: refused", self.a.process.wait(timeout=WAIT_S) == 1)
            require(f"{what}: {self.a.stderr()}", text in self.a.stderr())
        path = os.path.join(self.a.folder, "peer_key")
        with open(path, "w", encoding="ascii") as f:
            f.write("spoilt\n")
        self.a.start()
        try:
            self.a.call("getpeerkey")
            raise Failure("a spoilt file was taken")
        except RpcError as e:
            require("says so", "peer_key" in str(e))
        with open(path, encoding="ascii") as f:
            require("it is left alone", f.read() == "spoilt\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="assay-pinned-")
    run = Run(options, folder)
    try:
        scenes = [run.keys_are_made]
        scenes += [run.nodes_know_each_other] * (10 if options.long else 1)
        scenes += [run.strangers_notice_nothing, run.wrong_keys_are_dropped,
                   run.nonsense_is_refused]
        for scene in scenes:
            begun = time.monotonic()
            scene()
            print(f"ok {scene.__name__} {time.monotonic() - begun:.1f} s")
    except (Failure, Gone, RpcError, OSError) as e:
        print(f"FAILED: {e}\nthe folder is kept: {folder}")
        return 1
    finally:
        for node in run.nodes:
            node.kill()
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
