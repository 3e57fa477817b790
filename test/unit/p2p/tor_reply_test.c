#include "p2p/tor_reply_priv.h"

#include "test.h"

/* want NULL: not there. */
static const struct {
    const char *text;
    const char *key;
    const char *want;
} rows[] = {
    {"METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"/home/x/.tor/control_auth_cookie\"", "METHODS",
     "COOKIE,SAFECOOKIE"},
    {"METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"/home/x/.tor/control_auth_cookie\"", "COOKIEFILE",
     "/home/x/.tor/control_auth_cookie"},
    {"METHODS=NULL", "METHODS", "NULL"},
    {"METHODS=NULL", "METHOD", NULL},
    {"Foo=Bar=Baz Spam=Eggs", "Foo", "Bar=Baz"},
    {"Foo=Bar=Baz Spam=Eggs", "Spam", "Eggs"},
    {"Foo=\"Bar=Baz\"", "Foo", "Bar=Baz"},
    {"Foo=\"Bar Baz\"", "Foo", "Bar Baz"},
    {"Foo=\"Bar\\ Baz\"", "Foo", "Bar Baz"},
    {"Foo=\"Bar\\Baz\"", "Foo", "BarBaz"},
    {"Foo=\"Bar\\\"Baz\" X=y", "X", "y"},
    {"Foo=\"Bar\\\"Baz\" X=y", "Foo", "Bar\"Baz"},
    {"Foo=\"Bar\\nBaz\\t\" Spam=\"\\rEggs\"", "Foo", "Bar\nBaz\t"},
    {"Foo=\"Bar\\nBaz\\t\" Spam=\"\\rEggs\"", "Spam", "\rEggs"},
    {"Foo=\"\\1Bar\\201Baz\"", "Foo", "\1Bar\201Baz"},
    {"Foo=\"\\18Bar\"", "Foo", "\18Bar"},
    {"Foo=\"\\400Bar\"", "Foo", " 0Bar"},
    {"Foo=\"\\377\\3777\"", "Foo", "\377\3777"},
    {"Foo=\"Bar\\\\\\\\Baz\"", "Foo", "Bar\\\\Baz"},
    {"Foo=\"Bar\\\\\" Spam=e", "Spam", "e"},
    {"", "Foo", NULL},
    {"Foo", "Foo", NULL},
    {"Foo=", "Foo", ""},
    {"Foo=\"\"", "Foo", ""},
    {"Foo=\"Bar", "Foo", NULL},
    {"Foo=\"Bar\\\"", "Foo", NULL},
    {"Foo=\"Bar\\", "Foo", NULL},
    {"Foo=a More words", "Foo", "a"},
    {"Foo=a More=words and so on", "More", "words"},
    {"Foo=a More words=b", "words", NULL},
    {"Foo=a Bar=b Foo=c", "Foo", "c"},
    {"Foo=a Bar", "Foo", NULL},
    {"Foo=\"Bar\"Spam=e", "Spam", "e"},
};

static void finds_values(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf value = {0};
        bool is_found;

        buf_add_string(&value, "before:");
        is_found = tor_reply_value(&value, rows[i].text, rows[i].key);
        EXPECT_INT(rows[i].text, is_found, rows[i].want != NULL);
        EXPECT_BYTES(rows[i].text, value.data, 7, "before:", 7);
        EXPECT_STR(rows[i].text, (const char *)value.data + 7,
                   rows[i].want == NULL ? "" : rows[i].want);
        EXPECT_U64(rows[i].text, value.len, 7 + (rows[i].want == NULL ? 0 : strlen(rows[i].want)));
        buf_clear(&value);
    }
}

TEST_LIST(TEST(finds_values))
