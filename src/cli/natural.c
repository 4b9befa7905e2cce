#include "cli/natural.h"

#include <ctype.h>
#include <stdlib.h>

int natural_compare(const char *a, const char *b)
{
    while (*a && *b) {
        if (!isdigit((unsigned char)*a) || !isdigit((unsigned char)*b)) {
            if (*a != *b)
                return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
            a++;
            b++;
            continue;
        }
        char *end_a, *end_b;
        unsigned long long number_a = strtoull(a, &end_a, 10), number_b = strtoull(b, &end_b, 10);
        if (number_a != number_b)
            return number_a < number_b ? -1 : 1;
        a = end_a;
        b = end_b;
    }
    return *a ? 1 : *b ? -1 : 0;
}
