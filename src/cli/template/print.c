#include "cli/template/print.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/template/lexer.h"
#include "cli/template/literal.h"

/* One verb of a format: "%-08.3d". */
struct verb {
    char letter[5]; /* the character, which may be UTF-8 */
    bool plus, minus, sharp, space, zero;
    bool has_width, has_precision;
    int64_t width, precision;
};

static const struct verb plain_verb = {.letter = "v"};
static void print_verb(struct value value, const struct verb *verb, int depth, struct strbuf *out);

static size_t rune_count(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

static void add_fill(struct strbuf *out, char character, int64_t count)
{
    while (count-- > 0)
        strbuf_add_char(out, character);
}

static void add_padded(const char *text, size_t length, const struct verb *verb, struct strbuf *out)
{
    int64_t missing = verb->has_width ? verb->width - (int64_t)rune_count(text, length) : 0;
    if (!verb->minus)
        add_fill(out, verb->zero ? '0' : ' ', missing);
    strbuf_add(out, text, length);
    if (verb->minus)
        add_fill(out, ' ', missing);
}

static char letter_of(const struct verb *verb)
{
    return verb->letter[1] ? '?' : verb->letter[0];
}

static void print_bad_verb(struct value value, const struct verb *verb, struct strbuf *out)
{
    strbuf_addf(out, "%%!%s(", verb->letter);
    if (!value.type) {
        strbuf_add_string(out, "<nil>)");
        return;
    }
    strbuf_addf(out, "%s=", value.type->name);
    print_verb(value, &plain_verb, 0, out);
    strbuf_add_char(out, ')');
}

/* --- numbers --- */

static void digits_of(uint64_t number, unsigned base, bool is_upper, char text[72])
{
    char reversed[72];
    size_t count = 0;
    do {
        reversed[count++] = (is_upper ? "0123456789ABCDEF" : "0123456789abcdef")[number % base];
        number /= base;
    } while (number);
    for (size_t i = 0; i < count; i++)
        text[i] = reversed[count - 1 - i];
    text[count] = '\0';
}

/* A number with its sign and prefix; zeroes come between those and the digits. */
static void add_number(const char *sign, const char *digits, const struct verb *verb, struct strbuf *out)
{
    int64_t length = (int64_t)strlen(digits), zeroes = 0;
    if (verb->has_precision)
        zeroes = verb->precision - length;
    else if (verb->zero && verb->has_width && !verb->minus)
        zeroes = verb->width - length - (int64_t)strlen(sign);
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    strbuf_add_string(&text, sign);
    add_fill(&text, '0', zeroes);
    if (!(verb->has_precision && verb->precision == 0 && strcmp(digits, "0") == 0))
        strbuf_add_string(&text, digits);
    struct verb padding = *verb;
    padding.zero = false;
    add_padded(strbuf_text(&text), text.length, &padding, out);
}

static void print_rune(uint64_t code, const struct verb *verb, struct strbuf *out)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (letter_of(verb) == 'U') {
        strbuf_addf(&text, "U+%04llX", (unsigned long long)code);
        if (verb->sharp) {
            strbuf_add_string(&text, " '");
            add_rune(code, &text);
            strbuf_add_char(&text, '\'');
        }
    } else if (letter_of(verb) == 'q') {
        _cleanup_strbuf_ struct strbuf rune = STRBUF_INIT;
        add_rune(code, &rune);
        _cleanup_free_ char *quoted = quote_go_string(rune.data, rune.length);
        bool is_quote = code == '"' || code == '\'';
        if (is_quote)
            strbuf_addf(&text, "'%s%c'", code == '\'' ? "\\" : "", (char)code);
        else
            strbuf_addf(&text, "'%.*s'", (int)strlen(quoted) - 2, quoted + 1);
    } else {
        add_rune(code, &text);
    }
    add_padded(strbuf_text(&text), text.length, verb, out);
}

static void print_integer(struct value value, const struct verb *verb, struct strbuf *out)
{
    bool is_signed = value.type->kind != VALUE_KIND_UINT;
    int64_t number = is_signed ? value_int(value) : 0;
    uint64_t size = !is_signed ? value_uint(value) : number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char letter = letter_of(verb), digits[72], sign[8] = "";
    unsigned base = 10;
    const char *prefix = "";
    switch (letter) {
    case 'v':
        if (verb->sharp && !is_signed) {
            base = 16;
            prefix = "0x";
        }
        break;
    case 'd':
        break;
    case 'b':
        base = 2;
        prefix = verb->sharp ? "0b" : "";
        break;
    case 'o':
    case 'O':
        base = 8;
        prefix = letter == 'O' ? "0o" : verb->sharp ? "0" : "";
        break;
    case 'x':
    case 'X':
        base = 16;
        prefix = !verb->sharp ? "" : letter == 'x' ? "0x" : "0X";
        break;
    case 'c':
    case 'q':
    case 'U':
        print_rune(is_signed ? (uint64_t)number : size, verb, out);
        return;
    default:
        print_bad_verb(value, verb, out);
        return;
    }
    digits_of(size, base, letter == 'X', digits);
    snprintf(sign, sizeof(sign), "%s%s",
             number < 0                    ? "-"
             : verb->plus && letter != 'v' ? "+"
             : verb->space                 ? " "
                                           : "",
             prefix);
    add_number(sign, digits, verb, out);
}

/* Go's shortest text that gives the same number back: %e where the exponent is below -4 or large. */
#define SHORTEST_THRESHOLD 6
static void shortest(double real, char letter, char text[400])
{
    int precision = 0;
    char scientific[64];
    do
        snprintf(scientific, sizeof(scientific), "%.*e", precision, real);
    while (strtod(scientific, NULL) != real && ++precision < 17);
    int exponent = (int)strtol(strchr(scientific, 'e') + 1, NULL, 10);
    bool is_scientific = letter == 'e' || letter == 'E' ||
                         ((letter == 'g' || letter == 'G') && (exponent < -4 || exponent >= SHORTEST_THRESHOLD));
    if (is_scientific)
        snprintf(text, 400, "%s", scientific);
    else
        snprintf(text, 400, "%.*f", MAX(precision - exponent, 0), real);
    if (isupper((unsigned char)letter) && strchr(text, 'e'))
        *strchr(text, 'e') = 'E';
}

static void print_float(struct value value, const struct verb *verb, struct strbuf *out)
{
    double real = value_float(value);
    char letter = letter_of(verb), text[400], format[16];
    if (!strchr("veEfFgG", letter)) {
        print_bad_verb(value, verb, out);
        return;
    }
    double size = fabs(real);
    if (isinf(real) || isnan(real)) {
        snprintf(text, sizeof(text), "%s", isnan(real) ? "NaN" : "Inf");
    } else if ((letter == 'v' || letter == 'g' || letter == 'G') && !verb->has_precision) {
        shortest(size, letter == 'G' ? 'G' : 'g', text);
    } else {
        snprintf(format, sizeof(format), "%%.*%c", letter == 'v' ? 'g' : letter);
        snprintf(text, sizeof(text), format, (int)(verb->has_precision ? MIN(verb->precision, INT64_C(300)) : 6), size);
    }
    struct verb padding = *verb;
    padding.has_precision = false;
    padding.zero &= !isinf(real) && !isnan(real);
    const char *sign = signbit(real)                                  ? "-"
                       : (verb->plus && letter != 'v') || isinf(real) ? "+"
                       : verb->space                                  ? " "
                                                                      : "";
    add_number(sign, text, &padding, out);
}

/* --- text --- */

static void print_text(struct value value, const char *text, size_t length, const struct verb *verb, struct strbuf *out)
{
    char letter = letter_of(verb);
    if (!strchr("vsqxX", letter)) {
        print_bad_verb(value, verb, out);
        return;
    }
    if (verb->has_precision) { /* so many characters; bytes for %x */
        size_t bytes = 0;
        for (int64_t runes = 0; bytes < length; bytes++)
            if ((letter == 'x' || letter == 'X' || ((unsigned char)text[bytes] & 0xc0) != 0x80) &&
                runes++ == verb->precision)
                break;
        length = bytes;
    }
    if (letter == 'q' || (letter == 'v' && verb->sharp)) {
        bool is_raw = verb->sharp && letter == 'q' && !memchr(text, '`', length) && !memchr(text, '\n', length);
        _cleanup_free_ char *quoted = is_raw ? xasprintf("`%.*s`", (int)length, text) : quote_go_string(text, length);
        add_padded(quoted, strlen(quoted), verb, out);
        return;
    }
    if (letter == 'v' || letter == 's') {
        add_padded(text, length, verb, out);
        return;
    }
    _cleanup_strbuf_ struct strbuf hex = STRBUF_INIT;
    for (size_t i = 0; i < length; i++) {
        if (verb->sharp && (i == 0 || verb->space))
            strbuf_add_string(&hex, i ? (letter == 'x' ? " 0x" : " 0X") : letter == 'x' ? "0x" : "0X");
        else if (verb->space && i)
            strbuf_add_char(&hex, ' ');
        strbuf_addf(&hex, letter == 'x' ? "%02x" : "%02X", (unsigned char)text[i]);
    }
    add_padded(strbuf_text(&hex), hex.length, verb, out);
}

void print_duration(int64_t nanoseconds, struct strbuf *out)
{
    _cleanup_free_ char *text = duration_text(nanoseconds);
    strbuf_add_string(out, text);
}

void print_time(const char *text, struct strbuf *out)
{
    unix_nano time;
    if (!*text || !time_parse(text, &time) || time == 0) {
        strbuf_add_string(out, "0001-01-01 00:00:00 +0000 UTC");
        return;
    }
    /* The offset stays as it was written: the date's own digits are copied, not converted. */
    size_t length = strcspn(text + 11, "Zz+-") + 11;
    const char *zone = text + length;
    strbuf_addf(out, "%.10s %.*s", text, (int)(length - 11), text + 11);
    if (*zone == 'Z' || *zone == 'z')
        strbuf_add_string(out, " +0000 UTC");
    else
        strbuf_addf(out, " %.3s%.2s %.3s%.2s", zone, zone + 4, zone, zone + 4);
}

/* --- collections --- */

static void print_list(struct value value, const struct verb *verb, int depth, struct strbuf *out)
{
    bool is_source = verb->sharp && letter_of(verb) == 'v';
    if (is_source)
        strbuf_addf(out, value_is_nil(value) ? "%s(nil)" : "%s{", value.type->name);
    else
        strbuf_add_char(out, '[');
    for (int64_t i = 0; i < value_length(value); i++) {
        strbuf_add_string(out, !i ? "" : is_source ? ", " : " ");
        print_verb(value_element(value, (size_t)i), verb, depth + 1, out);
    }
    if (!is_source || !value_is_nil(value))
        strbuf_add_char(out, is_source ? '}' : ']');
}

static void print_map(struct value value, const struct verb *verb, int depth, struct strbuf *out)
{
    bool is_source = verb->sharp && letter_of(verb) == 'v';
    if (is_source)
        strbuf_addf(out, value_is_nil(value) ? "%s(nil)" : "%s{", value.type->name);
    else
        strbuf_add_string(out, "map[");
    size_t count;
    _cleanup_free_ const char **keys = value_keys(value, &count);
    for (size_t i = 0; i < count; i++) {
        strbuf_add_string(out, !i ? "" : is_source ? ", " : " ");
        print_text((struct value){&type_string, NULL}, keys[i], strlen(keys[i]), verb, out);
        strbuf_add_char(out, ':');
        print_verb(value_member(value, keys[i]), verb, depth + 1, out);
    }
    if (!is_source || !value_is_nil(value))
        strbuf_add_char(out, is_source ? '}' : ']');
}

static void print_struct(struct value value, const struct verb *verb, int depth, struct strbuf *out)
{
    bool is_source = verb->sharp && letter_of(verb) == 'v';
    strbuf_addf(out, "%s{", is_source ? value.type->name : "");
    for (size_t i = 0; i < value.type->field_count; i++) {
        const struct value_field *field = &value.type->fields[i];
        strbuf_add_string(out, !i ? "" : is_source ? ", " : " ");
        if (is_source || (verb->plus && letter_of(verb) == 'v'))
            strbuf_addf(out, "%s:", field->name);
        json_t *json = field->flags & VALUE_EMBEDDED
                           ? value.json
                           : json_object_get(value.json, field->key ? field->key : field->name);
        print_verb((struct value){field->type, json}, verb, depth + 1, out);
    }
    strbuf_add_char(out, '}');
}

static void print_pointer(struct value value, const struct verb *verb, int depth, struct strbuf *out)
{
    if (value_is_nil(value)) {
        add_padded("<nil>", 5, verb, out);
        return;
    }
    enum value_kind kind = value.type->element->kind;
    bool is_shown = kind == VALUE_KIND_STRUCT || kind == VALUE_KIND_LIST || kind == VALUE_KIND_MAP;
    if (depth == 0 && is_shown && strchr("vs", letter_of(verb))) {
        strbuf_add_char(out, '&');
        print_verb((struct value){value.type->element, value.json}, verb, depth + 1, out);
        return;
    }
    strbuf_addf(out, "0x%llx", (unsigned long long)(uintptr_t)value.json); /* an address, as Go shows one */
}

static void print_verb(struct value value, const struct verb *verb, int depth, struct strbuf *out)
{
    char letter = letter_of(verb), buffer[64];
    value = value_of_interface(value);
    if (letter == 'T') {
        const char *name = value.type ? value.type->name : "<nil>";
        add_padded(name, strlen(name), verb, out);
        return;
    }
    if (!value.type) {
        if (letter == 'v')
            add_padded("<nil>", 5, verb, out);
        else
            print_bad_verb(value, verb, out);
        return;
    }
    if (value.type->describe && strchr("vsq", letter) && !value_is_nil(value)) {
        _cleanup_free_ char *text = value.type->describe(value.json);
        print_text(value, text, strlen(text), verb, out);
        return;
    }
    switch (value.type->kind) {
    case VALUE_KIND_BOOL:
        if (letter == 'v' || letter == 't')
            add_padded(json_is_true(value.json) ? "true" : "false", json_is_true(value.json) ? 4 : 5, verb, out);
        else
            print_bad_verb(value, verb, out);
        return;
    case VALUE_KIND_INT:
    case VALUE_KIND_UINT:
        print_integer(value, verb, out);
        return;
    case VALUE_KIND_FLOAT:
        print_float(value, verb, out);
        return;
    case VALUE_KIND_STRING:
        print_text(value, string_or_empty(json_string_value(value.json)), json_string_length(value.json), verb, out);
        return;
    case VALUE_KIND_NUMBER: {
        const char *text = value_text(value, buffer);
        print_text(value, text, strlen(text), verb, out);
        return;
    }
    case VALUE_KIND_DURATION:
    case VALUE_KIND_TIME: {
        bool is_time = value.type->kind == VALUE_KIND_TIME;
        if (!is_time && !strchr("vsqxX", letter)) {
            print_integer(value, verb, out);
            return;
        }
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        if (is_time)
            print_time(string_or_empty(json_string_value(value.json)), &text);
        else
            print_duration(value_int(value), &text);
        print_text(value, strbuf_text(&text), text.length, verb, out);
        return;
    }
    case VALUE_KIND_LIST:
        print_list(value, verb, depth, out);
        return;
    case VALUE_KIND_MAP:
    case VALUE_KIND_ROW:
        print_map(value, verb, depth, out);
        return;
    case VALUE_KIND_STRUCT:
        print_struct(value, verb, depth, out);
        return;
    case VALUE_KIND_POINTER:
        print_pointer(value, verb, depth, out);
        return;
    case VALUE_KIND_ANY:
        return;
    }
}

/* --- formats --- */

struct formatter {
    const char *cursor;
    const struct value *arguments;
    size_t count;
    size_t next;
    bool is_reordered; /* "%[2]d" was used: arguments left over are no mistake */
    bool is_bad_index;
};

/* "[3]": the argument that is taken next. */
static void take_index(struct formatter *formatter)
{
    if (*formatter->cursor != '[')
        return;
    formatter->is_reordered = true;
    const char *close = strchr(formatter->cursor, ']');
    if (!close) {
        formatter->is_bad_index = true;
        formatter->cursor++;
        return;
    }
    char *end;
    long index = strtol(formatter->cursor + 1, &end, 10);
    if (end != close || index < 1 || (size_t)index > formatter->count)
        formatter->is_bad_index = true;
    else
        formatter->next = (size_t)index - 1;
    formatter->cursor = close + 1;
}

/* A number, or '*' for the next argument. */
static bool take_number(struct formatter *formatter, int64_t *number, bool *is_bad)
{
    take_index(formatter);
    if (*formatter->cursor == '*') {
        formatter->cursor++;
        struct value value = VALUE_INVALID;
        if (formatter->next < formatter->count)
            value = value_of_interface(formatter->arguments[formatter->next++]);
        *number = value.type && value.type->kind == VALUE_KIND_INT ? value_int(value) : INT64_MAX;
        *is_bad = *number > 1000000 || *number < -1000000;
        return !*is_bad;
    }
    if (!isdigit((unsigned char)*formatter->cursor))
        return false;
    for (*number = 0; isdigit((unsigned char)*formatter->cursor); formatter->cursor++)
        *number = MIN(*number * 10 + (*formatter->cursor - '0'), INT64_C(1000000));
    return true;
}

static bool take_flag(struct formatter *formatter, struct verb *verb)
{
    switch (*formatter->cursor) {
    case '+':
        verb->plus = true;
        break;
    case '-':
        verb->minus = true;
        break;
    case '#':
        verb->sharp = true;
        break;
    case ' ':
        verb->space = true;
        break;
    case '0':
        verb->zero = true;
        break;
    default:
        return false;
    }
    formatter->cursor++;
    return true;
}

static void print_one(struct formatter *formatter, struct strbuf *out)
{
    struct verb verb = {0};
    bool is_bad = false;
    formatter->is_bad_index = false;
    while (take_flag(formatter, &verb))
        ;
    verb.has_width = take_number(formatter, &verb.width, &is_bad);
    if (is_bad)
        strbuf_add_string(out, "%!(BADWIDTH)");
    if (verb.has_width && verb.width < 0) {
        verb.width = -verb.width;
        verb.minus = true;
    }
    if (*formatter->cursor == '.') {
        formatter->cursor++;
        is_bad = false;
        verb.has_precision = true;
        if (!take_number(formatter, &verb.precision, &is_bad) && is_bad)
            strbuf_add_string(out, "%!(BADPREC)");
        verb.has_precision = !is_bad && verb.precision >= 0;
    }
    take_index(formatter);
    if (!*formatter->cursor) {
        strbuf_add_string(out, "%!(NOVERB)");
        return;
    }
    size_t length = 1;
    while (length < 4 && ((unsigned char)formatter->cursor[length] & 0xc0) == 0x80)
        length++;
    memcpy(verb.letter, formatter->cursor, length);
    formatter->cursor += length;
    if (verb.letter[0] == '%')
        strbuf_add_char(out, '%');
    else if (formatter->is_bad_index)
        strbuf_addf(out, "%%!%s(BADINDEX)", verb.letter);
    else if (formatter->next >= formatter->count)
        strbuf_addf(out, "%%!%s(MISSING)", verb.letter);
    else
        print_verb(formatter->arguments[formatter->next++], &verb, 0, out);
}

void print_format(const char *format, const struct value *arguments, size_t count, struct strbuf *out)
{
    struct formatter formatter = {.cursor = format, .arguments = arguments, .count = count};
    while (*formatter.cursor) {
        size_t length = strcspn(formatter.cursor, "%");
        strbuf_add(out, formatter.cursor, length);
        formatter.cursor += length;
        if (!*formatter.cursor)
            break;
        formatter.cursor++;
        print_one(&formatter, out);
    }
    if (formatter.is_reordered || formatter.next >= count)
        return;
    strbuf_add_string(out, "%!(EXTRA ");
    for (size_t i = formatter.next; i < count; i++) {
        struct value value = value_of_interface(arguments[i]);
        strbuf_add_string(out, i > formatter.next ? ", " : "");
        if (value.type)
            strbuf_addf(out, "%s=", value.type->name);
        print_verb(value, &plain_verb, 0, out);
    }
    strbuf_add_char(out, ')');
}

void print_plain(const struct value *arguments, size_t count, struct strbuf *out)
{
    bool was_string = false;
    for (size_t i = 0; i < count; i++) {
        bool is_string = value_is_text(value_of_interface(arguments[i]));
        strbuf_add_string(out, i && !is_string && !was_string ? " " : "");
        print_verb(arguments[i], &plain_verb, 0, out);
        was_string = is_string;
    }
}

void print_line(const struct value *arguments, size_t count, struct strbuf *out)
{
    for (size_t i = 0; i < count; i++) {
        strbuf_add_string(out, i ? " " : "");
        print_verb(arguments[i], &plain_verb, 0, out);
    }
    strbuf_add_char(out, '\n');
}

void print_value(struct value value, struct strbuf *out)
{
    bool is_nil = false;
    if (value.type && value.type->kind == VALUE_KIND_POINTER)
        value = value_indirect(value, &is_nil);
    if (!value.type)
        strbuf_add_string(out, "<no value>");
    else
        print_verb(value, &plain_verb, 0, out);
}
