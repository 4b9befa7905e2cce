#include "base/id.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

void id_generate(char id[ID_LENGTH + 1])
{
    static const char digits[] = "0123456789abcdef";
    do {
        uint8_t bytes[ID_LENGTH / 2];
        if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
            abort(); /* cannot happen for 32 bytes once the kernel has booted (getrandom(2)) */
        for (size_t i = 0; i < sizeof(bytes); i++) {
            id[2 * i] = digits[bytes[i] >> 4];
            id[2 * i + 1] = digits[bytes[i] & 15];
        }
        id[ID_LENGTH] = '\0';
    } while (strspn(id, "0123456789") >= ID_SHORT_LENGTH);
}
