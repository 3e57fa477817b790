#include "app/option_table.h"

#define R(name, value, group, flags, text)      \
    {                                           \
        name, value, GROUP_##group, flags, text \
    }
#define N OPTION_NETWORK
#define D OPTION_DEBUG
#define L OPTION_LATER
#define S OPTION_SECRET
#define HIDDEN(name)                  \
    {                                 \
        name, "", GROUP_HIDDEN, 0, "" \
    }
#define HIDDEN_LATER(name)                       \
    {                                            \
        name, "", GROUP_HIDDEN, OPTION_LATER, "" \
    }

/* Which network; both programs. */
#define CHAIN_ROWS                                                                             \
    R("chain", "=<chain>", CHAIN, 0,                                                           \
      "The network to work on: main, test, testnet4, signet or regtest (default: main)"),      \
        R("regtest", "", CHAIN, D, "A private network for tests; the same as -chain=regtest"), \
        R("signet", "", CHAIN, 0, "The signet network; the same as -chain=signet"),            \
        R("signetchallenge", "=<hex>", CHAIN, OPTION_NO_NEGATION,                              \
          "The script that blocks of a signet of your own must satisfy"),                      \
        R("signetseednode", "=<host[:port]>", CHAIN, OPTION_NO_NEGATION | L,                   \
          "A seed node of a signet of your own; may be given several times"),                  \
        R("testactivationheight", "=<name@height>", CHAIN, D,                                  \
          "Regtest: the height at which segwit, bip34, dersig, cltv or csv comes into force"), \
        R("testnet", "", CHAIN, 0, "The testnet3 network; the same as -chain=test"),           \
        R("testnet4", "", CHAIN, 0, "The testnet4 network; the same as -chain=testnet4"),      \
        R("vbparams", "=<deployment:start:end[:min_activation_height]>", CHAIN, D,             \
          "Regtest: times of a deployment by version bits")

const struct option_row assayd_options[] = {
    R("alertnotify", "=<cmd>", GENERAL, 0,
      "Run this command when the node has a warning; %s in it becomes the text"),
    R("allowignoredconf", "", GENERAL, 0,
      "Only warn when the data directory has a bitcoin.conf that is not the one in use"),
    R("assumevalid", "=<hex>", GENERAL, 0,
      "Take the scripts of this block and of its ancestors to be valid, if it is on the best "
      "chain and deep enough; 0 verifies every script"),
    R("blockfilterindex", "=<type>", GENERAL, L,
      "Keep an index of compact block filters (default: 0; basic)"),
    R("blocknotify", "=<cmd>", GENERAL, 0,
      "Run this command when the tip changes; %s in it becomes the block's hash"),
    R("blockreconstructionextratxn", "=<n>", GENERAL, 0,
      "Transactions kept to rebuild compact blocks (default: 100)"),
    R("blocksdir", "=<dir>", GENERAL, 0,
      "Where the folder blocks with its *.dat files lives (default: the data directory)"),
    R("blocksonly", "", GENERAL, 0, "Take no transactions from peers (default: 0)"),
    R("blocksxor", "", GENERAL, 0,
      "Mask new block files with a random key, so that other programs do not take their "
      "content for something else (default: 1)"),
    R("coinstatsindex", "", GENERAL, L, "Keep statistics of the coins by height (default: 0)"),
    R("conf", "=<file>", GENERAL, 0,
      "The configuration file; relative paths start at the data directory; on the command line "
      "only (default: bitcoin.conf)"),
    R("daemon", "", GENERAL, 0, "Go to the background at once (default: 0)"),
    R("daemonwait", "", GENERAL, 0,
      "Go to the background when the start has succeeded; implies -daemon (default: 0)"),
    R("datadir", "=<dir>", GENERAL, OPTION_NO_NEGATION, "The data directory (default: ~/.assay)"),
    R("dbbatchsize", "=<n>", GENERAL, D | L, "Bytes written to the database at once"),
    R("dbcache", "=<n>", GENERAL, 0,
      "Memory for the coins, in MiB, 4 at least (default: 1024, less on a small machine)"),
    R("debuglogfile", "=<file>", GENERAL, 0,
      "The log file; relative paths start at the network's data directory; -nodebuglogfile "
      "writes none (default: debug.log)"),
    R("help", "", GENERAL, 0, "Show this help and exit; also -h and -?"),
    R("includeconf", "=<file>", GENERAL, 0,
      "A further configuration file, named in the first one only; relative paths start at the "
      "data directory"),
    R("ipcbind", "=<address>", GENERAL, L, "Address for interprocess connections"),
    R("loadblock", "=<file>", GENERAL, 0,
      "Import the blocks of this file at start; may be given several times"),
    R("maxmempool", "=<n>", GENERAL, L, "Bound on the mempool, in megabytes (default: 300)"),
    R("mempoolexpiry", "=<n>", GENERAL, L,
      "Hours that a transaction stays in the mempool at most (default: 336)"),
    R("minimumchainwork", "=<hex>", GENERAL, 0,
      "The work that a chain must have to be believed, in hexadecimal"),
    R("par", "=<n>", GENERAL, 0,
      "Threads that verify scripts; 0: as the machine has processors; less than 0: leave that "
      "many of them free (default: 0)"),
    R("persistmempool", "", GENERAL, L,
      "Save the mempool at the stop, load it at start (default: 1)"),
    R("persistmempoolv1", "", GENERAL, L, "Save the mempool in the older format (default: 0)"),
    R("pid", "=<file>", GENERAL, 0,
      "The file with the process number; relative paths start at the network's data directory "
      "(default: bitcoind.pid)"),
    R("prevoutfetchthreads", "=<n>", GENERAL, L,
      "Threads that fetch spent coins ahead; 0: none (default: 8)"),
    R("prune", "=<n>", GENERAL, 0,
      "Delete old blocks: 0 never, 1 when asked by RPC, from 550 on keep the block files below "
      "so many MiB (default: 0)"),
    R("reindex", "", GENERAL, 0,
      "Build the block index and the coins anew from the block files on disk"),
    R("reindex-chainstate", "", GENERAL, 0, "Build the coins anew from the indexed blocks"),
    R("settings", "=<file>", GENERAL, 0,
      "The settings file that the node writes itself; -nosettings uses none (default: "
      "settings.json)"),
    R("shutdownnotify", "=<cmd>", GENERAL, 0, "Run this command when the stop begins"),
    R("sigbatch", "", GENERAL, 0,
      "Check signatures eight at a time where the processor can (default: 1)"),
    R("sigbatchshare", "=<n>", GENERAL, D,
      "Check one in this many of the signatures found good eight at a time again by itself; 0: "
      "none (default: 1024)"),
    R("startupnotify", "=<cmd>", GENERAL, 0, "Run this command when the start is done"),
    R("txindex", "", GENERAL, L, "Keep an index of all transactions (default: 0)"),
    R("txospenderindex", "", GENERAL, L, "Keep an index of what spends which output (default: 0)"),
    R("vector", "", GENERAL, D,
      "Use the processor's vector instructions for hashes and signatures (default: 1)"),
    R("version", "", GENERAL, 0, "Show the version and exit"),

    R("addnode", "=<ip>", CONNECTION, N, "A peer to stay connected with; may be repeated"),
    R("asmap", "=<file>", CONNECTION, 0, "A map from addresses to autonomous systems"),
    R("bantime", "=<n>", CONNECTION, 0, "Seconds that a ban by hand lasts (default: 86400)"),
    R("bind", "=<addr>[:<port>][=onion]", CONNECTION, N,
      "Listen for peers at this address; =onion marks those who come there as from Tor"),
    R("cjdnsreachable", "", CONNECTION, 0, "This host reaches the CJDNS network (default: 0)"),
    R("connect", "=<ip>", CONNECTION, N,
      "Connect to these peers only; -noconnect makes no connection by itself"),
    R("discover", "", CONNECTION, 0, "Find out the own addresses (default: 1)"),
    R("dns", "", CONNECTION, 0, "Look up names of peers (default: 1)"),
    R("dnsseed", "", CONNECTION, 0, "Ask DNS seeds for peers when few are known (default: 1)"),
    R("externalip", "=<ip>", CONNECTION, 0, "An own address to tell peers"),
    R("fixedseeds", "", CONNECTION, 0,
      "Use built-in addresses when seeds do not help (default: 1)"),
    R("forcednsseed", "", CONNECTION, 0, "Always ask DNS seeds (default: 0)"),
    R("i2pacceptincoming", "", CONNECTION, 0, "Accept peers over I2P (default: 1)"),
    R("i2psam", "=<ip:port>", CONNECTION, 0, "The I2P SAM proxy"),
    R("inboundrelaypercent", "=<n>", CONNECTION, 0,
      "Share of inbound peers that may relay transactions, 0 to 100 (default: 50)"),
    R("listen", "", CONNECTION, 0, "Accept connections of peers (default: 1)"),
    R("listenonion", "", CONNECTION, 0, "Make an onion service (default: 1)"),
    R("maxconnections", "=<n>", CONNECTION, 0,
      "Automatic connections to peers at most (default: 200)"),
    R("maxreceivebuffer", "=<n>", CONNECTION, 0,
      "Receive buffer of a peer, thousands of bytes (default: 5000)"),
    R("maxsendbuffer", "=<n>", CONNECTION, 0,
      "Send buffer of a peer, thousands of bytes (default: 1000)"),
    R("maxuploadtarget", "=<n>", CONNECTION, 0, "Bytes to send in 24 hours; 0: any (default: 0M)"),
    R("natpmp", "", CONNECTION, L, "Open the port with PCP or NAT-PMP (default: 1)"),
    R("networkactive", "", CONNECTION, 0, "Take part in the network at all (default: 1)"),
    R("onion", "=<ip:port|path>", CONNECTION, 0, "SOCKS5 proxy for onion services"),
    R("onlynet", "=<net>", CONNECTION, 0,
      "Make automatic connections to this network only: ipv4, ipv6, onion, i2p, cjdns"),
    R("peerblockfilters", "", CONNECTION, L, "Serve compact block filters (default: 0)"),
    R("peerbloomfilters", "", CONNECTION, 0, "Serve bloom filters (default: 0)"),
    R("peerkey", "=<key>[@<ip>]", CONNECTION, N,
      "Public key of another node of yours (its getpeerkey), to know it when it calls; with an "
      "address stay connected with it, and only if it proves the key; may be repeated"),
    R("peertimeout", "=<n>", CONNECTION, D,
      "Seconds before an idle peer may be dropped (default: 60)"),
    R("port", "=<port>", CONNECTION, N, "The port to listen on for peers"),
    R("proxy", "=<ip>[:<port>]|unix:<path>[=<network>]", CONNECTION, OPTION_NEEDS_VALUE,
      "Connect through this SOCKS5 proxy; -noproxy: none"),
    R("proxyrandomize", "", CONNECTION, 0, "Other credentials for each connection (default: 1)"),
    R("seednode", "=<ip>", CONNECTION, 0, "Ask this peer for addresses, then leave it"),
    R("timeout", "=<n>", CONNECTION, 0, "Milliseconds to wait for a connection (default: 5000)"),
    R("torcontrol", "=<ip>:<port>", CONNECTION, 0, "Tor's control port (default: 127.0.0.1:9051)"),
    R("torpassword", "=<pass>", CONNECTION, S, "Password of Tor's control port"),
    R("txreconciliation", "", CONNECTION, D, "Reconcile transactions, BIP 330 (default: 0)"),
    R("v2transport", "", CONNECTION, 0, "Encrypt connections, BIP 324 (default: 1)"),
    R("whitebind", "=<[permissions@]addr>", CONNECTION, 0,
      "Listen at this address and give these permissions to who comes there"),
    R("whitelist", "=<[permissions@]IP address or network>", CONNECTION, 0,
      "Give these permissions to peers of this network"),

    R("zmqpubhashblock", "=<address>", ZMQ, L, "Publish block hashes at this address"),
    R("zmqpubhashblockhwm", "=<n>", ZMQ, L, "Messages kept for slow readers (default: 1000)"),
    R("zmqpubhashtx", "=<address>", ZMQ, L, "Publish transaction ids at this address"),
    R("zmqpubhashtxhwm", "=<n>", ZMQ, L, "Messages kept for slow readers (default: 1000)"),
    R("zmqpubrawblock", "=<address>", ZMQ, L, "Publish blocks at this address"),
    R("zmqpubrawblockhwm", "=<n>", ZMQ, L, "Messages kept for slow readers (default: 1000)"),
    R("zmqpubrawtx", "=<address>", ZMQ, L, "Publish transactions at this address"),
    R("zmqpubrawtxhwm", "=<n>", ZMQ, L, "Messages kept for slow readers (default: 1000)"),
    R("zmqpubsequence", "=<address>", ZMQ, L, "Publish block and mempool events at this address"),
    R("zmqpubsequencehwm", "=<n>", ZMQ, L, "Messages kept for slow readers (default: 1000)"),

    R("acceptstalefeeestimates", "", DEBUG, D | L, "Read fee estimates of any age (default: 0)"),
    R("capturemessages", "", DEBUG, D, "Write all messages of peers to disk"),
    R("checkaddrman", "=<n>", DEBUG, D, "Check the address table every n operations"),
    R("checkblockindex", "=<n>", DEBUG, D, "Check the block index every n operations"),
    R("checkblocks", "=<n>", DEBUG, D, "How many blocks to check at start (default: 6; 0: all)"),
    R("checklevel", "=<n>", DEBUG, D,
      "How thoroughly to check them: 0 read, 1 check, 2 undo data, 3 disconnect, 4 connect again "
      "(default: 3)"),
    R("checkmempool", "=<n>", DEBUG, D | L, "Check the mempool every n transactions"),
    R("checkpoints", "", HIDDEN, 0, ""),
    R("debug", "=<category>", DEBUG, 0,
      "Log in detail: a category, or 1 or all for every one, 0 or none for none; may be repeated"),
    R("debugexclude", "=<category>", DEBUG, 0,
      "Leave this category out of -debug; may be repeated"),
    R("deprecatedrpc", "=<method>", DEBUG, D, "Allow this deprecated RPC method or field"),
    R("fastprune", "", DEBUG, D, "Small block files and early pruning, for tests"),
    R("help-debug", "", DEBUG, 0, "Show the help with the options for tests and exit"),
    R("limitancestorcount", "=<n>", DEBUG, D | L, "Unconfirmed ancestors at most (default: 25)"),
    R("limitancestorsize", "=<n>", HIDDEN, L, ""),
    R("limitclustercount", "=<n>", DEBUG, D | L,
      "Unconfirmed transactions that may hang together (default: 64)"),
    R("limitclustersize", "=<n>", DEBUG, D | L, "Their size, thousands of vbytes (default: 101)"),
    R("limitdescendantcount", "=<n>", DEBUG, D | L,
      "Unconfirmed descendants at most (default: 25)"),
    R("limitdescendantsize", "=<n>", HIDDEN, L, ""),
    R("logips", "", DEBUG, 0, "Show addresses in the log (default: 0)"),
    R("loglevel", "=<level>|<category>:<level>", DEBUG, OPTION_NO_NEGATION | OPTION_NEEDS_VALUE | D,
      "How detailed the lines of -debug are, for all or for one category: info, debug or trace "
      "(default: debug)"),
    R("loglevelalways", "", DEBUG, D, "Show category and level in every line (default: 0)"),
    R("logratelimit", "", DEBUG, D,
      "Bound what one place in the code may log in an hour (default: 1)"),
    R("logsourcelocations", "", DEBUG, 0, "Show file, line and function in the log (default: 0)"),
    R("logthreadnames", "", DEBUG, 0, "Show names of threads in the log (default: 0)"),
    R("logtimemicros", "", DEBUG, D, "Show microseconds in the log (default: 0)"),
    R("logtimestamps", "", DEBUG, 0, "Show the time in the log (default: 1)"),
    R("maxsigcachesize", "=<n>", DEBUG, D, "Memory for signatures seen, in MiB (default: 32)"),
    R("maxtipage", "=<n>", DEBUG, D,
      "A tip older than so many seconds means that blocks are missing (default: 86400)"),
    R("mocktime", "=<n>", DEBUG, D, "Take this for the time, seconds since 1970 (default: 0)"),
    R("printpriority", "", DEBUG, D | L, "Log the fee rate of mined transactions (default: 0)"),
    R("printtoconsole", "", DEBUG, 0, "Log to the terminal as well (default: 1 without -daemon)"),
    R("shrinkdebugfile", "", DEBUG, 0, "Shorten a large log at start (default: 1 without -debug)"),
    R("stopafterblockimport", "", DEBUG, D, "Stop when the import from disk is done (default: 0)"),
    R("stopatheight", "=<n>", DEBUG, D, "Stop when the tip reaches this height (default: 0)"),
    R("test", "=<option>", DEBUG, D,
      "An option for tests: addrman, reindex_after_failure_noninteractive_yes, bip94"),
    R("uacomment", "=<cmt>", DEBUG, 0, "A comment for the user agent; may be repeated"),
    CHAIN_ROWS,

    R("acceptnonstdtxn", "", RELAY, D | L, "Relay non-standard transactions, on test networks"),
    R("bytespersigop", "=<n>", RELAY, L, "Bytes that a signature operation counts (default: 20)"),
    R("datacarrier", "", RELAY, L, "Relay transactions that carry data (default: 1)"),
    R("datacarriersize", "=<n>", RELAY, L, "Bytes of data in a transaction (default: 100000)"),
    R("dustrelayfee", "=<amt>", RELAY, D | L, "Fee rate that says what is dust, BTC/kvB"),
    R("incrementalrelayfee", "=<amt>", RELAY, D | L, "Fee rate that a replacement adds, BTC/kvB"),
    R("minrelaytxfee", "=<amt>", RELAY, L, "Least fee rate that is relayed, BTC/kvB"),
    R("permitbaremultisig", "", RELAY, L, "Relay bare multisig outputs (default: 1)"),
    R("privatebroadcast", "", RELAY, 0, "Send own transactions through Tor or I2P (default: 0)"),
    R("txsendrate", "=<n>", RELAY, D, "Transactions sent a second (default: 14)"),
    R("whitelistforcerelay", "", RELAY, 0, "Permission forcerelay by default (default: 0)"),
    R("whitelistrelay", "", RELAY, 0, "Permission relay by default (default: 1)"),

    R("blockmaxweight", "=<n>", BLOCK, 0, "Weight of a mined block at most (default: 4000000)"),
    R("blockmintxfee", "=<amt>", BLOCK, 0, "Least fee rate of a mined transaction, BTC/kvB"),
    R("blockreservedweight", "=<n>", BLOCK, 0,
      "Weight kept for the header and the coinbase transaction (default: 8000)"),
    R("blockversion", "=<n>", BLOCK, D, "Version of mined blocks, for tests"),
    R("mine", "=<address>", BLOCK, 0,
      "Mine with this computer's processor to an address, on regtest and signet (default: 0)"),
    R("mineinterval", "=<n>", BLOCK, 0,
      "With -mine: seconds between two blocks at least (default: 0, on regtest 5)"),
    R("minekey", "=<wif>", BLOCK, S,
      "With -mine on signet: a secret key that solves the blocks' challenge; may be repeated"),
    R("minethreads", "=<n>", BLOCK, 0,
      "With -mine: how many threads (default: 0, as many as there are cores)"),

    R("rest", "", RPC, L, "Answer REST requests (default: 0)"),
    R("rpcallowip", "=<ip>", RPC, 0,
      "Who may use RPC besides this host: an address, address/netmask or address/bits; may be "
      "repeated"),
    R("rpcauth", "=<userpw>", RPC, S,
      "A user and the hash of the password, <name>:<salt>$<hmac-sha256>; may be repeated"),
    R("rpcbind", "=<addr>[:port]", RPC, N,
      "Listen for RPC at this address, with -rpcallowip only (default: 127.0.0.1 and ::1); may be "
      "repeated"),
    R("rpccookiefile", "=<loc>", RPC, 0,
      "The file with the cookie that local clients authenticate with; -norpccookiefile: none "
      "(default: .cookie)"),
    R("rpccookieperms", "=<readable-by>", RPC, 0,
      "Who may read the cookie: owner, group or all (default: owner)"),
    R("rpcdoccheck", "", RPC, D, "Hold every reply against its documentation (default: 0)"),
    R("rpcpassword", "=<pw>", RPC, S, "Password for RPC"),
    R("rpcport", "=<port>", RPC, N,
      "The port for RPC (default: 8332, testnet3 18332, testnet4 48332, signet 38332, regtest "
      "18443)"),
    R("rpcservertimeout", "=<n>", RPC, D, "Seconds that a client may be silent (default: 30)"),
    R("rpcthreads", "=<n>", RPC, 0, "Threads that serve RPC calls (default: 16)"),
    R("rpcuser", "=<user>", RPC, S, "User name for RPC"),
    R("rpcwhitelist", "=<whitelist>", RPC, 0,
      "Which methods a user may call, <name>:<method>,<method>...; several lists of one user "
      "narrow each other"),
    R("rpcwhitelistdefault", "", RPC, 0,
      "Whether users without a list may call nothing (default: 1 when there is any list)"),
    R("rpcworkqueue", "=<n>", RPC, D, "Calls that may wait for a thread (default: 64)"),
    R("server", "", RPC, 0, "Answer RPC (default: 1)"),

    HIDDEN("h"),
    HIDDEN("?"),
    HIDDEN_LATER("addresstype"),
    HIDDEN_LATER("avoidpartialspends"),
    HIDDEN_LATER("changetype"),
    HIDDEN_LATER("choosedatadir"),
    HIDDEN_LATER("consolidatefeerate"),
    HIDDEN_LATER("discardfee"),
    HIDDEN_LATER("fallbackfee"),
    HIDDEN_LATER("keypool"),
    HIDDEN_LATER("lang"),
    HIDDEN_LATER("maxapsfee"),
    HIDDEN_LATER("maxtxfee"),
    HIDDEN_LATER("min"),
    HIDDEN_LATER("mintxfee"),
    HIDDEN_LATER("resetguisettings"),
    HIDDEN_LATER("signer"),
    HIDDEN_LATER("spendzeroconfchange"),
    HIDDEN_LATER("splash"),
    HIDDEN_LATER("txconfirmtarget"),
    HIDDEN_LATER("uiplatform"),
    HIDDEN_LATER("unsafesqlitesync"),
    HIDDEN("disablewallet"),
    {"wallet", "", GROUP_HIDDEN, N | L, ""},
    HIDDEN_LATER("walletbroadcast"),
    HIDDEN_LATER("walletcrosschain"),
    {"walletdir", "", GROUP_HIDDEN, N | L, ""},
    HIDDEN_LATER("walletnotify"),
    HIDDEN_LATER("walletrbf"),
    HIDDEN_LATER("walletrejectlongchains"),
    {0},
};

const struct option_row assay_cli_options[] = {
    R("color", "=<when>", GENERAL, OPTION_NO_NEGATION,
      "Colours in the output: always, auto (on a terminal) or never (default: auto)"),
    R("conf", "=<file>", GENERAL, 0,
      "The configuration file; relative paths start at the data directory (default: "
      "bitcoin.conf)"),
    R("datadir", "=<dir>", GENERAL, OPTION_NO_NEGATION, "The data directory (default: ~/.assay)"),
    R("help", "", GENERAL, 0, "Show this help and exit; also -h and -?"),
    R("ipcconnect", "=<address>", GENERAL, L, "Connect to the node's interprocess socket"),
    R("named", "", GENERAL, 0, "Take arguments as name=value (default: 0)"),
    R("rpcclienttimeout", "=<n>", GENERAL, 0,
      "Seconds to wait for a reply; 0: for ever (default: 900)"),
    R("rpcconnect", "=<ip>", GENERAL, 0, "The host of the node (default: 127.0.0.1)"),
    R("rpccookiefile", "=<loc>", GENERAL, 0,
      "The file with the node's cookie; relative paths start at the network's data directory"),
    R("rpcid", "=<id>", GENERAL, 0, "The id that requests carry (default: 1)"),
    R("rpcpassword", "=<pw>", GENERAL, 0, "Password for RPC"),
    R("rpcport", "=<port>", GENERAL, N,
      "The port of the node (default: 8332, testnet3 18332, testnet4 48332, signet 38332, regtest "
      "18443)"),
    R("rpcuser", "=<user>", GENERAL, 0, "User name for RPC"),
    R("rpcwait", "", GENERAL, 0, "Wait until the node answers"),
    R("rpcwaittimeout", "=<n>", GENERAL, 0,
      "Seconds to wait for it at most; 0: for ever (default: 0)"),
    R("rpcwallet", "=<walletname>", GENERAL, 0, "The wallet that calls are for"),
    R("stdin", "", GENERAL, 0,
      "Read further arguments from standard input, one a line, up to its end"),
    R("stdinrpcpass", "", GENERAL, 0,
      "Read the password for RPC as the first line of standard input"),
    R("stdinwalletpassphrase", "", GENERAL, 0,
      "Read the wallet's passphrase as the next line of standard input"),
    R("version", "", GENERAL, 0, "Show the version and exit"),
    CHAIN_ROWS,
    R("addrinfo", "", COMMAND, 0, "Count the addresses the node knows, by network"),
    R("generate", "", COMMAND, 0,
      "Mine blocks to a new address of the wallet: arguments as generatetoaddress without the "
      "address"),
    R("getinfo", "", COMMAND, 0, "A short view of the node"),
    R("netinfo", "", COMMAND, 0,
      "A view of the peers; -netinfo 1 to 4 shows more of them, -netinfo help explains"),
    HIDDEN("h"),
    HIDDEN("?"),
    {0},
};

/* Written with two dashes, and always with a value but for the last two. */
const struct option_row assay_sandbox_options[] = {
    R("assayd", "=<path>", GENERAL, OPTION_NO_NEGATION,
      "The node's program (default: assayd beside this one)"),
    R("blockinterval", "=<ms>", GENERAL, OPTION_NO_NEGATION,
      "Mean time between blocks, milliseconds (default: 5000)"),
    R("dir", "=<dir>", GENERAL, OPTION_NO_NEGATION,
      "Where the nodes' folders are (default: ~/.assay-sandbox)"),
    R("nodes", "=<n>", GENERAL, OPTION_NO_NEGATION, "How many nodes, 1 to 8 (default: 3)"),
    R("port", "=<port>", GENERAL, OPTION_NO_NEGATION,
      "The first node's port; its RPC port is the next one, each further node's are ten higher "
      "(default: 18555)"),
    R("txinterval", "=<ms>", GENERAL, OPTION_NO_NEGATION,
      "Mean time between payments, milliseconds (default: 700)"),
    R("help", "", GENERAL, 0, "Show this help and exit; also -h"),
    R("h", "", HIDDEN, 0, ""),
    R("version", "", GENERAL, 0, "Show the version and exit"),
    {0},
};

const struct option_row assay_verify_options[] = {
    R("chain", "=<chain>", GENERAL, 0,
      "The network the block belongs to: main, test, testnet4, signet or regtest; required"),
    R("height", "=<n>", GENERAL, 0, "The height of the block; required"),
    R("prevouts", "=<file>", GENERAL, 0,
      "The outputs it spends: for each input but the coinbase's, in block order, value (8 bytes, "
      "little endian), length and script"),
    R("coins", "=<file>", GENERAL, 0,
      "Where they come from: for each a line of JSON with \"height\", \"coinbase\" and, where "
      "known, \"mtp\" (median time past of the block before the one that made it), or "
      "\"inblock\": true for one that the block itself makes; needs --prevouts"),
    R("prev-mtp", "=<time>", GENERAL, 0,
      "Median time past of the block's parent, seconds since 1970"),
    R("threads", "=<n>", GENERAL, 0,
      "Threads that verify scripts (default: one for each processor)"),
    R("help", "", GENERAL, 0, "Show this help and exit"),
    R("version", "", GENERAL, 0, "Show the version and exit"),
    {0},
};

const char *option_group_title(enum option_group group)
{
    static const char *const titles[GROUP_COUNT] = {
        [GROUP_GENERAL] = "Options",
        [GROUP_CONNECTION] = "Connection options",
        [GROUP_WALLET] = "Wallet options",
        [GROUP_ZMQ] = "ZeroMQ notification options",
        [GROUP_DEBUG] = "Debugging and testing options",
        [GROUP_CHAIN] = "Network options",
        [GROUP_RELAY] = "Relay options",
        [GROUP_BLOCK] = "Block making options",
        [GROUP_RPC] = "RPC server options",
        [GROUP_COMMAND] = "Commands of this program",
        [GROUP_HIDDEN] = "",
    };

    return titles[group];
}
