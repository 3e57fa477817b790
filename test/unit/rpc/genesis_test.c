/* Methods on a chain that has nothing but its first block. What each must answer is
 * what Bitcoin Core answers to the same request. */
#include "asking.h"
#include "chain/chain.h"
#include "crypto/secp.h"
#include "sim_clock.h"
#include "sim_disk.h"

static const struct asking rows[] = {
    {"getrawtransaction", "[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\"]",
     "\"error\":{\"code\":-5,\"message\":\"The genesis block coinbase is not considered an ordina"
     "ry transaction and cannot be retrieved\"}"},
    {"getrawtransaction",
     "[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\",1]",
     "\"error\":{\"code\":-5,\"message\":\"The genesis block coinbase is not considered an ordina"
     "ry transaction and cannot be retrieved\"}"},
    {"getrawtransaction", "[\"0000000000000000000000000000000000000000000000000000000000000000\"]",
     "\"error\":{\"code\":-5,\"message\":\"No such mempool transaction. Use -txindex or provide a"
     " block hash to enable blockchain transaction queries. Use gettransaction for wallet transac"
     "tions.\"}"},
    {"getrawtransaction", "[\"00\"]",
     "\"error\":{\"code\":-8,\"message\":\"parameter 1 must be of length 64 (not 2, for '00')\"}"},
    {"getrawtransaction", "[\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\"]",
     "\"error\":{\"code\":-8,\"message\":\"parameter 1 must be hexadecimal string (not 'zzzzzzzzz"
     "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz')\"}"},
    {"getrawtransaction",
     "[\"0000000000000000000000000000000000000000000000000000000000000000\",0,\"00000000000000000"
     "00000000000000000000000000000000000000000000000\"]",
     "\"error\":{\"code\":-5,\"message\":\"Block hash not found\"}"},
    {"getrawtransaction",
     "[\"0000000000000000000000000000000000000000000000000000000000000000\",0,\"0f9188f13cb7b2c71"
     "f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\"]",
     "\"error\":{\"code\":-5,\"message\":\"No such transaction found in the provided block. Use g"
     "ettransaction for wallet transactions.\"}"},
    {"getrawtransaction",
     "[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\",0,\"0f9188f13cb7b2c71"
     "f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\"]",
     "\"error\":{\"code\":-5,\"message\":\"The genesis block coinbase is not considered an ordina"
     "ry transaction and cannot be retrieved\"}"},
    {"getrawtransaction",
     "[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\",2,\"0f9188f13cb7b2c71"
     "f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\"]",
     "\"error\":{\"code\":-5,\"message\":\"The genesis block coinbase is not considered an ordina"
     "ry transaction and cannot be retrieved\"}"},
    {"gettxoutproof", "[[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\"]]",
     "\"error\":{\"code\":-5,\"message\":\"Transaction not yet in block\"}"},
    {"gettxoutproof",
     "[[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\"],\"0f9188f13cb7b2c71"
     "f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\"]",
     "\"result\":\"0100000000000000000000000000000000000000000000000000000000000000000000003ba3ed"
     "fd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000010000000"
     "13ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a0101\""},
    {"gettxoutproof", "[[],\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\"]",
     "\"error\":{\"code\":-8,\"message\":\"Parameter 'txids' cannot be empty\"}"},
    {"gettxoutproof",
     "[[\"0000000000000000000000000000000000000000000000000000000000000000\"],\"0f9188f13cb7b2c71"
     "f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\"]",
     "\"error\":{\"code\":-5,\"message\":\"Not all transactions found in specified or retrieved b"
     "lock\"}"},
    {"gettxoutproof",
     "[[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\",\"4a5e1e4baab89f3a32"
     "518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\"],\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb4"
     "36012afca590b1a11466e2206\"]",
     "\"error\":{\"code\":-8,\"message\":\"Invalid parameter, duplicated txid: 4a5e1e4baab89f3a32"
     "518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\"}"},
    {"gettxoutproof",
     "[[\"00\"],\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\"]",
     "\"error\":{\"code\":-8,\"message\":\"txid must be of length 64 (not 2, for '00')\"}"},
    {"gettxoutproof",
     "[[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\"],\"00000000000000000"
     "00000000000000000000000000000000000000000000000\"]",
     "\"error\":{\"code\":-5,\"message\":\"Block not found\"}"},
    {"verifytxoutproof", "[\"zz\"]",
     "\"error\":{\"code\":-8,\"message\":\"proof must be hexadecimal string (not 'zz')\"}"},
    {"scantxoutset", "[\"start\"]",
     "\"error\":{\"code\":-1,\"message\":\"scanobjects argument is required for the start action"
     "\"}"},
    {"scantxoutset", "[\"status\"]", "\"result\":null"},
    {"scantxoutset", "[\"abort\"]", "\"result\":false"},
    {"scantxoutset", "[\"x\"]", "\"error\":{\"code\":-8,\"message\":\"Invalid action 'x'\"}"},
    {"scantxoutset", "[\"start\",[\"addr(bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080)\"]]",
     "\"result\":{\"success\":true,\"txouts\":0,\"height\":0,\"bestblock\":\"0f9188f13cb7b2c71f2a"
     "335e3a4fc328bf5beb436012afca590b1a11466e2206\",\"unspents\":[],\"total_amount\":0.00000000}"},
    {"scantxoutset", "[\"start\",[\"addr(x)\"]]",
     "\"error\":{\"code\":-5,\"message\":\"Address is not valid\"}"},
    {"scantxoutset",
     "[\"start\",[{\"desc\":\"wpkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8"
     "1798)\",\"range\":5}]]",
     "\"result\":{\"success\":true,\"txouts\":0,\"height\":0,\"bestblock\":\"0f9188f13cb7b2c71f2a"
     "335e3a4fc328bf5beb436012afca590b1a11466e2206\",\"unspents\":[],\"total_amount\":0.00000000}"},
    {"scantxoutset", "[\"start\",[{}]]",
     "\"error\":{\"code\":-8,\"message\":\"Descriptor needs to be provided in scan object\"}"},
    {"scantxoutset", "[\"start\",[5]]",
     "\"error\":{\"code\":-8,\"message\":\"Scan object needs to be either a string or an object\""
     "}"},
    {"getblock", "[\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\"]",
     "\"result\":{\"hash\":\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\","
     "\"confirmations\":1,\"height\":0,\"version\":1,\"versionHex\":\"00000001\",\"merkleroot\":"
     "\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\",\"time\":1296688602,\""
     "mediantime\":1296688602,\"nonce\":2,\"bits\":\"207fffff\",\"target\":\"7fffff00000000000000"
     "00000000000000000000000000000000000000000000\",\"difficulty\":4.656542373906925e-10,\"chain"
     "work\":\"0000000000000000000000000000000000000000000000000000000000000002\",\"nTx\":1,\"str"
     "ippedsize\":285,\"size\":285,\"weight\":1140,\"coinbase_tx\":{\"version\":1,\"locktime\":0,"
     "\"sequence\":4294967295,\"coinbase\":\"04ffff001d0104455468652054696d65732030332f4a616e2f32"
     "303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722"
     "062616e6b73\"},\"tx\":[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\""
     "]}"},
    {"getblock", "[\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\",0]",
     "\"result\":\"0100000000000000000000000000000000000000000000000000000000000000000000003ba3ed"
     "fd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000010100000"
     "0010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104"
     "455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f662"
     "07365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe"
     "5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384"
     "df7ba0b8d578a4c702b6bf11d5fac00000000\""},
    {"getblock", "[\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\",true]",
     "\"result\":{\"hash\":\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\","
     "\"confirmations\":1,\"height\":0,\"version\":1,\"versionHex\":\"00000001\",\"merkleroot\":"
     "\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\",\"time\":1296688602,\""
     "mediantime\":1296688602,\"nonce\":2,\"bits\":\"207fffff\",\"target\":\"7fffff00000000000000"
     "00000000000000000000000000000000000000000000\",\"difficulty\":4.656542373906925e-10,\"chain"
     "work\":\"0000000000000000000000000000000000000000000000000000000000000002\",\"nTx\":1,\"str"
     "ippedsize\":285,\"size\":285,\"weight\":1140,\"coinbase_tx\":{\"version\":1,\"locktime\":0,"
     "\"sequence\":4294967295,\"coinbase\":\"04ffff001d0104455468652054696d65732030332f4a616e2f32"
     "303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722"
     "062616e6b73\"},\"tx\":[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\""
     "]}"},
    {"getblock", "[\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\",false]",
     "\"result\":\"0100000000000000000000000000000000000000000000000000000000000000000000003ba3ed"
     "fd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000010100000"
     "0010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104"
     "455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f662"
     "07365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe"
     "5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384"
     "df7ba0b8d578a4c702b6bf11d5fac00000000\""},
    {"getblock", "[\"0000000000000000000000000000000000000000000000000000000000000000\"]",
     "\"error\":{\"code\":-5,\"message\":\"Block not found\"}"},
    {"getblock", "[\"x\"]",
     "\"error\":{\"code\":-8,\"message\":\"blockhash must be of length 64 (not 1, for 'x')\"}"},
    {"getblock", "[5]",
     "\"error\":{\"code\":-3,\"message\":\"Wrong type passed:\\n{\\n    \\\"Position 1 (blockhash"
     ")\\\": \\\"JSON value of type number is not of expected type string\\\"\\n}\"}"},
    {"getblock", "[\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\"]",
     "\"error\":{\"code\":-8,\"message\":\"blockhash must be hexadecimal string (not 'zzzzzzzzzzz"
     "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz')\"}"},
    {"getblockstats", "[0]",
     "\"result\":{\"avgfee\":0,\"avgfeerate\":0,\"avgtxsize\":0,\"blockhash\":\"0f9188f13cb7b2c71"
     "f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\",\"feerate_percentiles\":[0,0,0,0,0],\"hei"
     "ght\":0,\"ins\":0,\"maxfee\":0,\"maxfeerate\":0,\"maxtxsize\":0,\"medianfee\":0,\"mediantim"
     "e\":1296688602,\"mediantxsize\":0,\"minfee\":0,\"minfeerate\":0,\"mintxsize\":0,\"outs\":1,"
     "\"subsidy\":5000000000,\"swtotal_size\":0,\"swtotal_weight\":0,\"swtxs\":0,\"time\":1296688"
     "602,\"total_out\":0,\"total_size\":0,\"total_weight\":0,\"totalfee\":0,\"txs\":1,\"utxo_inc"
     "rease\":1,\"utxo_size_inc\":116,\"utxo_increase_actual\":0,\"utxo_size_inc_actual\":0}"},
    {"getblockstats", "[1]",
     "\"error\":{\"code\":-8,\"message\":\"Target block height 1 after current tip 0\"}"},
    {"getblockstats", "[-1]",
     "\"error\":{\"code\":-8,\"message\":\"Target block height -1 is negative\"}"},
    {"getblockstats",
     "[\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\",[\"height\"]]",
     "\"result\":{\"height\":0}"},
    {"getblockstats", "[0,[\"x\"]]",
     "\"error\":{\"code\":-8,\"message\":\"Invalid selected statistic 'x'\"}"},
    {"getblockstats", "[\"0000000000000000000000000000000000000000000000000000000000000000\"]",
     "\"error\":{\"code\":-5,\"message\":\"Block not found\"}"},
    {"getblockstats", "[true]",
     "\"error\":{\"code\":-3,\"message\":\"JSON value of type bool is not of expected type string"
     "\"}"},
    {"gettxout", "[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\",0]",
     "\"result\":null"},
    {"gettxout", "[\"00\",0]",
     "\"error\":{\"code\":-8,\"message\":\"txid must be of length 64 (not 2, for '00')\"}"},
    {"gettxout", "[\"0000000000000000000000000000000000000000000000000000000000000000\",0]",
     "\"result\":null"},
    {"gettxout", "[\"0000000000000000000000000000000000000000000000000000000000000000\",-1]",
     "\"error\":{\"code\":-1,\"message\":\"JSON integer out of range\"}"},
    {"gettxoutsetinfo", "[\"none\"]",
     "\"result\":{\"height\":0,\"bestblock\":\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca59"
     "0b1a11466e2206\",\"txouts\":0,\"bogosize\":0,\"total_amount\":0.00000000,\"transactions\":0"
     ",\"disk_size\":0}"},
    {"gettxoutsetinfo", "[\"x\"]",
     "\"error\":{\"code\":-8,\"message\":\"'x' is not a valid hash_type\"}"},
    {"gettxoutsetinfo", "[\"none\",0]",
     "\"error\":{\"code\":-8,\"message\":\"Querying specific block heights requires coinstatsinde"
     "x\"}"},
    {"gettxoutsetinfo",
     "[\"none\",\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\",false]",
     "\"error\":{\"code\":-8,\"message\":\"Querying specific block heights requires coinstatsinde"
     "x\"}"},
    {"getblockhash", "[0]",
     "\"result\":\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\""},
    {"getblockhash", "[1]", "\"error\":{\"code\":-8,\"message\":\"Block height out of range\"}"},
    {"getblockhash", "[-1]", "\"error\":{\"code\":-8,\"message\":\"Block height out of range\"}"},
    {"getblockhash", "[\"0\"]",
     "\"error\":{\"code\":-3,\"message\":\"Wrong type passed:\\n{\\n    \\\"Position 1 (height)\\"
     "\": \\\"JSON value of type string is not of expected type number\\\"\\n}\"}"},
    {"getblockheader", "[\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\"]",
     "\"result\":{\"hash\":\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\","
     "\"confirmations\":1,\"height\":0,\"version\":1,\"versionHex\":\"00000001\",\"merkleroot\":"
     "\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\",\"time\":1296688602,\""
     "mediantime\":1296688602,\"nonce\":2,\"bits\":\"207fffff\",\"target\":\"7fffff00000000000000"
     "00000000000000000000000000000000000000000000\",\"difficulty\":4.656542373906925e-10,\"chain"
     "work\":\"0000000000000000000000000000000000000000000000000000000000000002\",\"nTx\":1}"},
    {"getblockheader",
     "[\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\",false]",
     "\"result\":\"0100000000000000000000000000000000000000000000000000000000000000000000003ba3ed"
     "fd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000\""},
    {"getblockheader", "[\"0000000000000000000000000000000000000000000000000000000000000000\"]",
     "\"error\":{\"code\":-5,\"message\":\"Block not found\"}"},
    {"getbestblockhash", "[]",
     "\"result\":\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\""},
    {"getblockcount", "[]", "\"result\":0"},
    {"getdifficulty", "[]", "\"result\":4.656542373906925e-10"},
    {"getchaintips", "[]",
     "\"result\":[{\"height\":0,\"hash\":\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a"
     "11466e2206\",\"branchlen\":0,\"status\":\"active\"}]"},
    {"getchaintxstats", "[]",
     "\"result\":{\"time\":1296688602,\"txcount\":1,\"window_final_block_hash\":\"0f9188f13cb7b2c"
     "71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\",\"window_final_block_height\":0,\"windo"
     "w_block_count\":0}"},
    {"getchaintxstats", "[1]",
     "\"error\":{\"code\":-8,\"message\":\"Invalid block count: should be between 0 and the block"
     "'s height - 1\"}"},
    {"getchaintxstats", "[-1]",
     "\"error\":{\"code\":-8,\"message\":\"Invalid block count: should be between 0 and the block"
     "'s height - 1\"}"},
    {"getchaintxstats", "[0,\"0000000000000000000000000000000000000000000000000000000000000000\"]",
     "\"error\":{\"code\":-5,\"message\":\"Block not found\"}"},
    {"getchaintxstats", "[0,\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\"]",
     "\"result\":{\"time\":1296688602,\"txcount\":1,\"window_final_block_hash\":\"0f9188f13cb7b2c"
     "71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\",\"window_final_block_height\":0,\"windo"
     "w_block_count\":0}"},
    {"getdeploymentinfo", "[]",
     "\"result\":{\"hash\":\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\","
     "\"height\":0,\"script_flags\":[\"NULLDUMMY\",\"P2SH\",\"TAPROOT\",\"WITNESS\"],\"deployment"
     "s\":{\"bip34\":{\"type\":\"buried\",\"active\":true,\"height\":1},\"bip66\":{\"type\":\"bur"
     "ied\",\"active\":true,\"height\":1},\"bip65\":{\"type\":\"buried\",\"active\":true,\"height"
     "\":1},\"csv\":{\"type\":\"buried\",\"active\":true,\"height\":1},\"segwit\":{\"type\":\"bur"
     "ied\",\"active\":true,\"height\":0},\"testdummy\":{\"type\":\"bip9\",\"active\":false,\"bip"
     "9\":{\"start_time\":0,\"timeout\":9223372036854775807,\"min_activation_height\":0,\"status"
     "\":\"defined\",\"since\":0,\"status_next\":\"defined\"}}}}"},
    {"getdeploymentinfo", "[\"0000000000000000000000000000000000000000000000000000000000000000\"]",
     "\"error\":{\"code\":-5,\"message\":\"Block not found\"}"},
    {"getdeploymentinfo", "[\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\"]",
     "\"result\":{\"hash\":\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\","
     "\"height\":0,\"script_flags\":[\"NULLDUMMY\",\"P2SH\",\"TAPROOT\",\"WITNESS\"],\"deployment"
     "s\":{\"bip34\":{\"type\":\"buried\",\"active\":true,\"height\":1},\"bip66\":{\"type\":\"bur"
     "ied\",\"active\":true,\"height\":1},\"bip65\":{\"type\":\"buried\",\"active\":true,\"height"
     "\":1},\"csv\":{\"type\":\"buried\",\"active\":true,\"height\":1},\"segwit\":{\"type\":\"bur"
     "ied\",\"active\":true,\"height\":0},\"testdummy\":{\"type\":\"bip9\",\"active\":false,\"bip"
     "9\":{\"start_time\":0,\"timeout\":9223372036854775807,\"min_activation_height\":0,\"status"
     "\":\"defined\",\"since\":0,\"status_next\":\"defined\"}}}}"},
    {"invalidateblock", "[\"0000000000000000000000000000000000000000000000000000000000000000\"]",
     "\"error\":{\"code\":-5,\"message\":\"Block not found\"}"},
    {"invalidateblock", "[\"x\"]",
     "\"error\":{\"code\":-8,\"message\":\"blockhash must be of length 64 (not 1, for 'x')\"}"},
    {"reconsiderblock", "[\"0000000000000000000000000000000000000000000000000000000000000000\"]",
     "\"error\":{\"code\":-5,\"message\":\"Block not found\"}"},
    {"preciousblock", "[\"0000000000000000000000000000000000000000000000000000000000000000\"]",
     "\"error\":{\"code\":-5,\"message\":\"Block not found\"}"},
    {"preciousblock", "[\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\"]",
     "\"result\":null"},
    {"pruneblockchain", "[0]",
     "\"error\":{\"code\":-1,\"message\":\"Cannot prune blocks because node is not in prune mode."
     "\"}"},
    {"verifychain", "[]", "\"result\":true"},
    {"verifychain", "[5,0]", "\"result\":true"},
    {"getblockfrompeer", "[\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\",0]",
     "\"error\":{\"code\":-1,\"message\":\"Block already downloaded\"}"},
    {"getblockfrompeer", "[\"0000000000000000000000000000000000000000000000000000000000000000\",0]",
     "\"error\":{\"code\":-1,\"message\":\"Block header missing\"}"},
    {"combinerawtransaction", "[[]]",
     "\"error\":{\"code\":-22,\"message\":\"Missing transactions. At least two transactions requi"
     "red.\"}"},
    {"combinerawtransaction", "[[\"00\"]]",
     "\"error\":{\"code\":-22,\"message\":\"Missing transactions. At least two transactions requi"
     "red.\"}"},
    {"signrawtransactionwithkey",
     "[\"020000000111111111111111111111111111111111111111111111111111111111111111110000000000fdff"
     "ffff01a086010000000000160014751e76e8199196d454941c45d1b3a323f1433bd600000000\",[\"cMahea7zq"
     "jxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA\"]]",
     "\"result\":{\"hex\":\"020000000111111111111111111111111111111111111111111111111111111111111"
     "111110000000000fdffffff01a086010000000000160014751e76e8199196d454941c45d1b3a323f1433bd60000"
     "0000\",\"complete\":false,\"errors\":[{\"txid\":\"11111111111111111111111111111111111111111"
     "11111111111111111111111\",\"vout\":0,\"witness\":[],\"scriptSig\":\"\",\"sequence\":4294967"
     "293,\"error\":\"Input not found or already spent\"}]}"},
    {"signrawtransactionwithkey",
     "[\"020000000111111111111111111111111111111111111111111111111111111111111111110000000000fdff"
     "ffff01a086010000000000160014751e76e8199196d454941c45d1b3a323f1433bd600000000\",[\"x\"]]",
     "\"error\":{\"code\":-5,\"message\":\"Invalid private key\"}"},
    {"signrawtransactionwithkey",
     "[\"00\",[\"cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA\"]]",
     "\"error\":{\"code\":-22,\"message\":\"TX decode failed. Make sure the tx has at least one i"
     "nput.\"}"},
    {"signrawtransactionwithkey",
     "[\"020000000111111111111111111111111111111111111111111111111111111111111111110000000000fdff"
     "ffff01a086010000000000160014751e76e8199196d454941c45d1b3a323f1433bd600000000\",[\"cMahea7zq"
     "jxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA\"],[{\"txid\":\"1111111111111111111111111111111"
     "111111111111111111111111111111111\",\"vout\":0,\"scriptPubKey\":\"0014751e76e8199196d454941"
     "c45d1b3a323f1433bd6\",\"amount\":1}]]",
     "\"result\":{\"hex\":\"020000000001011111111111111111111111111111111111111111111111111111111"
     "1111111110000000000fdffffff01a086010000000000160014751e76e8199196d454941c45d1b3a323f1433bd6"
     "0247304402206e6db4edfebafe19275b6286a1627615d4372a3deae2b137f9fc2915d72e4864022039b5be5799e"
     "6e42972d2ba95454c81be2f66cff4a868c28ba8b9a292a719c98f01210279be667ef9dcbbac55a06295ce870b07"
     "029bfcdb2dce28d959f2815b16f8179800000000\",\"complete\":true}"},
    {"signrawtransactionwithkey",
     "[\"020000000111111111111111111111111111111111111111111111111111111111111111110000000000fdff"
     "ffff01a086010000000000160014751e76e8199196d454941c45d1b3a323f1433bd600000000\",[\"cMahea7zq"
     "jxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA\"],[{\"txid\":\"1111111111111111111111111111111"
     "111111111111111111111111111111111\",\"vout\":0,\"scriptPubKey\":\"0014751e76e8199196d454941"
     "c45d1b3a323f1433bd6\"}]]",
     "\"error\":{\"code\":-3,\"message\":\"Missing amount for CTxOut(nValue=21000000.00000000, sc"
     "riptPubKey=0014751e76e8199196d454941c45d1)\"}"},
    {"signrawtransactionwithkey",
     "[\"020000000111111111111111111111111111111111111111111111111111111111111111110000000000fdff"
     "ffff01a086010000000000160014751e76e8199196d454941c45d1b3a323f1433bd600000000\",[\"cMahea7zq"
     "jxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA\"],[],\"NONSUCH\"]",
     "\"error\":{\"code\":-8,\"message\":\"'NONSUCH' is not a valid sighash parameter.\"}"},
    {"signrawtransactionwithkey",
     "[\"020000000111111111111111111111111111111111111111111111111111111111111111110000000000fdff"
     "ffff01a086010000000000160014751e76e8199196d454941c45d1b3a323f1433bd600000000\",[\"cMahea7zq"
     "jxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA\"],[{\"txid\":\"1111111111111111111111111111111"
     "111111111111111111111111111111111\",\"vout\":0,\"scriptPubKey\":\"76a914751e76e8199196d4549"
     "41c45d1b3a323f1433bd688ac\"}],\"NONE|ANYONECANPAY\"]",
     "\"result\":{\"hex\":\"020000000111111111111111111111111111111111111111111111111111111111111"
     "11111000000006a47304402200611f72f11db994eac2ec282c3a1eb99a642ee5782f883418bc666e542b32b7a02"
     "2032f7d74136d6f2f0996d2a98a6676e8c0587ac82d4c8792fa75d813f40bbcd8082210279be667ef9dcbbac55a"
     "06295ce870b07029bfcdb2dce28d959f2815b16f81798fdffffff01a086010000000000160014751e76e8199196"
     "d454941c45d1b3a323f1433bd600000000\",\"complete\":true}"},
    {"signrawtransactionwithkey",
     "[\"020000000111111111111111111111111111111111111111111111111111111111111111110000000000fdff"
     "ffff01a086010000000000160014751e76e8199196d454941c45d1b3a323f1433bd600000000\",[\"cMahea7zq"
     "jxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA\"],[{\"txid\":\"1111111111111111111111111111111"
     "111111111111111111111111111111111\",\"vout\":0,\"scriptPubKey\":\"a914000000000000000000000"
     "000000000000000000087\",\"redeemScript\":\"51\",\"amount\":1}]]",
     "\"error\":{\"code\":-8,\"message\":\"redeemScript/witnessScript does not match scriptPubKey"
     "\"}"},
};

static void replies(void)
{
    struct sim_disk *sim = sim_disk_new(1);
    const struct params *params = params_of(NETWORK_REGTEST);
    struct chain_options options;
    struct rpc_context context;
    struct rpc_server *server;
    struct chain *chain = NULL;
    struct sim_clock clock;
    static const uint8_t seed[32] = {1};

    secp_init(seed);
    sim_clock_init(&clock, INT64_C(1700000000) * 1000);
    chain_options_default(&options, params);
    options.disk = sim_disk_disk(sim);
    options.clock = &clock.clock;
    options.blocks_folder = "/node/blocks";
    options.chainstate_folder = "/node/chainstate";
    options.cache_bytes = 4U << 20;
    options.threads = 1;
    EXPECT_INT("open", chain_open(&chain, &options, NULL), 0);
    EXPECT_INT("first block", chain_import(chain, NULL), 0);
    asking_context(&context, params);
    context.node = chain_node(chain);
    server = rpc_server_new(&context);
    rpc_server_end_warmup(server);
    EXPECT_TRUE("every reply", asking_check(server, rows, ARRAY_LEN(rows)));
    rpc_server_free(server);
    EXPECT_INT("close", chain_close(chain, NULL), 0);
    sim_disk_free(sim);
    secp_clear();
}

TEST_LIST(TEST(replies))
