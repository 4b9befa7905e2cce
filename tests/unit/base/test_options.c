#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/options.h"

struct values {
    bool interactive;
    bool tty;
    char *name;
    int64_t number;
    struct opt_int64 timeout;
    struct strlist labels;
    int64_t memory;
    int64_t interval;
    char *hostname;
};
#define AT(member) offsetof(struct values, member)
static const struct option rows[] = {
    {"interactive", 'i', OPTION_BOOL, AT(interactive), NULL, "Keep STDIN open"},
    {"tty", 't', OPTION_BOOL, AT(tty), NULL, "Allocate a pseudo-TTY"},
    {"name", 0, OPTION_STRING, AT(name), "string", "Assign a name to the container", "x"},
    {"number", 'n', OPTION_INT64, AT(number), "int", "A number"},
    {"timeout", 0, OPTION_OPT_INT64, AT(timeout), "int", "Seconds"},
    {"label", 'l', OPTION_LIST, AT(labels), "list", "Set meta data"},
    {"memory", 'm', OPTION_BYTES, AT(memory), "bytes", "Memory limit"},
    {"interval", 0, OPTION_DURATION, AT(interval), "duration", "Time between", "0s"},
    {"refused", 0, OPTION_BOOL, 0, NULL, "Refused", .unsupported = "not here"},
    {"hidden", 0, OPTION_BOOL, AT(tty), NULL, "Hidden", .is_hidden = true},
};
static const struct option_table table = {rows, ARRAY_SIZE(rows)};

struct outcome {
    struct values values;
    struct option_parse parse;
    struct error err;
    bool is_good;
};

static void outcome_release(struct outcome *outcome)
{
    options_release(&table, &outcome->values);
    option_parse_release(&outcome->parse);
    error_release(&outcome->err);
}

/* Words are separated by spaces. */
static struct outcome parse(const char *line, bool stops)
{
    struct outcome outcome = {.parse.stops_at_first_argument = stops};
    struct strlist words = strlist_split(line, ' ');
    outcome.is_good =
        options_parse(&table, (int)words.count, words.items, &outcome.values, &outcome.parse, &outcome.err);
    strlist_release(&words);
    return outcome;
}

static void assert_error(const char *line, const char *message)
{
    _cleanup_(outcome_release) struct outcome outcome = parse(line, false);
    assert_false(outcome.is_good);
    assert_string_equal(error_message(&outcome.err), message);
}

static void test_forms(void **state)
{
    _cleanup_(outcome_release) struct outcome outcome =
        parse("-it --name=a -n5 --timeout -1 -l a=b -l=c --label d=e -m 512m --interval 1m30s one -- --tty", false);
    assert_true(outcome.is_good);
    assert_true(outcome.values.interactive && outcome.values.tty);
    assert_string_equal(outcome.values.name, "a");
    assert_int_equal(outcome.values.number, 5);
    assert_true(outcome.values.timeout.is_set);
    assert_int_equal(outcome.values.timeout.value, -1);
    assert_int_equal(outcome.values.labels.count, 3);
    assert_string_equal(outcome.values.labels.items[1], "c");
    assert_int_equal(outcome.values.memory, 512 << 20);
    assert_int_equal(outcome.values.interval, INT64_C(90000000000));
    assert_int_equal(outcome.parse.arguments.count, 2);
    assert_string_equal(outcome.parse.arguments.items[1], "--tty");
    assert_true(option_is_given(&outcome.parse, "name"));
    assert_false(option_is_given(&outcome.parse, "hidden"));
}

static void test_stops_at_first_argument(void **state)
{
    _cleanup_(outcome_release) struct outcome outcome = parse("-i image -t --help", true);
    assert_true(outcome.is_good);
    assert_false(outcome.values.tty);
    assert_false(outcome.parse.wants_help);
    assert_int_equal(outcome.parse.arguments.count, 3);
}

static void test_false_and_help(void **state)
{
    _cleanup_(outcome_release) struct outcome outcome = parse("-i --interactive=false -h", false);
    assert_true(outcome.is_good);
    assert_false(outcome.values.interactive);
    assert_true(outcome.parse.wants_help);
}

static void test_errors(void **state)
{
    assert_error("--nope", "unknown flag: --nope");
    assert_error("--nope=1", "unknown flag: --nope");
    assert_error("-ix", "unknown shorthand flag: 'x' in -x");
    assert_error("--name", "flag needs an argument: --name");
    assert_error("-il", "flag needs an argument: 'l' in -l");
    assert_error("--=x", "bad flag syntax: --=x");
    assert_error("-m 1x", "invalid argument \"1x\" for \"-m, --memory\" flag: invalid suffix: 'x'");
    assert_error("--number=a",
                 "invalid argument \"a\" for \"-n, --number\" flag: strconv.ParseInt: parsing \"a\": invalid "
                 "syntax");
    assert_error("--tty=maybe",
                 "invalid argument \"maybe\" for \"-t, --tty\" flag: strconv.ParseBool: parsing \"maybe\": "
                 "invalid syntax");
    assert_error("--refused", "not here");
}

static void assert_bytes(const char *text, int64_t expected)
{
    int64_t value = -2;
    assert_int_equal(parse_bytes(text, &value, NULL), expected >= 0);
    if (expected >= 0)
        assert_int_equal(value, expected);
}

static void test_bytes(void **state)
{
    assert_bytes("32", 32);
    assert_bytes("32b", 32);
    assert_bytes("32KiB", 32 << 10);
    assert_bytes("32 kb", 32 << 10);
    assert_bytes("1.5g", INT64_C(1610612736));
    assert_bytes("3T", INT64_C(3) << 40);
    assert_bytes("", -1);
    assert_bytes("m", -1);
    assert_bytes("-5", -1);
    assert_bytes("5bb", -1);
    assert_bytes("5mbi", -1);
    assert_bytes("99999999999p", -1);
}

static void assert_duration(const char *text, bool is_good, int64_t expected)
{
    int64_t value = 0;
    assert_int_equal(parse_duration(text, &value, NULL), is_good);
    if (is_good)
        assert_int_equal(value, expected);
}

static void test_durations(void **state)
{
    assert_duration("0", true, 0);
    assert_duration("1.5s", true, 1500000000);
    assert_duration("-2h3m", true, -INT64_C(7380000000000));
    assert_duration("7us", true, 7000);
    assert_duration("10", false, 0);
    assert_duration("", false, 0);
    assert_duration("1d", false, 0);
    assert_duration("s", false, 0);
}

static void test_help(void **state)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    options_help(&table, 54, &text);
    assert_string_equal(strbuf_text(&text), "  -i, --interactive         Keep STDIN open\n"
                                            "      --interval duration   Time between (default 0s)\n"
                                            "  -l, --label list          Set meta data\n"
                                            "  -m, --memory bytes        Memory limit\n"
                                            "      --name string         Assign a name to the\n"
                                            "                            container (default \"x\")\n"
                                            "  -n, --number int          A number\n"
                                            "      --refused             Refused\n"
                                            "      --timeout int         Seconds\n"
                                            "  -t, --tty                 Allocate a pseudo-TTY\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),          cmocka_unit_test(test_stops_at_first_argument),
        cmocka_unit_test(test_false_and_help), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_bytes),          cmocka_unit_test(test_durations),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
