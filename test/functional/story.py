"""A small chain with branches, and the coins at each of its blocks."""

import time

# The key 1 and its addresses, known to everybody.
WIF = "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA"
FEE = 1000
MATURITY = 100
TRUNK = 110
BRANCHES = (6, 8, 10)


class Failure(Exception):
    pass


def require(what, truth):
    if not truth:
        raise Failure(what)


def btc(satoshi):
    return f"{satoshi // 100000000}.{satoshi % 100000000:08d}"


def address_of(node, form):
    descriptor = node.call("getdescriptorinfo", form % WIF)
    checksum = descriptor["checksum"]
    return node.call("deriveaddresses", (form % WIF) + "#" + checksum)[0]


class Story:
    """A regtest chain with branches, made once by an uninterrupted node, and the
    coins at each of its blocks."""

    def __init__(self, node):
        self.node = node
        self.blocks = {}    # hash -> serialized
        self.coins_at = {}  # hash -> coins
        self.forms = [address_of(node, form) for form in ("pkh(%s)", "wpkh(%s)")]
        self.unspent = []   # (height, txid, n, script, satoshi)
        self.coins_at[node.call("getbestblockhash")] = node.coins()
        self.time = int(time.time()) - 86400
        node.call("setmocktime", self.time)
        self.trunk = [self.mine() for _ in range(TRUNK)]
        self.branches = []
        for length in BRANCHES:
            kept = list(self.unspent)
            # Another time of day: a block must not be one of the last branch's.
            self.time += 3600
            node.call("setmocktime", self.time)
            branch = [self.mine() for _ in range(length)]
            self.branches.append(branch)
            self.unspent = kept
            node.call("invalidateblock", branch[0])

    def mine(self):
        node = self.node
        height = node.call("getblockcount") + 1
        spends = [c for c in self.unspent if height - c[0] >= MATURITY][:3]
        txs = [self.spend(coin, height) for coin in spends]
        address = self.forms[height % len(self.forms)]
        made = node.call("generateblock", address, txs)["hash"]
        block = node.call("getblock", made, 2)
        coinbase = block["tx"][0]
        paid = coinbase["vout"][0]
        self.unspent = [c for c in self.unspent if c not in spends]
        self.unspent.append((height, coinbase["txid"], 0, paid["scriptPubKey"]["hex"],
                             round(paid["value"] * 100000000)))
        self.blocks[made] = node.call("getblock", made, 0)
        self.coins_at[made] = node.coins()
        return made

    def spend(self, coin, height):
        _, txid, n, script, satoshi = coin
        half = (satoshi - FEE) // 2
        outs = [{self.forms[0]: btc(half)}, {self.forms[1]: btc(half)}]
        raw = self.node.call("createrawtransaction", [{"txid": txid, "vout": n}], outs)
        prevout = [{"txid": txid, "vout": n, "scriptPubKey": script, "amount": btc(satoshi)}]
        signed = self.node.call("signrawtransactionwithkey", raw, [WIF], prevout)
        require("signed", signed["complete"])
        return signed["hex"]
