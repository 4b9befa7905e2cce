/* Parsing of command lines by table: the rules and messages are those of pflag, which docker uses. */
#include "base/options.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

void string_quote(const char *text, struct strbuf *out)
{
    strbuf_add_char(out, '"');
    for (const char *at = text; *at; at++) {
        unsigned char character = (unsigned char)*at;
        if (character == '"' || character == '\\')
            strbuf_addf(out, "\\%c", character);
        else if (character == '\n')
            strbuf_add_string(out, "\\n");
        else if (character == '\t')
            strbuf_add_string(out, "\\t");
        else if (character == '\r')
            strbuf_add_string(out, "\\r");
        else if (character < 0x20 || character == 0x7f)
            strbuf_addf(out, "\\x%02x", character);
        else
            strbuf_add_char(out, *at);
    }
    strbuf_add_char(out, '"');
}

static bool error_set_quoted(struct error *err, const char *before, const char *text, const char *after)
{
    _cleanup_strbuf_ struct strbuf quoted = STRBUF_INIT;
    string_quote(text, &quoted);
    return error_set(err, ERROR_INVALID, "%s%s%s", before, strbuf_text(&quoted), after);
}

bool parse_bool(const char *text, bool *out, struct error *err)
{
    static const char *const true_texts[] = {"1", "t", "T", "TRUE", "true", "True"};
    static const char *const false_texts[] = {"0", "f", "F", "FALSE", "false", "False"};
    for (size_t i = 0; i < ARRAY_SIZE(true_texts); i++) {
        bool is_true = string_equal(text, true_texts[i]);
        if (is_true || string_equal(text, false_texts[i])) {
            *out = is_true;
            return true;
        }
    }
    return error_set_quoted(err, "strconv.ParseBool: parsing ", text, ": invalid syntax");
}

bool parse_integer(const char *text, int64_t *out, struct error *err)
{
    const char *digits = text + (*text == '-' || *text == '+');
    int base = 10;
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
        base = 16;
    } else if (digits[0] == '0' && (digits[1] == 'b' || digits[1] == 'B' || digits[1] == 'o' || digits[1] == 'O')) {
        base = digits[1] == 'b' || digits[1] == 'B' ? 2 : 8;
        digits += 2;
    } else if (digits[0] == '0' && digits[1]) {
        base = 8;
    }
    char *end = NULL;
    errno = 0;
    long long value = 0;
    bool is_digit = (*digits >= '0' && *digits <= '9');
    if (is_digit)
        value = strtoll(base == 2 || base == 8 ? digits : text, &end, base);
    if (!is_digit || *end)
        return error_set_quoted(err, "strconv.ParseInt: parsing ", text, ": invalid syntax");
    if (errno == ERANGE)
        return error_set_quoted(err, "strconv.ParseInt: parsing ", text, ": value out of range");
    *out = (base == 2 || base == 8) && *text == '-' ? -value : value;
    return true;
}

/* docker/go-units RAMInBytes: a decimal number, an optional space, and k, m, g, t or p with an optional b or ib. */
bool parse_bytes(const char *text, int64_t *out, struct error *err)
{
    size_t split = strlen(text);
    while (split > 0 && !strchr("0123456789. ", text[split - 1]))
        split--;
    if (split == 0)
        return error_set(err, ERROR_INVALID, "invalid size: '%s'", text);
    size_t number_length = text[split - 1] == ' ' ? split - 1 : split;
    _cleanup_free_ char *number = xstrndup(text, number_length);
    const char *suffix = text + split;
    char *end = NULL;
    double size = 0;
    bool is_number = number[0] && !strchr(" \t\n\v\f\r", number[0]);
    if (is_number)
        size = strtod(number, &end);
    if (!is_number || *end)
        return error_set_quoted(err, "strconv.ParseFloat: parsing ", number, ": invalid syntax");
    if (size < 0 || !isfinite(size))
        return error_set(err, ERROR_INVALID, "invalid size: '%s'", text);
    char lower[4] = {0};
    size_t suffix_length = strlen(suffix);
    bool is_good = suffix_length <= 3;
    for (size_t i = 0; is_good && i < suffix_length; i++)
        lower[i] = suffix[i] >= 'A' && suffix[i] <= 'Z' ? (char)(suffix[i] + ('a' - 'A')) : suffix[i];
    if (is_good && suffix_length > 0) {
        static const char units[] = "bkmgtp";
        const char *unit = strchr(units, lower[0]);
        is_good = unit &&
                  (unit == units ? suffix_length == 1
                                 : suffix_length == 1 || string_equal(lower + 1, "b") || string_equal(lower + 1, "ib"));
        for (ptrdiff_t i = 0; is_good && i < unit - units; i++)
            size *= 1024;
    }
    if (!is_good)
        return error_set(err, ERROR_INVALID, "invalid suffix: '%s'", suffix_length <= 3 ? lower : suffix);
    if (size >= 9223372036854775807.0)
        return error_set(err, ERROR_INVALID, "invalid size: '%s'", text);
    *out = (int64_t)size;
    return true;
}

struct duration_unit {
    const char *name;
    int64_t nanoseconds;
};

static const struct duration_unit duration_units[] = {
    {"ns", 1},       {"us", 1000},       {"\302\265s", 1000}, {"\316\274s", 1000}, /* U+00B5 and U+03BC */
    {"ms", 1000000}, {"s", 1000000000L}, {"m", 60000000000L}, {"h", 3600000000000L},
};

static bool duration_invalid(struct error *err, const char *text)
{
    return error_set_quoted(err, "time: invalid duration ", text, "");
}

/* One "<number><unit>" from *place, added to *sum (nanoseconds). */
static bool parse_duration_part(const char *text, const char **place, double *sum, struct error *err)
{
    const char *at = *place;
    size_t digit_count = 0;
    double value = 0, scale = 1;
    for (; *at >= '0' && *at <= '9'; at++, digit_count++)
        value = value * 10 + (*at - '0');
    if (*at == '.') {
        for (at++; *at >= '0' && *at <= '9'; at++, digit_count++) {
            scale /= 10;
            value += (*at - '0') * scale;
        }
    }
    if (digit_count == 0)
        return duration_invalid(err, text);
    size_t unit_length = strcspn(at, ".0123456789");
    _cleanup_free_ char *unit = xstrndup(at, unit_length);
    if (unit_length == 0)
        return error_set_quoted(err, "time: missing unit in duration ", text, "");
    for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++) {
        if (!string_equal(unit, duration_units[i].name))
            continue;
        *sum += value * (double)duration_units[i].nanoseconds;
        *place = at + unit_length;
        return true;
    }
    _cleanup_strbuf_ struct strbuf quoted = STRBUF_INIT;
    string_quote(unit, &quoted);
    strbuf_add_string(&quoted, " in duration ");
    string_quote(text, &quoted);
    return error_set(err, ERROR_INVALID, "time: unknown unit %s", strbuf_text(&quoted));
}

bool parse_duration(const char *text, int64_t *nanoseconds, struct error *err)
{
    const char *at = text;
    bool is_negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    if (string_equal(at, "0")) {
        *nanoseconds = 0;
        return true;
    }
    if (!*at)
        return duration_invalid(err, text);
    double sum = 0;
    while (*at) {
        if (!parse_duration_part(text, &at, &sum, err))
            return false;
    }
    if (sum >= 9223372036854775807.0)
        return duration_invalid(err, text);
    int64_t value = (int64_t)(sum + 0.5);
    *nanoseconds = is_negative ? -value : value;
    return true;
}

const struct option *option_find(const struct option_table *table, const char *name, size_t length)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct option *option = &table->options[i];
        if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
            return option;
    }
    return NULL;
}

static const struct option *find_short(const struct option_table *table, char name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->options[i].short_name == name)
            return &table->options[i];
    }
    return NULL;
}

static bool store_value(const struct option *option, void *place, const char *value, struct error *err)
{
    switch (option->kind) {
    case OPTION_BOOL:
        return parse_bool(value, place, err);
    case OPTION_STRING:
        string_replace(place, value);
        return true;
    case OPTION_INT64:
        return parse_integer(value, place, err);
    case OPTION_OPT_INT64: {
        struct opt_int64 *number = place;
        if (!parse_integer(value, &number->value, err))
            return false;
        number->is_set = true;
        return true;
    }
    case OPTION_LIST:
        strlist_add(place, value);
        return true;
    case OPTION_BYTES:
        return parse_bytes(value, place, err);
    case OPTION_DURATION:
        return parse_duration(value, place, err);
    case OPTION_CUSTOM:
        return option->parse(place, value, err);
    }
    return error_set(err, ERROR_INTERNAL, "option --%s has an unknown kind", option->name);
}

static bool set_option(const struct option *option, void *values, const char *value, struct option_parse *parse,
                       struct error *err)
{
    if (option->is_help)
        return parse->wants_help = true;
    if (option->unsupported)
        return error_set(err, ERROR_UNSUPPORTED, "%s", option->unsupported);
    _cleanup_error_ struct error cause = ERROR_INIT;
    bool is_stored = option->parse ? option->parse((char *)values + option->offset, value, &cause)
                                   : store_value(option, (char *)values + option->offset, value, &cause);
    if (!is_stored) {
        _cleanup_strbuf_ struct strbuf quoted = STRBUF_INIT;
        string_quote(value, &quoted);
        char both[8] = "";
        if (option->short_name)
            snprintf(both, sizeof(both), "-%c, ", option->short_name);
        return error_set(err, cause.kind == ERROR_UNSUPPORTED ? ERROR_UNSUPPORTED : ERROR_INVALID,
                         "invalid argument %s for \"%s--%s\" flag: %s", strbuf_text(&quoted), both, option->name,
                         error_message(&cause));
    }
    if (!strlist_contains(&parse->given, option->name))
        strlist_add(&parse->given, option->name);
    return true;
}

static bool takes_value(const struct option *option)
{
    return option->value_name != NULL;
}

/* Each of the two returns false with err, or true having moved *index to the last word it has used. */
static bool parse_long(const struct option_table *table, int argc, char **argv, int *index, void *values,
                       struct option_parse *parse, struct error *err)
{
    const char *word = argv[*index];
    const char *name = word + 2;
    if (*name == '-' || *name == '=')
        return error_set(err, ERROR_INVALID, "bad flag syntax: %s", word);
    size_t length = strcspn(name, "=");
    const struct option *option = option_find(table, name, length);
    if (!option) {
        if (length == 4 && memcmp(name, "help", 4) == 0) {
            parse->wants_help = true;
            return true;
        }
        return error_set(err, ERROR_INVALID, "unknown flag: --%.*s", (int)length, name);
    }
    const char *value = "true";
    if (name[length] == '=') {
        value = name + length + 1;
    } else if (takes_value(option)) {
        if (*index + 1 >= argc)
            return error_set(err, ERROR_INVALID, "flag needs an argument: %s", word);
        value = argv[++*index];
    }
    return set_option(option, values, value, parse, err);
}

static bool parse_short(const struct option_table *table, int argc, char **argv, int *index, void *values,
                        struct option_parse *parse, struct error *err)
{
    const char *word = argv[*index];
    for (const char *at = word + 1; *at; at++) {
        const struct option *option = find_short(table, *at);
        if (!option) {
            if (*at == 'h') {
                parse->wants_help = true;
                return true;
            }
            return error_set(err, ERROR_INVALID, "unknown shorthand flag: '%c' in -%s", *at, at);
        }
        if (at[1] == '=' && at[2])
            return set_option(option, values, at + 2, parse, err);
        if (!takes_value(option)) {
            if (!set_option(option, values, "true", parse, err))
                return false;
            continue;
        }
        if (at[1])
            return set_option(option, values, at + 1, parse, err);
        if (*index + 1 >= argc)
            return error_set(err, ERROR_INVALID, "flag needs an argument: '%c' in -%s", *at, at);
        return set_option(option, values, argv[++*index], parse, err);
    }
    return true;
}

bool options_parse(const struct option_table *table, int argc, char **argv, void *values, struct option_parse *parse,
                   struct error *err)
{
    strlist_give(&parse->arguments);
    strlist_give(&parse->given);
    int i = 0;
    for (; i < argc && !parse->wants_help; i++) {
        const char *word = argv[i];
        if (word[0] != '-' || !word[1]) {
            if (parse->stops_at_first_argument)
                break;
            strlist_add(&parse->arguments, word);
            continue;
        }
        if (string_equal(word, "--")) {
            i++;
            break;
        }
        bool is_parsed = word[1] == '-' ? parse_long(table, argc, argv, &i, values, parse, err)
                                        : parse_short(table, argc, argv, &i, values, parse, err);
        if (!is_parsed)
            return false;
    }
    for (; i < argc; i++)
        strlist_add(&parse->arguments, argv[i]);
    return true;
}

void options_release(const struct option_table *table, void *values)
{
    for (size_t i = 0; i < table->count; i++) {
        void *place = (char *)values + table->options[i].offset;
        if (table->options[i].kind == OPTION_STRING)
            string_replace(place, NULL);
        else if (table->options[i].kind == OPTION_LIST)
            strlist_release(place);
    }
}

void option_parse_release(struct option_parse *parse)
{
    strlist_release(&parse->arguments);
    strlist_release(&parse->given);
}
