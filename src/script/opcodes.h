/* The opcodes of Bitcoin script: X(name, byte, text as shown by RPC). Bytes 1 to
 * 75 push that many bytes and have no name; bytes that are missing here are
 * "OP_UNKNOWN".
 */
#ifndef SCRIPT_OPCODES_H
#define SCRIPT_OPCODES_H

#include <stdbool.h>
#include <stdint.h>

#define SCRIPT_OP_MAP(X)                                   \
    X(0, 0x00, "0")                                        \
    X(PUSHDATA1, 0x4c, "OP_PUSHDATA1")                     \
    X(PUSHDATA2, 0x4d, "OP_PUSHDATA2")                     \
    X(PUSHDATA4, 0x4e, "OP_PUSHDATA4")                     \
    X(1NEGATE, 0x4f, "-1")                                 \
    X(RESERVED, 0x50, "OP_RESERVED")                       \
    X(1, 0x51, "1")                                        \
    X(2, 0x52, "2")                                        \
    X(3, 0x53, "3")                                        \
    X(4, 0x54, "4")                                        \
    X(5, 0x55, "5")                                        \
    X(6, 0x56, "6")                                        \
    X(7, 0x57, "7")                                        \
    X(8, 0x58, "8")                                        \
    X(9, 0x59, "9")                                        \
    X(10, 0x5a, "10")                                      \
    X(11, 0x5b, "11")                                      \
    X(12, 0x5c, "12")                                      \
    X(13, 0x5d, "13")                                      \
    X(14, 0x5e, "14")                                      \
    X(15, 0x5f, "15")                                      \
    X(16, 0x60, "16")                                      \
    X(NOP, 0x61, "OP_NOP")                                 \
    X(VER, 0x62, "OP_VER")                                 \
    X(IF, 0x63, "OP_IF")                                   \
    X(NOTIF, 0x64, "OP_NOTIF")                             \
    X(VERIF, 0x65, "OP_VERIF")                             \
    X(VERNOTIF, 0x66, "OP_VERNOTIF")                       \
    X(ELSE, 0x67, "OP_ELSE")                               \
    X(ENDIF, 0x68, "OP_ENDIF")                             \
    X(VERIFY, 0x69, "OP_VERIFY")                           \
    X(RETURN, 0x6a, "OP_RETURN")                           \
    X(TOALTSTACK, 0x6b, "OP_TOALTSTACK")                   \
    X(FROMALTSTACK, 0x6c, "OP_FROMALTSTACK")               \
    X(2DROP, 0x6d, "OP_2DROP")                             \
    X(2DUP, 0x6e, "OP_2DUP")                               \
    X(3DUP, 0x6f, "OP_3DUP")                               \
    X(2OVER, 0x70, "OP_2OVER")                             \
    X(2ROT, 0x71, "OP_2ROT")                               \
    X(2SWAP, 0x72, "OP_2SWAP")                             \
    X(IFDUP, 0x73, "OP_IFDUP")                             \
    X(DEPTH, 0x74, "OP_DEPTH")                             \
    X(DROP, 0x75, "OP_DROP")                               \
    X(DUP, 0x76, "OP_DUP")                                 \
    X(NIP, 0x77, "OP_NIP")                                 \
    X(OVER, 0x78, "OP_OVER")                               \
    X(PICK, 0x79, "OP_PICK")                               \
    X(ROLL, 0x7a, "OP_ROLL")                               \
    X(ROT, 0x7b, "OP_ROT")                                 \
    X(SWAP, 0x7c, "OP_SWAP")                               \
    X(TUCK, 0x7d, "OP_TUCK")                               \
    X(CAT, 0x7e, "OP_CAT")                                 \
    X(SUBSTR, 0x7f, "OP_SUBSTR")                           \
    X(LEFT, 0x80, "OP_LEFT")                               \
    X(RIGHT, 0x81, "OP_RIGHT")                             \
    X(SIZE, 0x82, "OP_SIZE")                               \
    X(INVERT, 0x83, "OP_INVERT")                           \
    X(AND, 0x84, "OP_AND")                                 \
    X(OR, 0x85, "OP_OR")                                   \
    X(XOR, 0x86, "OP_XOR")                                 \
    X(EQUAL, 0x87, "OP_EQUAL")                             \
    X(EQUALVERIFY, 0x88, "OP_EQUALVERIFY")                 \
    X(RESERVED1, 0x89, "OP_RESERVED1")                     \
    X(RESERVED2, 0x8a, "OP_RESERVED2")                     \
    X(1ADD, 0x8b, "OP_1ADD")                               \
    X(1SUB, 0x8c, "OP_1SUB")                               \
    X(2MUL, 0x8d, "OP_2MUL")                               \
    X(2DIV, 0x8e, "OP_2DIV")                               \
    X(NEGATE, 0x8f, "OP_NEGATE")                           \
    X(ABS, 0x90, "OP_ABS")                                 \
    X(NOT, 0x91, "OP_NOT")                                 \
    X(0NOTEQUAL, 0x92, "OP_0NOTEQUAL")                     \
    X(ADD, 0x93, "OP_ADD")                                 \
    X(SUB, 0x94, "OP_SUB")                                 \
    X(MUL, 0x95, "OP_MUL")                                 \
    X(DIV, 0x96, "OP_DIV")                                 \
    X(MOD, 0x97, "OP_MOD")                                 \
    X(LSHIFT, 0x98, "OP_LSHIFT")                           \
    X(RSHIFT, 0x99, "OP_RSHIFT")                           \
    X(BOOLAND, 0x9a, "OP_BOOLAND")                         \
    X(BOOLOR, 0x9b, "OP_BOOLOR")                           \
    X(NUMEQUAL, 0x9c, "OP_NUMEQUAL")                       \
    X(NUMEQUALVERIFY, 0x9d, "OP_NUMEQUALVERIFY")           \
    X(NUMNOTEQUAL, 0x9e, "OP_NUMNOTEQUAL")                 \
    X(LESSTHAN, 0x9f, "OP_LESSTHAN")                       \
    X(GREATERTHAN, 0xa0, "OP_GREATERTHAN")                 \
    X(LESSTHANOREQUAL, 0xa1, "OP_LESSTHANOREQUAL")         \
    X(GREATERTHANOREQUAL, 0xa2, "OP_GREATERTHANOREQUAL")   \
    X(MIN, 0xa3, "OP_MIN")                                 \
    X(MAX, 0xa4, "OP_MAX")                                 \
    X(WITHIN, 0xa5, "OP_WITHIN")                           \
    X(RIPEMD160, 0xa6, "OP_RIPEMD160")                     \
    X(SHA1, 0xa7, "OP_SHA1")                               \
    X(SHA256, 0xa8, "OP_SHA256")                           \
    X(HASH160, 0xa9, "OP_HASH160")                         \
    X(HASH256, 0xaa, "OP_HASH256")                         \
    X(CODESEPARATOR, 0xab, "OP_CODESEPARATOR")             \
    X(CHECKSIG, 0xac, "OP_CHECKSIG")                       \
    X(CHECKSIGVERIFY, 0xad, "OP_CHECKSIGVERIFY")           \
    X(CHECKMULTISIG, 0xae, "OP_CHECKMULTISIG")             \
    X(CHECKMULTISIGVERIFY, 0xaf, "OP_CHECKMULTISIGVERIFY") \
    X(NOP1, 0xb0, "OP_NOP1")                               \
    X(CHECKLOCKTIMEVERIFY, 0xb1, "OP_CHECKLOCKTIMEVERIFY") \
    X(CHECKSEQUENCEVERIFY, 0xb2, "OP_CHECKSEQUENCEVERIFY") \
    X(NOP4, 0xb3, "OP_NOP4")                               \
    X(NOP5, 0xb4, "OP_NOP5")                               \
    X(NOP6, 0xb5, "OP_NOP6")                               \
    X(NOP7, 0xb6, "OP_NOP7")                               \
    X(NOP8, 0xb7, "OP_NOP8")                               \
    X(NOP9, 0xb8, "OP_NOP9")                               \
    X(NOP10, 0xb9, "OP_NOP10")                             \
    X(CHECKSIGADD, 0xba, "OP_CHECKSIGADD")                 \
    X(INVALIDOPCODE, 0xff, "OP_INVALIDOPCODE")

enum opcode {
#define SCRIPT_OP_ENUM(name, byte, text) OP_##name = (byte),
    SCRIPT_OP_MAP(SCRIPT_OP_ENUM)
#undef SCRIPT_OP_ENUM
};

/* The text of an opcode byte, static; never NULL. */
const char *opcode_name(uint8_t op);

/* BIP 342: opcodes that make a tapscript succeed at once. */
bool opcode_is_success(uint8_t op);

#endif /* SCRIPT_OPCODES_H */
