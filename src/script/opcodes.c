#include "script/opcodes.h"

#include <stddef.h>

const char *opcode_name(uint8_t op)
{
    static const char *const names[256] = {
#define SCRIPT_OP_TEXT(name, byte, text) [byte] = (text),
        SCRIPT_OP_MAP(SCRIPT_OP_TEXT)
#undef SCRIPT_OP_TEXT
    };

    return names[op] == NULL ? "OP_UNKNOWN" : names[op];
}

bool opcode_is_success(uint8_t op)
{
    /* BIP 342: "80, 98, 126-129, 131-134, 137-138, 141-142, 149-153, 187-254". */
    return op == 80 || op == 98 || (op >= 126 && op <= 129) || (op >= 131 && op <= 134) ||
           op == 137 || op == 138 || op == 141 || op == 142 || (op >= 149 && op <= 153) ||
           (op >= 187 && op <= 254);
}
