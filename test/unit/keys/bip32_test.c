/* BIP 32: its published test vectors, and that public and secret derivation
 * agree. */
#include "keys/bip32.h"

#include "base/alloc.h"
#include "base/hex.h"
#include "codec/json.h"
#include "keys/text.h"
#include "test.h"

static const struct {
    const char *seed;
    const char *path;
    const char *xpub;
    const char *xprv;
} rows[] = {
    {"000102030405060708090a0b0c0d0e0f", "m",
     "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8Y"
     "tGqsefD265TMg7usUDFdp6W1EGMcet8",
     "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF"
     "5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"},
    {"000102030405060708090a0b0c0d0e0f", "m/0h",
     "xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCd"
     "rfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw",
     "xprv9uHRZZhk6KAJC1avXpDAp4MDc3sQKNxDiPvvkX8Br5ngLNv1TxvUxt4cV1rGL5hj6KCesnDYUhd7"
     "oWgT11eZG7XnxHrnYeSvkzY7d2bhkJ7"},
    {"000102030405060708090a0b0c0d0e0f", "m/0h/1",
     "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7"
     "SyYq527Hqck2AxYysAA7xmALppuCkwQ",
     "xprv9wTYmMFdV23N2TdNG573QoEsfRrWKQgWeibmLntzniatZvR9BmLnvSxqu53Kw1UmYPxLgboyZQaX"
     "wTCg8MSY3H2EU4pWcQDnRnrVA1xe8fs"},
    {"000102030405060708090a0b0c0d0e0f", "m/0h/1/2h",
     "xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5"
     "uJh7n7epu4trkrX7x7DogT5Uv6fcLW5",
     "xprv9z4pot5VBttmtdRTWfWQmoH1taj2axGVzFqSb8C9xaxKymcFzXBDptWmT7FwuEzG3ryjH4ktypQS"
     "AewRiNMjANTtpgP4mLTj34bhnZX7UiM"},
    {"000102030405060708090a0b0c0d0e0f", "m/0h/1/2h/2",
     "xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6ZLRQUMv1ZAC"
     "Tj37sR62cfN7fe5JnJ7dh8zL4fiyLHV",
     "xprvA2JDeKCSNNZky6uBCviVfJSKyQ1mDYahRjijr5idH2WwLsEd4Hsb2Tyh8RfQMuPh7f7RtyzTtdrb"
     "dqqsunu5Mm3wDvUAKRHSC34sJ7in334"},
    {"000102030405060708090a0b0c0d0e0f", "m/0h/1/2h/2/1000000000",
     "xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro"
     "49S8yGasTvXEYBVPamhGW6cFJodrTHy",
     "xprvA41z7zogVVwxVSgdKUHDy1SKmdb533PjDz7J6N6mV6uS3ze1ai8FHa8kmHScGpWmj4WggLyQjgPi"
     "e1rFSruoUihUZREPSL39UNdE3BBDu76"},
    {"fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a"
     "8784817e7b7875726f6c696663605d5a5754514e4b484542",
     "m",
     "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8ido"
     "c4a6mr8BDzTJY47LJhkJ8UB7WEGuduB",
     "xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpS"
     "BHNqPqm55Qn3LqFtT2emdEXVYsCzC2U"},
    {"fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a"
     "8784817e7b7875726f6c696663605d5a5754514e4b484542",
     "m/0",
     "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUm"
     "mDznezpbZb7ap6r1D3tgFxHmwMkQTPH",
     "xprv9vHkqa6EV4sPZHYqZznhT2NPtPCjKuDKGY38FBWLvgaDx45zo9WQRUT3dKYnjwih2yJD9mkrocEZ"
     "Xo1ex8G81dwSM1fwqWpWkeS3v86pgKt"},
    {"fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a"
     "8784817e7b7875726f6c696663605d5a5754514e4b484542",
     "m/0/2147483647h",
     "xpub6ASAVgeehLbnwdqV6UKMHVzgqAG8Gr6riv3Fxxpj8ksbH9ebxaEyBLZ85ySDhKiLDBrQSARLq1uN"
     "Rts8RuJiHjaDMBU4Zn9h8LZNnBC5y4a",
     "xprv9wSp6B7kry3Vj9m1zSnLvN3xH8RdsPP1Mh7fAaR7aRLcQMKTR2vidYEeEg2mUCTAwCd6vnxVrcjf"
     "y2kRgVsFawNzmjuHc2YmYRmagcEPdU9"},
    {"fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a"
     "8784817e7b7875726f6c696663605d5a5754514e4b484542",
     "m/0/2147483647h/1",
     "xpub6DF8uhdarytz3FWdA8TvFSvvAh8dP3283MY7p2V4SeE2wyWmG5mg5EwVvmdMVCQcoNJxGoWaU9DC"
     "Wh89LojfZ537wTfunKau47EL2dhHKon",
     "xprv9zFnWC6h2cLgpmSA46vutJzBcfJ8yaJGg8cX1e5StJh45BBciYTRXSd25UEPVuesF9yog62tGAQt"
     "HjXajPPdbRCHuWS6T8XA2ECKADdw4Ef"},
    {"fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a"
     "8784817e7b7875726f6c696663605d5a5754514e4b484542",
     "m/0/2147483647h/1/2147483646h",
     "xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4"
     "ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL",
     "xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU"
     "6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc"},
    {"fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a"
     "8784817e7b7875726f6c696663605d5a5754514e4b484542",
     "m/0/2147483647h/1/2147483646h/2",
     "xpub6FnCn6nSzZAw5Tw7cgR9bi15UV96gLZhjDstkXXxvCLsUXBGXPdSnLFbdpq8p9HmGsApME5hQTZ3"
     "emM2rnY5agb9rXpVGyy3bdW6EEgAtqt",
     "xprvA2nrNbFZABcdryreWet9Ea4LvTJcGsqrMzxHx98MMrotbir7yrKCEXw7nadnHM8Dq38EGfSh6dqA"
     "9QWTyefMLEcBYJUuekgW4BYPJcr9E7j"},
    {"4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f"
     "863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be",
     "m",
     "xpub661MyMwAqRbcEZVB4dScxMAdx6d4nFc9nvyvH3v4gJL378CSRZiYmhRoP7mBy6gSPSCYk6SzXPTf"
     "3ND1cZAceL7SfJ1Z3GC8vBgp2epUt13",
     "xprv9s21ZrQH143K25QhxbucbDDuQ4naNntJRi4KUfWT7xo4EKsHt2QJDu7KXp1A3u7Bi1j8ph3EGsZ9"
     "Xvz9dGuVrtHHs7pXeTzjuxBrCmmhgC6"},
    {"4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f"
     "863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be",
     "m/0h",
     "xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9"
     "fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y",
     "xprv9uPDJpEQgRQfDcW7BkF7eTya6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq6vcBc"
     "BUdJCVVFceUvJFjaPdGZ2y9WACViL4L"},
    {"3ddd5602285899a946114506157c7997e5444528f3003f6134712147db19b678", "m",
     "xpub661MyMwAqRbcGczjuMoRm6dXaLDEhW1u34gKenbeYqAix21mdUKJyuyu5F1rzYGVxyL6tmgBUAEP"
     "rEz92mBXjByMRiJdba9wpnN37RLLAXa",
     "xprv9s21ZrQH143K48vGoLGRPxgo2JNkJ3J3fqkirQC2zVdk5Dgd5w14S7fRDyHH4dWNHUgkvsvNDCkv"
     "AwcSHNAQwhwgNMgZhLtQC63zxwhQmRv"},
    {"3ddd5602285899a946114506157c7997e5444528f3003f6134712147db19b678", "m/0h",
     "xpub69AUMk3qDBi3uW1sXgjCmVjJ2G6WQoYSnNHyzkmdCHEhSZ4tBok37xfFEqHd2AddP56Tqp4o56Ae"
     "PAgCjYdvpW2PU2jbUPFKsav5ut6Ch1m",
     "xprv9vB7xEWwNp9kh1wQRfCCQMnZUEG21LpbR9NPCNN1dwhiZkjjeGRnaALmPXCX7SgjFTiCTT6bXes1"
     "7boXtjq3xLpcDjzEuGLQBM5ohqkao9G"},
    {"3ddd5602285899a946114506157c7997e5444528f3003f6134712147db19b678", "m/0h/1h",
     "xpub6BJA1jSqiukeaesWfxe6sNK9CCGaujFFSJLomWHprUL9DePQ4JDkM5d88n49sMGJxrhpjazuXYWd"
     "Mf17C9T5XnxkopaeS7jGk1GyyVziaMt",
     "xprv9xJocDuwtYCMNAo3Zw76WENQeAS6WGXQ55RCy7tDJ8oALr4FWkuVoHJeHVAcAqiZLE7Je3vZJHxs"
     "pZdFHfnBEjHqU5hG1Jaj32dVoS6XLT1"},
};

static const char *const invalid_rows[] = {
    "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6LBpB85b3D2yc8sfvZU5"
    "21AAwdZafEz7mnzBBsz4wKY5fTtTQBm",
    "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzFGTQQD3dC4H2D5GBj7vW"
    "vSQaaBv5cxi9gafk7NF3pnBju6dwKvH",
    "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Txnt3siSujt9RCVYsx4"
    "qHZGc62TG4McvMGcAUjeuwZdduYEvFn",
    "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzFGpWnsj83BHtEy5Zt8Cc"
    "Dr1UiRXuWCmTQLxEK9vbz5gPstX92JQ",
    "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6N8ZMMXctdiCjxTNq964"
    "yKkwrkBJJwpzZS4HS2fxvyYUA4q2Xe4",
    "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzFAzHGBP2UuGCqWLTAPLc"
    "MtD9y5gkZ6Eq3Rjuahrv17fEQ3Qen6J",
    "xprv9s2SPatNQ9Vc6GTbVMFPFo7jsaZySyzk7L8n2uqKXJen3KUmvQNTuLh3fhZMBoG3G4ZW1N2kZuHE"
    "PY53qmbZzCHshoQnNf4GvELZfqTUrcv",
    "xpub661no6RGEX3uJkY4bNnPcw4URcQTrSibUZ4NqJEw5eBkv7ovTwgiT91XX27VbEXGENhYRCf7hyEb"
    "WrR3FewATdCEebj6znwMfQkhRYHRLpJ",
    "xprv9s21ZrQH4r4TsiLvyLXqM9P7k1K3EYhA1kkD6xuquB5i39AU8KF42acDyL3qsDbU9NmZn6MsGSUY"
    "ZEsuoePmjzsB3eFKSUEh3Gu1N3cqVUN",
    "xpub661MyMwAuDcm6CRQ5N4qiHKrJ39Xe1R1NyfouMKTTWcguwVcfrZJaNvhpebzGerh7gucBvzEQWRu"
    "gZDuDXjNDRmXzSZe4c7mnTK97pTvGS8",
    "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzF93Y5wvzdUayhgkkFoic"
    "QZcP3y52uPPxFnfoLZB21Teqt1VvEHx",
    "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzFAzHGBP2UuGCqWLTAPLc"
    "MtD5SDKr24z3aiUvKr9bJpdrcLg1y3G",
    "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Q5JXayek4PRsn35jii4"
    "veMimro1xefsM58PgBMrvdYre8QyULY",
    "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF"
    "5kejMRNNU3TGtRBeJgk33yuGBxrMPHL",
};

/* Follows "m/0h/1" from the seed. */
static bool derive(struct xprv *ret_key, const char *seed_hex, const char *path)
{
    struct buf seed = {0};
    struct span rest = span_of_string(path);
    struct span step;
    bool more;
    bool ok;

    CHECK(hex_read_buf(&seed, seed_hex, strlen(seed_hex)));
    ok = xprv_of_seed(ret_key, span_of_buf(&seed));
    (void)text_take_part(&rest, '/', &more);
    while (ok && more) {
        uint32_t child;
        bool hardened;

        step = text_take_part(&rest, '/', &more);
        hardened = step.data[step.len - 1] == 'h';
        step.len -= hardened ? 1 : 0;
        CHECK(text_read_u32(step, &child));
        ok = xprv_derive(ret_key, ret_key, child | (hardened ? BIP32_HARDENED : 0));
    }
    buf_clear(&seed);
    return ok;
}

static void published_vectors_hold(void)
{
    const struct params *params = params_of(NETWORK_MAIN);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf text = {0};
        struct xprv key;
        struct xprv key_again;
        struct xpub pub;
        struct xpub pub_again;

        EXPECT_TRUE(rows[i].path, derive(&key, rows[i].seed, rows[i].path));
        xprv_write(&text, &key, params);
        EXPECT_STR(rows[i].path, buf_string(&text), rows[i].xprv);
        text.len = 0;
        pub = xpub_of_xprv(&key);
        xpub_write(&text, &pub, params);
        EXPECT_STR(rows[i].path, buf_string(&text), rows[i].xpub);
        EXPECT_TRUE(rows[i].path, xprv_read(&key_again, span_of_string(rows[i].xprv), params));
        EXPECT_BYTES(rows[i].path, key_again.key.b, 32, key.key.b, 32);
        EXPECT_TRUE(rows[i].path, xpub_read(&pub_again, span_of_string(rows[i].xpub), params));
        EXPECT_BYTES(rows[i].path, pub_again.pubkey.b, 33, pub.pubkey.b, 33);
        EXPECT_TRUE("another network's prefix",
                    !xpub_read(&pub_again, span_of_string(rows[i].xpub), params_of(NETWORK_TEST)));
        buf_clear(&text);
    }
}

static void invalid_keys_are_refused(void)
{
    const struct params *params = params_of(NETWORK_MAIN);
    struct xprv key;
    struct xpub pub;

    for (size_t i = 0; i < ARRAY_LEN(invalid_rows); i++) {
        EXPECT_TRUE(invalid_rows[i], !xprv_read(&key, span_of_string(invalid_rows[i]), params));
        EXPECT_TRUE(invalid_rows[i], !xpub_read(&pub, span_of_string(invalid_rows[i]), params));
    }
}

static void public_and_secret_derivation_agree(void)
{
    uint8_t seed[BIP32_SEED_BYTES_MAX];
    struct xprv secret;
    struct xpub pub;
    struct xpub want;

    test_random_fill(seed, sizeof(seed));
    EXPECT_TRUE("seed", xprv_of_seed(&secret, span_of(seed, sizeof(seed))));
    EXPECT_TRUE("short seed", !xprv_of_seed(&secret, span_of(seed, 15)));
    EXPECT_TRUE("long seed", !xprv_of_seed(&secret, span_of(seed, 65)));
    EXPECT_TRUE("seed", xprv_of_seed(&secret, span_of(seed, 16)));
    pub = xpub_of_xprv(&secret);
    EXPECT_TRUE("hardened", !xpub_derive(&want, &pub, BIP32_HARDENED, NULL));
    for (size_t depth = 0; depth < 255; depth++) {
        uint32_t child = (uint32_t)test_random_below(BIP32_HARDENED);

        EXPECT_TRUE("secret", xprv_derive(&secret, &secret, child));
        EXPECT_TRUE("public", xpub_derive(&pub, &pub, child, NULL));
        want = xpub_of_xprv(&secret);
        EXPECT_BYTES("key", pub.pubkey.b, 33, want.pubkey.b, 33);
        EXPECT_BYTES("chain code", pub.place.chain_code, 32, want.place.chain_code, 32);
        EXPECT_BYTES("parent", pub.place.parent, 4, want.place.parent, 4);
        EXPECT_U64("child", pub.place.child, child);
    }
    EXPECT_TRUE("depth 256", !xprv_derive(&secret, &secret, 0));
    EXPECT_TRUE("depth 256", !xpub_derive(&pub, &pub, 0, NULL));
}

static void aggregates_have_the_published_xpub(void)
{
    const char *path = test_data_path("vectors/bips/bip-0328__vectors.json");
    struct buf bytes = {0};
    struct arena arena;
    struct json doc;

    if (path == NULL) {
        test_skip("no ASSAY_DATA");
        return;
    }
    arena_init(&arena);
    CHECK(test_read_file(&bytes, path));
    CHECK(json_read(&doc, (const char *)bytes.data, bytes.len, &arena, NULL) == 0);
    EXPECT_TRUE("rows", doc.count > 0);
    for (uint32_t i = 0; i < doc.count; i++) {
        const struct json *keys = json_find(&doc.items[i], "keys");
        struct pubkey *parsed = arena_array(&arena, keys->count, sizeof(*parsed));
        struct pubkey aggregate = {0};
        struct buf text = {0};
        struct xpub xpub;

        for (uint32_t k = 0; k < keys->count; k++) {
            struct buf key = {0};

            CHECK(hex_read_buf(&key, json_text(&keys->items[k]), keys->items[k].text.len));
            CHECK(pubkey_read(&parsed[k], span_of_buf(&key)));
            buf_clear(&key);
        }
        EXPECT_TRUE("aggregate", musig_aggregate(&aggregate, parsed, keys->count));
        hex_write_buf(&text, span_of_pubkey(&aggregate));
        EXPECT_STR("aggregate", buf_string(&text),
                   json_text(json_find(&doc.items[i], "aggregate_pubkey")));
        text.len = 0;
        xpub = xpub_of_musig(&aggregate);
        xpub_write(&text, &xpub, params_of(NETWORK_MAIN));
        EXPECT_STR("xpub", buf_string(&text), json_text(json_find(&doc.items[i], "xpub")));
        buf_clear(&text);
    }
    arena_clear(&arena);
    buf_clear(&bytes);
}

TEST_LIST(TEST(published_vectors_hold), TEST(invalid_keys_are_refused),
          TEST(public_and_secret_derivation_agree), TEST(aggregates_have_the_published_xpub))
