#include "consensus/params.h"

#include <string.h>

#include "script/flags.h"

/* A 256-bit value as users see it, in four groups of sixteen digits, to the
 * bytes of the wire: last digit first. */
#define WORD(w)                                                                           \
    (uint8_t)((w) >> 0), (uint8_t)((w) >> 8), (uint8_t)((w) >> 16), (uint8_t)((w) >> 24), \
        (uint8_t)((w) >> 32), (uint8_t)((w) >> 40), (uint8_t)((w) >> 48), (uint8_t)((w) >> 56)
#define BYTES(w3, w2, w1, w0)                                                          \
    {                                                                                  \
        WORD(UINT64_C(w0)), WORD(UINT64_C(w1)), WORD(UINT64_C(w2)), WORD(UINT64_C(w3)) \
    }
#define HASH(w3, w2, w1, w0)       \
    {                              \
        .b = BYTES(w3, w2, w1, w0) \
    }

/* Genesis blocks, piece by piece. All but testnet4's share their one
 * transaction, so they differ in time, bits and nonce only. */
#define ZERO_8 "\0\0\0\0\0\0\0\0"
#define ZERO_32 ZERO_8 ZERO_8 ZERO_8 ZERO_8
#define VERSION_1 "\x01\0\0\0"
#define COINBASE_HEAD VERSION_1 "\x01" ZERO_32 "\xff\xff\xff\xff"
#define FIFTY_COINS "\0\xf2\x05\x2a\x01\0\0\0"
#define COINBASE_2009                                                          \
    "\x01" COINBASE_HEAD "\x4d\x04\xff\xff\0\x1d\x01\x04\x45"                  \
    "The Times 03/Jan/2009 Chancellor on brink of second bailout for banks"    \
    "\xff\xff\xff\xff\x01" FIFTY_COINS                                         \
    "\x43\x41\x04\x67\x8a\xfd\xb0\xfe\x55\x48\x27\x19\x67\xf1\xa6\x71\x30\xb7" \
    "\x10\x5c\xd6\xa8\x28\xe0\x39\x09\xa6\x79\x62\xe0\xea\x1f\x61\xde\xb6\x49" \
    "\xf6\xbc\x3f\x4c\xef\x38\xc4\xf3\x55\x04\xe5\x1e\xc1\x12\xde\x5c\x38\x4d" \
    "\xf7\xba\x0b\x8d\x57\x8a\x4c\x70\x2b\x6b\xf1\x1d\x5f\xac"                 \
    "\0\0\0\0"
#define ROOT_2009                                                              \
    "\x3b\xa3\xed\xfd\x7a\x7b\x12\xb2\x7a\xc7\x2c\x3e\x67\x76\x8f\x61\x7f\xc8" \
    "\x1b\xc3\x88\x8a\x51\x32\x3a\x9f\xb8\xaa\x4b\x1e\x5e\x4a"
#define COINBASE_2024                                                              \
    "\x01" COINBASE_HEAD "\x55\x04\xff\xff\0\x1d\x01\x04\x4c\x4c"                  \
    "03/May/2024 000000000000000000001ebd58c244970b3aa9d783bb001011fbe8ea8e98e00e" \
    "\xff\xff\xff\xff\x01" FIFTY_COINS "\x23\x21" ZERO_32 "\0\xac"                 \
    "\0\0\0\0"
#define ROOT_2024                                                              \
    "\x4e\x7b\x2b\x91\x28\xfe\x02\x91\xdb\x06\x93\xaf\x2a\xe4\x18\xb7\x67\xe6" \
    "\x57\xcd\x40\x7e\x80\xcb\x14\x34\x22\x1e\xae\xa7\xa0\x7a"
#define GENESIS(root, time, bits, nonce, coinbase) VERSION_1 ZERO_32 root time bits nonce coinbase

static const char genesis_main[] =
    GENESIS(ROOT_2009, "\x29\xab\x5f\x49", "\xff\xff\x00\x1d", "\x1d\xac\x2b\x7c", COINBASE_2009);
static const char genesis_test[] =
    GENESIS(ROOT_2009, "\xda\xe5\x49\x4d", "\xff\xff\x00\x1d", "\x1a\xa4\xae\x18", COINBASE_2009);
static const char genesis_testnet4[] =
    GENESIS(ROOT_2024, "\x04\x6f\x35\x66", "\xff\xff\x00\x1d", "\xbb\x0c\x78\x17", COINBASE_2024);
static const char genesis_signet[] =
    GENESIS(ROOT_2009, "\x00\x8f\x4d\x5f", "\xae\x77\x03\x1e", "\x8a\xd2\x22\x03", COINBASE_2009);
static const char genesis_regtest[] =
    GENESIS(ROOT_2009, "\xda\xe5\x49\x4d", "\xff\xff\x7f\x20", "\x02\x00\x00\x00", COINBASE_2009);
#define BYTES_OF(bytes)                                            \
    {                                                              \
        .data = (const uint8_t *)(bytes), .len = sizeof(bytes) - 1 \
    }

static const char *const seeds_main[] = {"dnsseed.bluematt.me.",
                                         "seed.bitcoin.jonasschnelli.ch.",
                                         "seed.btc.petertodd.net.",
                                         "seed.bitcoin.sprovoost.nl.",
                                         "dnsseed.emzy.de.",
                                         "seed.bitcoin.wiz.biz.",
                                         "seed.mainnet.achownodes.xyz.",
                                         NULL};

static const struct snapshot_params snapshots_main[] = {
    {.height = 840000,
     .hash_serialized =
         BYTES(0xa2a5521b1b5ab65f, 0x67818e5e8eccabb7, 0x171a517f9e238220, 0x8f77687310768f96),
     .chain_tx_n = 991032194,
     .block_hash =
         HASH(0x0000000000000000, 0x000320283a032748, 0xcef8227873ff4872, 0x689bf23f1cda83a5)},
    {.height = 880000,
     .hash_serialized =
         BYTES(0xdbd190983eaf433e, 0xf7c15f78a278ae42, 0xc00ef52e0fd2a549, 0x53782175fbadcea9),
     .chain_tx_n = 1145604538,
     .block_hash =
         HASH(0x0000000000000000, 0x00010b17283c3c40, 0x0507969a9c2afd1d, 0xcf2082ec5cca2880)},
    {.height = 910000,
     .hash_serialized =
         BYTES(0x4daf8a17b4902498, 0xc5787966a2b51c61, 0x3acdab5df5db73f1, 0x96fa59a4da2f1568),
     .chain_tx_n = 1226586151,
     .block_hash =
         HASH(0x0000000000000000, 0x000108970acb9522, 0xffd516eae17acddc, 0xb1bd16469194a821)},
    {.height = 935000,
     .hash_serialized =
         BYTES(0xe4b90ef9eae834f5, 0x6c4b64d2d50143ce, 0xe10ad87994c614d7, 0xd04125e2a6025050),
     .chain_tx_n = 1305397408,
     .block_hash =
         HASH(0x0000000000000000, 0x000147034958af16, 0x52b2b91bba607bea, 0xcc5e72a56f0fb5ee)},
};

static const char *const seeds_test[] = {"testnet-seed.bitcoin.jonasschnelli.ch.",
                                         "seed.tbtc.petertodd.net.", "testnet-seed.bluematt.me.",
                                         "seed.testnet.achownodes.xyz.", NULL};

static const struct snapshot_params snapshots_test[] = {
    {.height = 2500000,
     .hash_serialized =
         BYTES(0xf841584909f68e47, 0x897952345234e37f, 0xcd9128cd818f41ee, 0x6c3ca68db8071be7),
     .chain_tx_n = 66484552,
     .block_hash =
         HASH(0x0000000000000093, 0xbcb68c03a9a168ae, 0x252572d348a2eaeb, 0xa2cdf9231d73206f)},
    {.height = 4840000,
     .hash_serialized =
         BYTES(0xce6bb677bb2ee978, 0x9c4a1c9d73e6683c, 0x53fc20e8fdbedbda, 0xaf468982a0c8db2a),
     .chain_tx_n = 536078574,
     .block_hash =
         HASH(0x00000000000000f4, 0x971a7fb37fbdff89, 0x315b69a2e1920c46, 0x7654a382f0d64786)},
};

static const char *const seeds_testnet4[] = {"seed.testnet4.bitcoin.sprovoost.nl.",
                                             "seed.testnet4.wiz.biz.", NULL};

static const struct snapshot_params snapshots_testnet4[] = {
    {.height = 90000,
     .hash_serialized =
         BYTES(0x784fb5e98241de66, 0xfdd429f4392155c9, 0xe7db5c017148e66e, 0x8fdbc95746f8b9b5),
     .chain_tx_n = 11347043,
     .block_hash =
         HASH(0x0000000002ebe8bc, 0xda020e0dd6ccfbdf, 0xac531d2f6a814571, 0x91b99fc2df2dbe3b)},
    {.height = 120000,
     .hash_serialized =
         BYTES(0x10b05d05ad468d09, 0x71162e1b222a4aa6, 0x6caca89da2bb2a93, 0xf8f37fb29c4794b0),
     .chain_tx_n = 14141057,
     .block_hash =
         HASH(0x000000000bd2317e, 0x51b3c5794981c35b, 0xa894ce27d3e772d5, 0xc39ecd9cbce01dc8)},
};

static const char *const seeds_signet[] = {"seed.signet.bitcoin.sprovoost.nl.",
                                           "seed.signet.achownodes.xyz.", NULL};

static const struct snapshot_params snapshots_signet[] = {
    {.height = 160000,
     .hash_serialized =
         BYTES(0xfe0a44309b74d6b5, 0x883d246cb419c622, 0x1bcccf0b308c9b59, 0xb7d70783dbdf928a),
     .chain_tx_n = 2289496,
     .block_hash =
         HASH(0x0000003ca3c99aff, 0x040f2563c2ad8f8e, 0xc88bd0fd6b8f0895, 0xcfaf1ef90353a62c)},
    {.height = 290000,
     .hash_serialized =
         BYTES(0x97267e000b4b8768, 0x00167e71b9123f15, 0x29d13b14308abec2, 0x888bbd2160d14545),
     .chain_tx_n = 28547497,
     .block_hash =
         HASH(0x0000000577f2741b, 0xb30cd9d39d6d71b0, 0x23afbeb9764f6260, 0x786a97969d5c9ac0)},
};

static const char *const seeds_regtest[] = {"dummySeed.invalid.", NULL};

static const struct snapshot_params snapshots_regtest[] = {
    {.height = 110,
     .hash_serialized =
         BYTES(0x86e9a1205b418b16, 0xdde3a18a78c730e3, 0x0137e28466bda5db, 0xf6b33ab8fc05447c),
     .chain_tx_n = 111,
     .block_hash =
         HASH(0x135eec25a6fb2778, 0x84e5824e7aa7d052, 0xc4868161c99a5122, 0x170b5266f86c273d)},
    {.height = 200,
     .hash_serialized =
         BYTES(0x17dcc016d188d160, 0x68907cdeb38b7569, 0x1a118d43053b8cd6, 0xa25969419381d13a),
     .chain_tx_n = 201,
     .block_hash =
         HASH(0x385901ccbd69dff6, 0xbbd00065d01fb8a9, 0xe464dede7cfe0372, 0x443884f9b1dcf6b9)},
    {.height = 299,
     .hash_serialized =
         BYTES(0x106b2c56233e378a, 0x824cf0d5ff2be42e, 0xd32c72f1605c9be2, 0x88d00942908a40ac),
     .chain_tx_n = 334,
     .block_hash =
         HASH(0x0c552ced4721c249, 0xa389eb9b08cb8da2, 0x61cd46f0e7b5f9d0, 0x64d48f3113406853)},
};

static const struct script_exception exceptions_main[] = {
    /* BIP 16: a P2SH output spent before the rule was in force. */
    {.hash = HASH(0x00000000000002dc, 0x756eebf4f49723ed, 0x8d30cc28a5f108eb, 0x94b1ba88ac4f9c22),
     .flags = SCRIPT_VERIFY_NONE},
    /* BIP 341: a version 1 program spent without a signature. */
    {.hash = HASH(0x0000000000000000, 0x000f14c35b2d841e, 0x986ab5441de8c585, 0xd5ffe55ea1e395ad),
     .flags = SCRIPT_VERIFY(P2SH) | SCRIPT_VERIFY(WITNESS)},
};

static const struct script_exception exceptions_test[] = {
    {.hash = HASH(0x00000000dd30457c, 0x001f4095d208cc12, 0x96b0eed002427aa5, 0x99874af7a432b105),
     .flags = SCRIPT_VERIFY_NONE},
};

/* 1-of-2 multisig of the two keys that sign the default signet. */
static const char signet_challenge[] =
    "\x51\x21\x03\xad\x5e\x0e\xda\xd1\x8c\xb1\xf0\xfc\x0d\x28\xa3\xd4\xf1\xf3"
    "\xe4\x45\x64\x03\x37\x48\x9a\xbb\x10\x40\x4f\x2d\x1e\x08\x6b\xe4\x30\x21"
    "\x03\x59\xef\x50\x21\x96\x4f\xe2\x2d\x6f\x8e\x05\xb2\x46\x3c\x95\x40\xce"
    "\x96\x88\x3f\xe3\xb2\x78\x76\x0f\x04\x8f\x51\x89\xf2\xe6\xc4\x52\xae";

/* No deployment is under way: the one there is serves tests. */
#define TESTDUMMY(start, threshold_n, period_n) \
    {                                           \
        [DEPLOYMENT_TESTDUMMY] = {              \
            .bit = 28,                          \
            .start_time = (start),              \
            .timeout = DEPLOYMENT_NO_TIMEOUT,   \
            .period = (period_n),               \
            .threshold = (threshold_n)          \
        }                                       \
    }

#define PREFIXES_MAIN                                                           \
    .prefix_pubkey_hash = 0, .prefix_script_hash = 5, .prefix_secret_key = 128, \
    .prefix_xpub = {0x04, 0x88, 0xb2, 0x1e}, .prefix_xprv = {0x04, 0x88, 0xad, 0xe4}
#define PREFIXES_TEST                                                               \
    .prefix_pubkey_hash = 111, .prefix_script_hash = 196, .prefix_secret_key = 239, \
    .prefix_xpub = {0x04, 0x35, 0x87, 0xcf}, .prefix_xprv = {0x04, 0x35, 0x83, 0x94}

#define TWO_WEEKS_S (14 * 24 * 60 * 60)
#define ONE_DAY_S (24 * 60 * 60)

static const struct params networks[NETWORK_COUNT] =
    {
        [NETWORK_MAIN] =
            {
                .network = NETWORK_MAIN,
                .name = "main",
                .folder = "",
                .magic = {0xf9, 0xbe, 0xb4, 0xd9},
                .p2p_port = 8333,
                .rpc_port = 8332,
                PREFIXES_MAIN,
                .bech32_hrp = "bc",
                .dns_seeds = seeds_main,
                .genesis = BYTES_OF(genesis_main),
                .genesis_hash = HASH(0x000000000019d668, 0x9c085ae165831e93, 0x4ff763ae46a2a6c1,
                                     0x72b3f1b60a8ce26f),
                .pow_limit = BYTES(0x00000000ffffffff, 0xffffffffffffffff, 0xffffffffffffffff,
                                   0xffffffffffffffff),
                .pow_min_difficulty_blocks = false,
                .pow_no_retargeting = false,
                .enforce_bip94 = false,
                .pow_target_spacing_s = 10 * 60,
                .pow_target_timespan_s = TWO_WEEKS_S,
                .subsidy_halving_interval = 210000,
                .buried_height = {[BURIED_BIP34] = 227931,
                                  [BURIED_BIP65] = 388381,
                                  [BURIED_BIP66] = 363725,
                                  [BURIED_CSV] = 419328,
                                  [BURIED_SEGWIT] = 481824},
                .bip34_hash = HASH(0x000000000000024b, 0x89b42a942fe0d9fe, 0xa3bb44ab7bd1b191,
                                   0x15dd6a759c0808b8),
                .deployments = TESTDUMMY(DEPLOYMENT_NEVER_ACTIVE, 1815, 2016),
                .unknown_signals_from_height = 711648,
                .script_exceptions = exceptions_main,
                .script_exceptions_n = sizeof(exceptions_main) / sizeof(exceptions_main[0]),
                .minimum_chain_work = BYTES(0x0000000000000000, 0x0000000000000000,
                                            0x00000001128750f8, 0x2f4c366153a3a030),
                .default_assumevalid = HASH(0x0000000000000000, 0x0000ccebd6d74d91,
                                            0x94d8dcdc1d177c47, 0x8e094bfad51ba5ac),
                .snapshots = snapshots_main,
                .snapshots_n = sizeof(snapshots_main) / sizeof(snapshots_main[0]),
                .prune_after_height = 100000,
                .chain_size_gb = 856,
                .coins_size_gb = 14,
                .chain_tx_time = 1772055173,
                .chain_tx_n = 1315805869,
                .chain_tx_rate = 5.40111006496122,
                .is_test_chain = false,
                .is_mockable = false,
                .default_consistency_checks = false,
            },
        [NETWORK_TEST] =
            {
                .network = NETWORK_TEST,
                .name = "test",
                .folder = "testnet3",
                .magic = {0x0b, 0x11, 0x09, 0x07},
                .p2p_port = 18333,
                .rpc_port = 18332,
                PREFIXES_TEST,
                .bech32_hrp = "tb",
                .dns_seeds = seeds_test,
                .genesis = BYTES_OF(genesis_test),
                .genesis_hash = HASH(0x000000000933ea01, 0xad0ee984209779ba, 0xaec3ced90fa3f408,
                                     0x719526f8d77f4943),
                .pow_limit = BYTES(0x00000000ffffffff, 0xffffffffffffffff, 0xffffffffffffffff,
                                   0xffffffffffffffff),
                .pow_min_difficulty_blocks = true,
                .pow_no_retargeting = false,
                .enforce_bip94 = false,
                .pow_target_spacing_s = 10 * 60,
                .pow_target_timespan_s = TWO_WEEKS_S,
                .subsidy_halving_interval = 210000,
                .buried_height = {[BURIED_BIP34] = 21111,
                                  [BURIED_BIP65] = 581885,
                                  [BURIED_BIP66] = 330776,
                                  [BURIED_CSV] = 770112,
                                  [BURIED_SEGWIT] = 834624},
                .bip34_hash = HASH(0x0000000023b3a96d, 0x3484e5abb3755c41, 0x3e7d41500f8e2a5c,
                                   0x3f0dd01299cd8ef8),
                .deployments = TESTDUMMY(DEPLOYMENT_NEVER_ACTIVE, 1512, 2016),
                .unknown_signals_from_height = 2013984,
                .script_exceptions = exceptions_test,
                .script_exceptions_n = sizeof(exceptions_test) / sizeof(exceptions_test[0]),
                .minimum_chain_work = BYTES(0x0000000000000000, 0x0000000000000000,
                                            0x00000000000017dd, 0xe1c649f3708d14b6),
                .default_assumevalid = HASH(0x000000007a61e423, 0x0b28ac5cb6b5e5a0,
                                            0x130de37ac1faf2f8, 0x987d2fa6505b67f4),
                .snapshots = snapshots_test,
                .snapshots_n = sizeof(snapshots_test) / sizeof(snapshots_test[0]),
                .prune_after_height = 1000,
                .chain_size_gb = 245,
                .coins_size_gb = 19,
                .chain_tx_time = 1772051651,
                .chain_tx_n = 536108416,
                .chain_tx_rate = 0.02691479016257117,
                .is_test_chain = true,
                .is_mockable = false,
                .default_consistency_checks = false,
            },
        [NETWORK_TESTNET4] =
            {
                .network = NETWORK_TESTNET4,
                .name = "testnet4",
                .folder = "testnet4",
                .magic = {0x1c, 0x16, 0x3f, 0x28},
                .p2p_port = 48333,
                .rpc_port = 48332,
                PREFIXES_TEST,
                .bech32_hrp = "tb",
                .dns_seeds = seeds_testnet4,
                .genesis = BYTES_OF(genesis_testnet4),
                .genesis_hash = HASH(0x00000000da84f2ba, 0xfbbc53dee25a72ae, 0x507ff4914b867c56,
                                     0x5be350b0da8bf043),
                .pow_limit = BYTES(0x00000000ffffffff, 0xffffffffffffffff, 0xffffffffffffffff,
                                   0xffffffffffffffff),
                .pow_min_difficulty_blocks = true,
                .pow_no_retargeting = false,
                .enforce_bip94 = true,
                .pow_target_spacing_s = 10 * 60,
                .pow_target_timespan_s = TWO_WEEKS_S,
                .subsidy_halving_interval = 210000,
                .buried_height = {[BURIED_BIP34] = 1,
                                  [BURIED_BIP65] = 1,
                                  [BURIED_BIP66] = 1,
                                  [BURIED_CSV] = 1,
                                  [BURIED_SEGWIT] = 1},
                .deployments = TESTDUMMY(DEPLOYMENT_NEVER_ACTIVE, 1512, 2016),
                .unknown_signals_from_height = 0,
                .minimum_chain_work = BYTES(0x0000000000000000, 0x0000000000000000,
                                            0x00000000000009a0, 0xfe15d0177d086304),
                .default_assumevalid = HASH(0x0000000002368b1e, 0x4ee27e2e85676ae6,
                                            0xf9f9e69579b29093, 0xe9a82c170bf7cf8a),
                .snapshots = snapshots_testnet4,
                .snapshots_n = sizeof(snapshots_testnet4) / sizeof(snapshots_testnet4[0]),
                .prune_after_height = 1000,
                .chain_size_gb = 31,
                .coins_size_gb = 2,
                .chain_tx_time = 1772013387,
                .chain_tx_n = 14191421,
                .chain_tx_rate = 0.01848579579528412,
                .is_test_chain = true,
                .is_mockable = false,
                .default_consistency_checks = false,
            },
        [NETWORK_SIGNET] =
            {
                .network = NETWORK_SIGNET,
                .name = "signet",
                .folder = "signet",
                .magic = {0x0a, 0x03, 0xcf, 0x40},
                .p2p_port = 38333,
                .rpc_port = 38332,
                PREFIXES_TEST,
                .bech32_hrp = "tb",
                .dns_seeds = seeds_signet,
                .genesis = BYTES_OF(genesis_signet),
                .genesis_hash = HASH(0x00000008819873e9, 0x25422c1ff0f99f7c, 0xc9bbb232af63a077,
                                     0xa480a3633bee1ef6),
                .pow_limit = BYTES(0x00000377ae000000, 0x0000000000000000, 0x0000000000000000,
                                   0x0000000000000000),
                .pow_min_difficulty_blocks = false,
                .pow_no_retargeting = false,
                .enforce_bip94 = false,
                .pow_target_spacing_s = 10 * 60,
                .pow_target_timespan_s = TWO_WEEKS_S,
                .subsidy_halving_interval = 210000,
                .buried_height = {[BURIED_BIP34] = 1,
                                  [BURIED_BIP65] = 1,
                                  [BURIED_BIP66] = 1,
                                  [BURIED_CSV] = 1,
                                  [BURIED_SEGWIT] = 1},
                .deployments = TESTDUMMY(DEPLOYMENT_NEVER_ACTIVE, 1815, 2016),
                .unknown_signals_from_height = 0,
                .signet_blocks = true,
                .signet_challenge = BYTES_OF(signet_challenge),
                .minimum_chain_work = BYTES(0x0000000000000000, 0x0000000000000000,
                                            0x0000000000000000, 0x00000b463ea0a4b8),
                .default_assumevalid = HASH(0x00000008414aab61, 0x092ef93f1aacc54c,
                                            0xf9e9f16af29ddad4, 0x93b908a01ff5c329),
                .snapshots = snapshots_signet,
                .snapshots_n = sizeof(snapshots_signet) / sizeof(snapshots_signet[0]),
                .prune_after_height = 1000,
                .chain_size_gb = 24,
                .coins_size_gb = 4,
                .chain_tx_time = 1772055248,
                .chain_tx_n = 28676833,
                .chain_tx_rate = 0.06736623436338929,
                .is_test_chain = true,
                .is_mockable = false,
                .default_consistency_checks = false,
            },
        [NETWORK_REGTEST] =
            {
                .network = NETWORK_REGTEST,
                .name = "regtest",
                .folder = "regtest",
                .magic = {0xfa, 0xbf, 0xb5, 0xda},
                .p2p_port = 18444,
                .rpc_port = 18443,
                PREFIXES_TEST,
                .bech32_hrp = "bcrt",
                .dns_seeds = seeds_regtest,
                .genesis = BYTES_OF(genesis_regtest),
                .genesis_hash = HASH(0x0f9188f13cb7b2c7, 0x1f2a335e3a4fc328, 0xbf5beb436012afca,
                                     0x590b1a11466e2206),
                .pow_limit = BYTES(0x7fffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff,
                                   0xffffffffffffffff),
                .pow_min_difficulty_blocks = true,
                .pow_no_retargeting = true,
                .enforce_bip94 = false,
                .pow_target_spacing_s = 10 * 60,
                .pow_target_timespan_s = ONE_DAY_S,
                .subsidy_halving_interval = 150,
                .buried_height = {[BURIED_BIP34] = 1,
                                  [BURIED_BIP65] = 1,
                                  [BURIED_BIP66] = 1,
                                  [BURIED_CSV] = 1,
                                  [BURIED_SEGWIT] = 0},
                .deployments = TESTDUMMY(0, 108, 144),
                .unknown_signals_from_height = 0,
                .snapshots = snapshots_regtest,
                .snapshots_n = sizeof(snapshots_regtest) / sizeof(snapshots_regtest[0]),
                .prune_after_height = 1000,
                .chain_size_gb = 0,
                .coins_size_gb = 0,
                .chain_tx_time = 0,
                .chain_tx_n = 0,
                .chain_tx_rate = 0.001,
                .is_test_chain = true,
                .is_mockable = true,
                .default_consistency_checks = true,
            },
};

const struct params *params_of(enum network network)
{
    return &networks[network];
}

const struct params *params_by_name(const char *name)
{
    for (int i = 0; i < NETWORK_COUNT; i++) {
        if (strcmp(networks[i].name, name) == 0)
            return &networks[i];
    }
    return NULL;
}

const struct params *params_by_magic(const uint8_t *magic)
{
    for (int i = 0; i < NETWORK_COUNT; i++) {
        if (memcmp(networks[i].magic, magic, sizeof(networks[i].magic)) == 0)
            return &networks[i];
    }
    return NULL;
}
