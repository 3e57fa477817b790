/* Methods that need no chain: addresses, descriptors, signatures, transactions. What
 * each must answer is what Bitcoin Core answers to the same request. */
#include "asking.h"
#include "crypto/secp.h"

static const struct asking rows[] = {
    {"createmultisig",
     "[1,[\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\",\"02c6047f9441ed"
     "7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5\"]]",
     "\"result\":{\"address\":\"2MzDSaqMcnds82ggLGjXLxhtHBL52nhBmWC\",\"redeemScript\":\"51210279"
     "be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f817982102c6047f9441ed7d6d3045406e9"
     "5c07cd85c778e4b8cef3ca7abac09b95c709ee552ae\",\"descriptor\":\"sh(multi(1,0279be667ef9dcbba"
     "c55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,02c6047f9441ed7d6d3045406e95c07cd85c778e4"
     "b8cef3ca7abac09b95c709ee5))#vncv7gv3\"}"},
    {"createmultisig",
     "[2,[\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\",\"02c6047f9441ed"
     "7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5\"],\"bech32\"]",
     "\"result\":{\"address\":\"bcrt1qnwvyc7aw8m7acw3lpgs0lqdlaz0drls8luf72cs5nmn9f0kcghdsr03hg4"
     "\",\"redeemScript\":\"52210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179"
     "82102c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee552ae\",\"descriptor\":"
     "\"wsh(multi(2,0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,02c6047f94"
     "41ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5))#e7d75zev\"}"},
    {"createmultisig",
     "[2,[\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\",\"02c6047f9441ed"
     "7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5\"],\"p2sh-segwit\"]",
     "\"result\":{\"address\":\"2N6vG8VCbxnqyukVoMnFXo8z19q6jCJiChQ\",\"redeemScript\":\"52210279"
     "be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f817982102c6047f9441ed7d6d3045406e9"
     "5c07cd85c778e4b8cef3ca7abac09b95c709ee552ae\",\"descriptor\":\"sh(wsh(multi(2,0279be667ef9d"
     "cbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,02c6047f9441ed7d6d3045406e95c07cd85c7"
     "78e4b8cef3ca7abac09b95c709ee5)))#40p7errt\"}"},
    {"createmultisig",
     "[0,[\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\"]]",
     "\"error\":{\"code\":-8,\"message\":\"a multisignature address must require at least one key"
     " to redeem\"}"},
    {"createmultisig",
     "[2,[\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\"]]",
     "\"error\":{\"code\":-8,\"message\":\"not enough keys supplied (got 1 keys, but need at leas"
     "t 2 to redeem)\"}"},
    {"createmultisig", "[1,[\"02\"]]",
     "\"error\":{\"code\":-5,\"message\":\"Pubkey \\\"02\\\" must have a length of either 33 or 6"
     "5 bytes\"}"},
    {"createmultisig",
     "[1,[\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\",\"0279be667ef9dc"
     "bbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\",\"0279be667ef9dcbbac55a06295ce870b07"
     "029bfcdb2dce28d959f2815b16f81798\",\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2"
     "815b16f81798\",\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\",\"027"
     "9be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\",\"0279be667ef9dcbbac55a06"
     "295ce870b07029bfcdb2dce28d959f2815b16f81798\",\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2"
     "dce28d959f2815b16f81798\",\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81"
     "798\",\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\",\"0279be667ef9"
     "dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\",\"0279be667ef9dcbbac55a06295ce870b"
     "07029bfcdb2dce28d959f2815b16f81798\",\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959"
     "f2815b16f81798\",\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\",\"0"
     "279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\",\"0279be667ef9dcbbac55a"
     "06295ce870b07029bfcdb2dce28d959f2815b16f81798\",\"0279be667ef9dcbbac55a06295ce870b07029bfcd"
     "b2dce28d959f2815b16f81798\"]]",
     "\"error\":{\"code\":-8,\"message\":\"redeemScript exceeds size limit: 582 > 520\"}"},
    {"createmultisig",
     "[1,[\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\"],\"bech32m\"]",
     "\"error\":{\"code\":-5,\"message\":\"createmultisig cannot create bech32m multisig addresse"
     "s\"}"},
    {"createmultisig",
     "[1,[\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\"],\"x\"]",
     "\"error\":{\"code\":-5,\"message\":\"Unknown address type 'x'\"}"},
    {"createmultisig",
     "[\"1\",[\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\"]]",
     "\"error\":{\"code\":-3,\"message\":\"Wrong type passed:\\n{\\n    \\\"Position 1 (nrequired"
     ")\\\": \\\"JSON value of type string is not of expected type number\\\"\\n}\"}"},
    {"createmultisig", "[1,[\"zz\"]]",
     "\"error\":{\"code\":-5,\"message\":\"Pubkey \\\"zz\\\" must be a hex string\"}"},
    {"createmultisig", "[1,[\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"]]",
     "\"error\":{\"code\":-5,\"message\":\"Pubkey \\\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt08"
     "0\\\" must be a hex string\"}"},
    {"deriveaddresses", "[\"raw(00)#x\"]",
     "\"error\":{\"code\":-5,\"message\":\"Expected 8 character checksum, not 1 characters\"}"},
    {"deriveaddresses",
     "[\"pkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)#8fhd9pwu\"]",
     "\"error\":{\"code\":-5,\"message\":\"Provided checksum '8fhd9pwu' does not match computed c"
     "hecksum 'e48zzw02'\"}"},
    {"deriveaddresses",
     "[\"pkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)\"]",
     "\"error\":{\"code\":-5,\"message\":\"Missing checksum\"}"},
    {"deriveaddresses",
     "[\"wpkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)#aaaaaaaa\"]",
     "\"error\":{\"code\":-5,\"message\":\"Provided checksum 'aaaaaaaa' does not match computed c"
     "hecksum 'ucxz0gak'\"}"},
    {"getdescriptorinfo",
     "[\"wpkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)\"]",
     "\"result\":{\"descriptor\":\"wpkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815"
     "b16f81798)#ucxz0gak\",\"checksum\":\"ucxz0gak\",\"isrange\":false,\"issolvable\":true,\"has"
     "privatekeys\":false}"},
    {"getdescriptorinfo", "[\"wpkh(cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA)\"]",
     "\"result\":{\"descriptor\":\"wpkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815"
     "b16f81798)#ucxz0gak\",\"checksum\":\"4wpu93nd\",\"isrange\":false,\"issolvable\":true,\"has"
     "privatekeys\":true}"},
    {"getdescriptorinfo",
     "[\"tr(79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)\"]",
     "\"result\":{\"descriptor\":\"tr(79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f"
     "81798)#gxjkeue2\",\"checksum\":\"gxjkeue2\",\"isrange\":false,\"issolvable\":true,\"haspriv"
     "atekeys\":false}"},
    {"getdescriptorinfo", "[\"x\"]",
     "\"error\":{\"code\":-5,\"message\":\"'x' is not a valid descriptor function\"}"},
    {"getdescriptorinfo", "[\"\"]",
     "\"error\":{\"code\":-5,\"message\":\"'' is not a valid descriptor function\"}"},
    {"getdescriptorinfo", "[\"pkh(\"]",
     "\"error\":{\"code\":-5,\"message\":\"'pkh(' is not a valid descriptor function\"}"},
    {"getdescriptorinfo",
     "[\"multi(1,0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,02c6047f9441e"
     "d7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5)\"]",
     "\"result\":{\"descriptor\":\"multi(1,0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2"
     "815b16f81798,02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5)#l5sy3u48\""
     ",\"checksum\":\"l5sy3u48\",\"isrange\":false,\"issolvable\":true,\"hasprivatekeys\":false}"},
    {"getdescriptorinfo",
     "[\"wsh(multi(3,0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,02c6047f9"
     "441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5))\"]",
     "\"error\":{\"code\":-5,\"message\":\"Multisig threshold cannot be larger than the number of"
     " keys; threshold is 3 but only 2 keys specified\"}"},
    {"signmessagewithprivkey",
     "[\"cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA\",\"message\"]",
     "\"result\":\"H3J72x3MXgFnA4767Ng87jVkgmhAgEpl/7BsDoFEVytFEMyestTYuIB9x8zudaqRNRve1R3bg0gW7J"
     "t5w66S/sI=\""},
    {"signmessagewithprivkey", "[\"x\",\"message\"]",
     "\"error\":{\"code\":-5,\"message\":\"Invalid private key\"}"},
    {"verifymessage", "[\"mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r\",\"x\",\"message\"]",
     "\"error\":{\"code\":-3,\"message\":\"Malformed base64 encoding\"}"},
    {"verifymessage", "[\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\",\"\",\"message\"]",
     "\"error\":{\"code\":-3,\"message\":\"Address does not refer to key\"}"},
    {"verifymessage", "[\"x\",\"\",\"m\"]",
     "\"error\":{\"code\":-5,\"message\":\"Invalid address\"}"},
    {"verifymessage",
     "[\"mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r\",\"IBqc2STYbYXr8HpVD3nT/X4rYaxzLFxz7J0bDCYPSRzMNHLeV"
     "xMdyfBrlJS4UyqG0bTfm+DmhOOk0uZUnpWiC3A=\",\"message\"]",
     "\"result\":false"},
    {"validateaddress", "[\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"]",
     "\"result\":{\"isvalid\":true,\"address\":\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\","
     "\"scriptPubKey\":\"0014751e76e8199196d454941c45d1b3a323f1433bd6\",\"isscript\":false,\"iswi"
     "tness\":true,\"witness_version\":0,\"witness_program\":\"751e76e8199196d454941c45d1b3a323f1"
     "433bd6\"}"},
    {"validateaddress", "[\"mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r\"]",
     "\"result\":{\"isvalid\":true,\"address\":\"mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r\",\"scriptPub"
     "Key\":\"76a914751e76e8199196d454941c45d1b3a323f1433bd688ac\",\"isscript\":false,\"iswitness"
     "\":false}"},
    {"validateaddress", "[\"x\"]",
     "\"result\":{\"isvalid\":false,\"error_locations\":[],\"error\":\"Invalid checksum or length"
     " of Base58 address (P2PKH or P2SH)\"}"},
    {"validateaddress", "[\"\"]",
     "\"result\":{\"isvalid\":false,\"error_locations\":[],\"error\":\"Invalid checksum or length"
     " of Base58 address (P2PKH or P2SH)\"}"},
    {"validateaddress", "[5]",
     "\"error\":{\"code\":-3,\"message\":\"Wrong type passed:\\n{\\n    \\\"Position 1 (address)"
     "\\\": \\\"JSON value of type number is not of expected type string\\\"\\n}\"}"},
    {"validateaddress", "[\"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\"]",
     "\"result\":{\"isvalid\":false,\"error_locations\":[],\"error\":\"Invalid or unsupported Seg"
     "wit (Bech32) or Base58 encoding.\"}"},
    {"validateaddress", "[\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081\"]",
     "\"result\":{\"isvalid\":false,\"error_locations\":[43],\"error\":\"Invalid separator positi"
     "on\"}"},
    {"validateaddress", "[\"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2\"]",
     "\"result\":{\"isvalid\":false,\"error_locations\":[],\"error\":\"Invalid or unsupported Bas"
     "e58-encoded address.\"}"},
    {"validateaddress", "[\"bcrt1pxyvm\"]",
     "\"result\":{\"isvalid\":false,\"error_locations\":[4],\"error\":\"Invalid separator positio"
     "n\"}"},
    {"decoderawtransaction",
     "[\"020000000111111111111111111111111111111111111111111111111111111111111111110000000000fdff"
     "ffff01a086010000000000160014751e76e8199196d454941c45d1b3a323f1433bd600000000\"]",
     "\"result\":{\"txid\":\"ce25139f10eafb500139ac263429001300cc61dcfc2cf4beeb4d78ec7a5f2a8d\","
     "\"hash\":\"ce25139f10eafb500139ac263429001300cc61dcfc2cf4beeb4d78ec7a5f2a8d\",\"version\":2"
     ",\"size\":82,\"vsize\":82,\"weight\":328,\"locktime\":0,\"vin\":[{\"txid\":\"11111111111111"
     "11111111111111111111111111111111111111111111111111\",\"vout\":0,\"scriptSig\":{\"asm\":\"\""
     ",\"hex\":\"\"},\"sequence\":4294967293}],\"vout\":[{\"value\":0.00100000,\"n\":0,\"scriptPu"
     "bKey\":{\"asm\":\"0 751e76e8199196d454941c45d1b3a323f1433bd6\",\"desc\":\"addr(bcrt1qw508d6"
     "qejxtdg4y5r3zarvary0c5xw7kygt080)#8pk5s7ya\",\"hex\":\"0014751e76e8199196d454941c45d1b3a323"
     "f1433bd6\",\"address\":\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\",\"type\":\"witness_"
     "v0_keyhash\"}}]}"},
    {"decoderawtransaction", "[\"00\"]",
     "\"error\":{\"code\":-22,\"message\":\"TX decode failed\"}"},
    {"decoderawtransaction", "[\"zz\"]",
     "\"error\":{\"code\":-22,\"message\":\"TX decode failed\"}"},
    {"decoderawtransaction",
     "[\"020000000111111111111111111111111111111111111111111111111111111111111111110000000000fdff"
     "ffff01a086010000000000160014751e76e8199196d454941c45d1b3a323f1433bd60000000000\"]",
     "\"error\":{\"code\":-22,\"message\":\"TX decode failed\"}"},
    {"decoderawtransaction",
     "[\"020000000111111111111111111111111111111111111111111111111111111111111111110000000000fdff"
     "ffff01a086010000000000160014751e76e8199196d454941c45d1b3a323f1433bd600000000\",true]",
     "\"result\":{\"txid\":\"ce25139f10eafb500139ac263429001300cc61dcfc2cf4beeb4d78ec7a5f2a8d\","
     "\"hash\":\"ce25139f10eafb500139ac263429001300cc61dcfc2cf4beeb4d78ec7a5f2a8d\",\"version\":2"
     ",\"size\":82,\"vsize\":82,\"weight\":328,\"locktime\":0,\"vin\":[{\"txid\":\"11111111111111"
     "11111111111111111111111111111111111111111111111111\",\"vout\":0,\"scriptSig\":{\"asm\":\"\""
     ",\"hex\":\"\"},\"sequence\":4294967293}],\"vout\":[{\"value\":0.00100000,\"n\":0,\"scriptPu"
     "bKey\":{\"asm\":\"0 751e76e8199196d454941c45d1b3a323f1433bd6\",\"desc\":\"addr(bcrt1qw508d6"
     "qejxtdg4y5r3zarvary0c5xw7kygt080)#8pk5s7ya\",\"hex\":\"0014751e76e8199196d454941c45d1b3a323"
     "f1433bd6\",\"address\":\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\",\"type\":\"witness_"
     "v0_keyhash\"}}]}"},
    {"decodescript",
     "[\"51210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179851ae\"]",
     "\"result\":{\"asm\":\"1 0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798 "
     "1 OP_CHECKMULTISIG\",\"desc\":\"multi(1,0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d95"
     "9f2815b16f81798)#gs8559k9\",\"type\":\"multisig\",\"p2sh\":\"2N5GpVq89v2GRMDWQMfTwifUZCtqac"
     "zC6Y7\",\"segwit\":{\"asm\":\"0 28205333db922f66e8a941b4a32d66de5cea03d9cda46e3e6658935272b"
     "9b24f\",\"desc\":\"wsh(multi(1,0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16"
     "f81798))#ukecy0kt\",\"hex\":\"002028205333db922f66e8a941b4a32d66de5cea03d9cda46e3e665893527"
     "2b9b24f\",\"address\":\"bcrt1q9qs9xv7mjghkd69fgx62xttxmeww5q7eekjxu0nxtzf4yu4ekf8s0sr689\","
     "\"type\":\"witness_v0_scripthash\",\"p2sh-segwit\":\"2MuckXYMSkbjmGz4LpEhd9QTRztpMceVskG\"}"
     "}"},
    {"decodescript", "[\"\"]",
     "\"result\":{\"asm\":\"\",\"desc\":\"raw()#58lrscpx\",\"type\":\"nonstandard\",\"p2sh\":\"2N"
     "9hLwkSqr1cPQAPxbrGVUjxyjD11G2e1he\",\"segwit\":{\"asm\":\"0 e3b0c44298fc1c149afbf4c8996fb92"
     "427ae41e4649b934ca495991b7852b855\",\"desc\":\"addr(bcrt1quwcvgs5clswpfxhm7nyfjmaeysn6us0yv"
     "jdexn9yjkv3k7zjhp2snwgpgy)#ctv6wqhy\",\"hex\":\"0020e3b0c44298fc1c149afbf4c8996fb92427ae41e"
     "4649b934ca495991b7852b855\",\"address\":\"bcrt1quwcvgs5clswpfxhm7nyfjmaeysn6us0yvjdexn9yjkv"
     "3k7zjhp2snwgpgy\",\"type\":\"witness_v0_scripthash\",\"p2sh-segwit\":\"2N2CmnxjBbPTHrawgG2F"
     "kTuBLcJtEzA86sF\"}}"},
    {"decodescript", "[\"zz\"]",
     "\"error\":{\"code\":-8,\"message\":\"argument must be hexadecimal string (not 'zz')\"}"},
    {"decodescript", "[\"0014751e76e8199196d454941c45d1b3a323f1433bd6\"]",
     "\"result\":{\"asm\":\"0 751e76e8199196d454941c45d1b3a323f1433bd6\",\"desc\":\"addr(bcrt1qw5"
     "08d6qejxtdg4y5r3zarvary0c5xw7kygt080)#8pk5s7ya\",\"address\":\"bcrt1qw508d6qejxtdg4y5r3zarv"
     "ary0c5xw7kygt080\",\"type\":\"witness_v0_keyhash\",\"p2sh\":\"2NAUYAHhujozruyzpsFRP63mbrdaU"
     "5wnEpN\"}"},
    {"decodescript", "[\"6a0568656c6c6f\"]",
     "\"result\":{\"asm\":\"OP_RETURN 68656c6c6f\",\"desc\":\"raw(6a0568656c6c6f)#yktqjuxu\",\"ty"
     "pe\":\"nulldata\"}"},
    {"decodescript", "[\"76a914751e76e8199196d454941c45d1b3a323f1433bd688ac\"]",
     "\"result\":{\"asm\":\"OP_DUP OP_HASH160 751e76e8199196d454941c45d1b3a323f1433bd6 OP_EQUALVE"
     "RIFY OP_CHECKSIG\",\"desc\":\"addr(mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r)#wdmryvnu\",\"address"
     "\":\"mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r\",\"type\":\"pubkeyhash\",\"p2sh\":\"2NByiBUaEXrhmq"
     "Asg7BbLpcQSAQs1EDwt5w\",\"segwit\":{\"asm\":\"0 751e76e8199196d454941c45d1b3a323f1433bd6\","
     "\"desc\":\"addr(bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080)#8pk5s7ya\",\"hex\":\"0014751e"
     "76e8199196d454941c45d1b3a323f1433bd6\",\"address\":\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7k"
     "ygt080\",\"type\":\"witness_v0_keyhash\",\"p2sh-segwit\":\"2NAUYAHhujozruyzpsFRP63mbrdaU5wn"
     "EpN\"}}"},
    {"decodescript", "[\"4c\"]",
     "\"result\":{\"asm\":\"[error]\",\"desc\":\"raw(4c)#w8vxm298\",\"type\":\"nonstandard\"}"},
    {"createrawtransaction",
     "[[{\"txid\":\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\",\"vout\":0"
     "}],[{\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\":\"0.1\"}]]",
     "\"result\":\"02000000013ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a0000"
     "000000fdffffff018096980000000000160014751e76e8199196d454941c45d1b3a323f1433bd600000000\""},
    {"createrawtransaction",
     "[[{\"txid\":\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\",\"vout\":0"
     ",\"sequence\":5}],[{\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\":0.1},{\"data\":\"00ff"
     "\"}],99]",
     "\"result\":\"02000000013ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a0000"
     "00000005000000028096980000000000160014751e76e8199196d454941c45d1b3a323f1433bd60000000000000"
     "000046a0200ff63000000\""},
    {"createrawtransaction",
     "[[{\"txid\":\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\",\"vout\":-"
     "1}],[]]",
     "\"error\":{\"code\":-8,\"message\":\"Invalid parameter, vout cannot be negative\"}"},
    {"createrawtransaction", "[[{\"txid\":\"00\",\"vout\":0}],[]]",
     "\"error\":{\"code\":-8,\"message\":\"txid must be of length 64 (not 2, for '00')\"}"},
    {"createrawtransaction",
     "[[{\"txid\":\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\"}],[]]",
     "\"error\":{\"code\":-8,\"message\":\"Invalid parameter, missing vout key\"}"},
    {"createrawtransaction", "[[],[{\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\":-1}]]",
     "\"error\":{\"code\":-3,\"message\":\"Amount out of range\"}"},
    {"createrawtransaction",
     "[[],[{\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\":\"0.000000001\"}]]",
     "\"error\":{\"code\":-3,\"message\":\"Invalid amount\"}"},
    {"createrawtransaction",
     "[[],[{\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\":1},{\"bcrt1qw508d6qejxtdg4y5r3zarvar"
     "y0c5xw7kygt080\":2}]]",
     "\"error\":{\"code\":-8,\"message\":\"Invalid parameter, duplicated address: bcrt1qw508d6qej"
     "xtdg4y5r3zarvary0c5xw7kygt080\"}"},
    {"createrawtransaction", "[[],[{\"x\":1}]]",
     "\"error\":{\"code\":-5,\"message\":\"Invalid Bitcoin address: x\"}"},
    {"createrawtransaction", "[[],[{\"data\":\"zz\"}]]",
     "\"error\":{\"code\":-8,\"message\":\"Data must be hexadecimal string (not 'zz')\"}"},
    {"createrawtransaction", "[[],[{\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\":21000001}]]",
     "\"error\":{\"code\":-3,\"message\":\"Amount out of range\"}"},
    {"createrawtransaction", "[[],[],-1]",
     "\"error\":{\"code\":-8,\"message\":\"Invalid parameter, locktime out of range\"}"},
    {"createrawtransaction", "[[],[],4294967296]",
     "\"error\":{\"code\":-8,\"message\":\"Invalid parameter, locktime out of range\"}"},
    {"createrawtransaction", "[[],[],0,true,4]",
     "\"error\":{\"code\":-8,\"message\":\"Invalid parameter, version out of range(1~3)\"}"},
    {"createrawtransaction", "[[],[],0,false,3]", "\"result\":\"03000000000000000000\""},
    {"createrawtransaction",
     "[[{\"txid\":\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\",\"vout\":0"
     ",\"sequence\":4294967295}],[],0,true]",
     "\"error\":{\"code\":-8,\"message\":\"Invalid parameter combination: Sequence number(s) cont"
     "radict replaceable option\"}"},
    {"createrawtransaction", "[{},[]]",
     "\"error\":{\"code\":-3,\"message\":\"Wrong type passed:\\n{\\n    \\\"Position 1 (inputs)\\"
     "\": \\\"JSON value of type object is not of expected type array\\\"\\n}\"}"},
    {"createrawtransaction", "[[],[{\"data\":\"00\"},{\"data\":\"01\"}]]",
     "\"error\":{\"code\":-8,\"message\":\"Invalid parameter, duplicate key: data\"}"},
};

static void replies(void)
{
    static const uint8_t seed[32] = {1};
    struct rpc_context context;
    struct rpc_server *server;

    secp_init(seed);
    asking_context(&context, params_of(NETWORK_REGTEST));
    server = rpc_server_new(&context);
    rpc_server_end_warmup(server);
    EXPECT_TRUE("every reply", asking_check(server, rows, ARRAY_LEN(rows)));
    rpc_server_free(server);
    secp_clear();
}

TEST_LIST(TEST(replies))
