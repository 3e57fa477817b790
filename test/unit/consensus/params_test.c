/* The five networks, and what the command line may change in them. */
#include "consensus/params.h"

#include "consensus/pow.h"
#include "primitives/block.h"
#include "primitives/merkle.h"
#include "test.h"

static const struct {
    const char *name;
    const char *folder;
    const char *genesis;
    const char *hrp;
    uint32_t magic; /* As read from the wire. */
    uint16_t p2p_port;
    uint16_t rpc_port;
    uint32_t limit_bits;
} rows[NETWORK_COUNT] = {
    {"main", "", "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f", "bc",
     0xf9beb4d9, 8333, 8332, 0x1d00ffff},
    {"test", "testnet3", "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943", "tb",
     0x0b110907, 18333, 18332, 0x1d00ffff},
    {"testnet4", "testnet4", "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
     "tb", 0x1c163f28, 48333, 48332, 0x1d00ffff},
    {"signet", "signet", "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6", "tb",
     0x0a03cf40, 38333, 38332, 0x1e0377ae},
    {"regtest", "regtest", "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
     "bcrt", 0xfabfb5da, 18444, 18443, 0x207fffff},
};

static void networks_are_complete(void)
{
    for (int i = 0; i < NETWORK_COUNT; i++) {
        const struct params *params = params_by_name(rows[i].name);
        struct u256 limit;

        if (!EXPECT_TRUE(rows[i].name, params == params_of((enum network)i)))
            continue;
        limit = u256_of_hash(params->pow_limit);
        EXPECT_INT(rows[i].name, params->network, i);
        EXPECT_STR(rows[i].name, params->folder, rows[i].folder);
        EXPECT_STR(rows[i].name, params->bech32_hrp, rows[i].hrp);
        EXPECT_U64(rows[i].name, get_be32(params->magic), rows[i].magic);
        EXPECT_U64(rows[i].name, params->p2p_port, rows[i].p2p_port);
        EXPECT_U64(rows[i].name, params->rpc_port, rows[i].rpc_port);
        EXPECT_U64(rows[i].name, bits_of_target(&limit), rows[i].limit_bits);
        EXPECT_STR(rows[i].name, hash_hex(params->genesis_hash.b).text, rows[i].genesis);
        EXPECT_TRUE(rows[i].name, params_by_magic(params->magic) == params);
        EXPECT_TRUE(rows[i].name, params->dns_seeds[0] != NULL);
        EXPECT_INT(rows[i].name, params_retarget_period(params), i == NETWORK_REGTEST ? 144 : 2016);
        EXPECT_TRUE(rows[i].name, params->snapshots_n >= 2);
    }
    EXPECT_TRUE("unknown", params_by_name("testnet3") == NULL);
    EXPECT_TRUE("unknown", params_by_magic((const uint8_t *)"abcd") == NULL);
}

static void genesis_blocks_are_what_their_hashes_say(void)
{
    for (int i = 0; i < NETWORK_COUNT; i++) {
        const struct params *params = params_of((enum network)i);
        struct merkle_root root;
        struct arena arena;
        struct block block;

        arena_init(&arena);
        EXPECT_INT(params->name,
                   block_read(&block, params->genesis.data, params->genesis.len, &arena), 0);
        EXPECT_BYTES(params->name, block.hash.b, 32, params->genesis_hash.b, 32);
        root = block_merkle_root(&block, NULL, &arena);
        EXPECT_BYTES(params->name, root.b, 32, block.header.merkle_root.b, 32);
        EXPECT_TRUE(params->name, pow_check(&block.hash, block.header.bits, params));
        EXPECT_INT(params->name, block.tx[0].out[0].value_sat, 5000000000);
        arena_clear(&arena);
    }
}

/* Hashes in the tables against the blocks they name. */
static const struct {
    const char *file;
    size_t exception; /* Of main; 9: the BIP 34 block. */
} named_blocks[] = {
    {"blocks/mainnet_170060.raw", 0},
    {"blocks/mainnet_692261.raw", 1},
    {"blocks/mainnet_227931.raw", 9},
};

static void named_blocks_are_the_real_ones(void)
{
    const struct params *params = params_of(NETWORK_MAIN);

    for (size_t i = 0; i < ARRAY_LEN(named_blocks); i++) {
        const char *path = test_data_path(named_blocks[i].file);
        const struct block_hash *want = named_blocks[i].exception == 9
                                            ? &params->bip34_hash
                                            : &params->script_exceptions[i].hash;
        struct buf bytes = {0};
        struct block_hash hash;
        struct header header;
        struct reader r;

        if (path == NULL) {
            test_skip("no ASSAY_DATA");
            return;
        }
        EXPECT_TRUE(named_blocks[i].file, test_read_file(&bytes, path));
        reader_init(&r, bytes.data, bytes.len);
        header_read(&header, &r);
        hash = header_hash(&header);
        EXPECT_BYTES(named_blocks[i].file, hash.b, 32, want->b, 32);
        buf_clear(&bytes);
    }
}

static void custom_signets_have_their_own_magic(void)
{
    struct params params = *params_of(NETWORK_SIGNET);
    struct params other = *params_of(NETWORK_MAIN);
    static const uint8_t op_true[] = {0x51};
    struct error err;

    /* The default challenge must lead to the default magic. */
    memset(params.magic, 0, sizeof(params.magic));
    EXPECT_INT("default", params_set_signet_challenge(&params, params.signet_challenge, &err), 0);
    EXPECT_U64("default", get_be32(params.magic), 0x0a03cf40);
    EXPECT_TRUE("default", params.dns_seeds[0] == NULL);
    EXPECT_TRUE("default", block_hash_is_null(&params.default_assumevalid));
    EXPECT_INT("OP_TRUE", params_set_signet_challenge(&params, span_of(op_true, 1), &err), 0);
    EXPECT_U64("OP_TRUE", get_be32(params.magic), 0x54d26fbd);
    EXPECT_U64("OP_TRUE", params.signet_challenge.len, 1);
    EXPECT_INT("main", params_set_signet_challenge(&other, span_of(op_true, 1), &err), E_LIMIT);
}

static const struct {
    const char *text;
    int rule; /* -1: refused. */
    int64_t height;
    const char *error;
} height_rows[] = {
    {"bip34@2", BURIED_BIP34, 2, NULL},
    {"dersig@3", BURIED_BIP66, 3, NULL},
    {"cltv@0", BURIED_BIP65, 0, NULL},
    {"csv@2147483646", BURIED_CSV, 2147483646, NULL},
    {"segwit@100", BURIED_SEGWIT, 100, NULL},
    {"segwit", -1, 0, "Invalid format (segwit) for -testactivationheight=name@height."},
    {"segwit@", -1, 0, "Invalid height value (segwit@) for -testactivationheight=name@height."},
    {"segwit@-1", -1, 0, "Invalid height value (segwit@-1) for -testactivationheight=name@height."},
    {"segwit@+1", -1, 0, "Invalid height value (segwit@+1) for -testactivationheight=name@height."},
    {"csv@2147483647", -1, 0,
     "Invalid height value (csv@2147483647) for -testactivationheight=name@height."},
    {"bip66@1", -1, 0, "Invalid name (bip66@1) for -testactivationheight=name@height."},
    {"@1", -1, 0, "Invalid name (@1) for -testactivationheight=name@height."},
};

static void activation_heights_can_be_set(void)
{
    for (size_t i = 0; i < ARRAY_LEN(height_rows); i++) {
        struct params params = *params_of(NETWORK_REGTEST);
        const char *label = height_rows[i].text;
        struct error err = {0};
        int rc = params_set_activation_height(&params, label, &err);

        EXPECT_INT(label, rc, height_rows[i].error == NULL ? 0 : E_LIMIT);
        if (height_rows[i].error != NULL)
            EXPECT_STR(label, err.shown.text, height_rows[i].error);
        else
            EXPECT_INT(label, params.buried_height[height_rows[i].rule], height_rows[i].height);
    }
}

static const struct {
    const char *text;
    int64_t start;
    int64_t timeout;
    int32_t min_height;
    const char *error;
} vb_rows[] = {
    {"testdummy:0:999999999999", 0, 999999999999, 0, NULL},
    {"testdummy:-1:9223372036854775807:432", -1, INT64_MAX, 432, NULL},
    {"testdummy:-9223372036854775808:1", INT64_MIN, 1, 0, NULL},
    {"testdummy:0", 0, 0, 0,
     "Version bits parameters malformed, expecting "
     "deployment:start:end[:min_activation_height]"},
    {"testdummy:0:1:2:3", 0, 0, 0,
     "Version bits parameters malformed, expecting "
     "deployment:start:end[:min_activation_height]"},
    {"testdummy:x:1", 0, 0, 0, "Invalid nStartTime (x)"},
    {"testdummy:1:9223372036854775808", 0, 0, 0, "Invalid nTimeout (9223372036854775808)"},
    {"testdummy:1:2:", 0, 0, 0, "Invalid min_activation_height ()"},
    {"taproot:1:2", 0, 0, 0, "Invalid deployment (taproot)"},
};

static void version_bits_can_be_set(void)
{
    for (size_t i = 0; i < ARRAY_LEN(vb_rows); i++) {
        struct params params = *params_of(NETWORK_REGTEST);
        const char *label = vb_rows[i].text;
        struct error err = {0};
        int rc = params_set_vbparams(&params, label, &err);

        EXPECT_INT(label, rc, vb_rows[i].error == NULL ? 0 : E_LIMIT);
        if (vb_rows[i].error != NULL) {
            EXPECT_STR(label, err.shown.text, vb_rows[i].error);
            continue;
        }
        EXPECT_INT(label, params.deployments[0].start_time, vb_rows[i].start);
        EXPECT_INT(label, params.deployments[0].timeout, vb_rows[i].timeout);
        EXPECT_INT(label, params.deployments[0].min_activation_height, vb_rows[i].min_height);
    }
}

TEST_LIST(TEST(networks_are_complete), TEST(genesis_blocks_are_what_their_hashes_say),
          TEST(named_blocks_are_the_real_ones), TEST(custom_signets_have_their_own_magic),
          TEST(activation_heights_can_be_set), TEST(version_bits_can_be_set))
