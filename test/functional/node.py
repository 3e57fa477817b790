"""A node under test: start it, ask it, kill it. Standard library only."""

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import time

START_TIMEOUT_S = 120


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(error.get("message"))
        self.code = error.get("code")


class Gone(Exception):
    """The process ended or does not answer: it was killed, or died."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(port, cookie_path, method, *params):
    """One call of a node on this machine."""
    try:
        with open(cookie_path, encoding="ascii") as f:
            cookie = f.read()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            body = json.dumps({"method": method, "params": params, "id": 1})
            head = {"Authorization": "Basic " + base64.b64encode(cookie.encode()).decode()}
            connection.request("POST", "/", body, head)
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as e:
        raise Gone(str(e)) from e
    if answer.get("error"):
        raise RpcError(answer["error"])
    return answer["result"]


class Node:
    """One data directory and at most one process on it."""

    def __init__(self, program, datadir, chain="regtest", arguments=()):
        self.program = program
        self.datadir = datadir
        self.chain = chain
        self.arguments = list(arguments)
        self.process = None
        self.stderr_path = os.path.join(datadir, "stderr")
        self.port = free_port()
        os.makedirs(datadir, exist_ok=True)

    @property
    def folder(self):
        return self.datadir if self.chain == "main" else os.path.join(self.datadir, self.chain)

    def spawn(self, *extra, before=None):
        """Starts the process and does not wait for anything."""
        cookie = os.path.join(self.folder, ".cookie")
        if os.path.exists(cookie):
            os.remove(cookie)
        command = [self.program, f"-datadir={self.datadir}", f"-chain={self.chain}",
                   f"-rpcport={self.port}", "-listen=0", "-printtoconsole=0",
                   "-rpcdoccheck=1"]
        with open(self.stderr_path, "ab") as err:
            self.process = subprocess.Popen(command + self.arguments + list(extra),
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=err, preexec_fn=before)

    def wait_ready(self):
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Gone(f"the node ended with {self.process.returncode}: {self.stderr()}")
            try:
                return self.call("getblockcount")
            except (Gone, RpcError):
                time.sleep(0.02)
        raise Gone("the node does not answer")

    def start(self, *extra):
        self.spawn(*extra)
        return self.wait_ready()

    def call(self, method, *params):
        return ask(self.port, os.path.join(self.folder, ".cookie"), method, *params)

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self):
        """A clean stop; returns the exit status."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=300)
        self.process = None
        return status

    def stderr(self):
        try:
            with open(self.stderr_path, encoding="utf-8", errors="replace") as f:
                return f.read()[-2000:]
        except OSError:
            return ""

    def coins(self):
        """What must not differ: height, tip, both hashes, and the count of coins."""
        a = self.call("gettxoutsetinfo", "hash_serialized_3")
        b = self.call("gettxoutsetinfo", "muhash")
        if a["bestblock"] != b["bestblock"]:
            return self.coins()
        return (a["height"], a["bestblock"], a["hash_serialized_3"], b["muhash"], a["txouts"],
                a["total_amount"])
