#include "cli/template/literal.h"

#include <ctype.h>
#include <string.h>

void add_rune(uint64_t code, struct strbuf *out)
{
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        code = 0xfffd;
    if (code < 0x80) {
        strbuf_add_char(out, (char)code);
        return;
    }
    int extra = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    strbuf_add_char(out, (char)((0xff00 >> (extra + 1) & 0xff) | code >> (6 * extra)));
    while (extra-- > 0)
        strbuf_add_char(out, (char)(0x80 | (code >> (6 * extra) & 0x3f)));
}

bool literal_unquote(const char *text, struct strbuf *out)
{
    char quote = *text++;
    for (; *text != quote; text++) {
        if (*text != '\\' || quote == '`') {
            strbuf_add_char(out, *text);
            continue;
        }
        static const char letters[] = "abtnvfr\\", values[] = "\a\b\t\n\v\f\r\\";
        text++;
        const char *place = strchr(letters, *text);
        int digits = *text == 'x' ? 2 : *text == 'u' ? 4 : *text == 'U' ? 8 : 0;
        bool is_octal = *text >= '0' && *text <= '7';
        if (*text == quote) {
            strbuf_add_char(out, quote);
        } else if (place && *place) {
            strbuf_add_char(out, values[place - letters]);
        } else if (digits || is_octal) {
            char number[9] = {0};
            int count = is_octal ? 3 : digits;
            text += is_octal ? 0 : 1;
            for (int i = 0; i < count; i++, text++) {
                if (is_octal ? *text < '0' || *text > '7' : !isxdigit((unsigned char)*text))
                    return false;
                number[i] = *text;
            }
            text--;
            unsigned long code = strtoul(number, NULL, is_octal ? 8 : 16);
            if (count <= 3 && code > 255)
                return false;
            if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
                return false;
            if (count <= 3)
                strbuf_add_char(out, (char)code);
            else
                add_rune(code, out);
        } else {
            return false;
        }
    }
    return true;
}
