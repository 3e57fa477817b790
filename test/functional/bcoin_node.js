/* A bcoin node on regtest, driven line by line: each line of standard input is a
 * command and its arguments as a JSON array, each line of standard output its result,
 * {"result": ...} or {"error": text}. bcoin.py starts it with the folder that bcoin is
 * installed in, a port for peers and one for its HTTP server.
 */
'use strict';

const path = require('path');
const readline = require('readline');
const Module = require('module');

const [folder, port, httpPort] = process.argv.slice(2);
const local = Module.createRequire(path.join(folder, 'index.js'));

/* The database binding is native code that is not built: all is kept in memory. */
const load = Module._load;
Module._load = function (name, ...rest) {
  return name === 'leveldown' ? class {} : load.call(this, name, ...rest);
};

const FullNode = local('bcoin/lib/node/fullnode');
const Address = local('bcoin/lib/primitives/address');
const TX = local('bcoin/lib/primitives/tx');
const common = local('bcoin/lib/blockchain/common');
const NetAddress = local('bcoin/lib/net/netaddress');

const node = new FullNode({
  network: 'regtest',
  memory: true,
  listen: true,
  host: '127.0.0.1',
  port: Number(port),
  httpPort: Number(httpPort),
  discover: false,
  maxOutbound: 8,
  noRelay: false,
  logConsole: false
});

/* Its regtest is older than the rule that these are always active there. */
const getState = node.chain.getState;
node.chain.getState = async function (previous, deployment) {
  if (deployment.name === 'segwit' || deployment.name === 'csv')
    return common.thresholdStates.ACTIVE;
  return getState.call(this, previous, deployment);
};

const hex = (hash) => Buffer.from(hash, 'hex').reverse().toString('hex');

const commands = {
  async tip() {
    return { height: node.chain.tip.height, hash: hex(node.chain.tip.hash) };
  },
  async mine(count) {
    const address = Address.fromWitnessPubkeyhash(Buffer.alloc(20, 7));
    for (let i = 0; i < count; i++) {
      const block = await node.miner.mineBlock(null, address);
      if (!await node.chain.add(block))
        throw new Error('its own block is refused');
    }
    return commands.tip();
  },
  async mempool() {
    return node.mempool.getSnapshot().map(hex);
  },
  async send(raw) {
    const tx = TX.fromRaw(Buffer.from(raw, 'hex'));
    await node.sendTX(tx);
    return tx.txid();
  },
  async connect(toPort) {
    const address = NetAddress.fromHost('127.0.0.1', toPort, null, 'regtest');
    const peer = node.pool.createOutbound(address);
    node.pool.peers.add(peer);
    return true;
  },
  async peers() {
    let n = 0;
    for (let peer = node.pool.peers.head(); peer; peer = peer.next)
      n += peer.handshake ? 1 : 0;
    return n;
  },
  async disconnect() {
    for (let peer = node.pool.peers.head(), next; peer; peer = next) {
      next = peer.next;
      peer.destroy();
    }
    return true;
  },
  async stop() {
    await node.close();
    setImmediate(() => process.exit(0));
    return true;
  }
};

async function run() {
  await node.open();
  await node.connect();
  node.startSync();
  console.log(JSON.stringify({ result: 'ready' }));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [name, ...args] = JSON.parse(line);
    try {
      console.log(JSON.stringify({ result: await commands[name](...args) }));
    } catch (e) {
      console.log(JSON.stringify({ error: e.stack }));
    }
  }
}

node.on('error', () => {});
run().catch((e) => {
  console.log(JSON.stringify({ error: e.stack }));
  process.exit(1);
});
