/* Templates against what docker's own client prints for the same text: the cases were recorded from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/api_types.h"
#include "cli/template/template.h"
#include "json/json_record.h"

static const char container[] =
    "{\"Id\":\"0123456789abcdef\",\"Name\":\"/web\",\"RestartCount\":0,\"Args\":[\"-c\",\"x\"],\"Path\":\"sh\","
    "\"State\":{\"Status\":\"running\",\"Running\":true,\"Pid\":42,\"Health\":null},"
    "\"HostConfig\":{\"Memory\":67108864,\"CpuShares\":5,\"Init\":true,\"CapAdd\":null,"
    "\"RestartPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":0},"
    "\"Ulimits\":[{\"Name\":\"nofile\",\"Hard\":20,\"Soft\":10}],"
    "\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"}]}},"
    "\"Config\":{\"Env\":[\"A=b\",\"C=d\"],\"Cmd\":[\"sh\"],\"Labels\":{\"b\":\"2\",\"a\":\"1\"},\"Entrypoint\":null,"
    "\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"true\"],\"Interval\":30000000000}},"
    "\"NetworkSettings\":{\"Bridge\":\"b0\",\"Ports\":{\"80/tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"8080\"}]},"
    "\"Networks\":{\"bridge\":{\"IPAddress\":\"172.17.0.2\",\"Gateway\":\"172.17.0.1\"}}},"
    "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/a\",\"Destination\":\"/b\",\"Mode\":\"\",\"RW\":true,"
    "\"Propagation\":\"rprivate\"}]}";

/* As inspect does it: on the struct, and where that fails on the plain JSON. Gives the text or the error. */
static char *render(const char *text)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    _cleanup_json_ json_t *json = json_parse(container, strlen(container), &err);
    assert_non_null(json);
    _cleanup_(template_freep) struct template *template = template_parse(text, &err);
    if (!template)
        return xasprintf("!%s", error_message(&err));
    struct strbuf out = STRBUF_INIT;
    if (template_execute(template, (struct value){&container_inspect_type, json}, 0, &out, NULL))
        return strbuf_take(&out);
    strbuf_release(&out);
    bool is_good = template_execute(template, value_of_json(json), TEMPLATE_MISSING_KEY_FAILS, &out, &err);
    if (is_good)
        return strbuf_take(&out);
    strbuf_release(&out);
    return xasprintf("!%s", error_message(&err));
}

struct template_case {
    const char *text;
    const char *expected; /* "!…": the error */
};

static void check(const struct template_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        _cleanup_free_ char *actual = render(cases[i].text);
        if (strcmp(actual, cases[i].expected) != 0)
            fail_msg("%s\n  gives    %s\n  not      %s", cases[i].text, actual, cases[i].expected);
    }
}

static void test_fields(void **state)
{
    static const struct template_case cases[] = {
        {"plain", "plain"},
        {"{{.ID}} {{.Name}}", "0123456789abcdef /web"},
        {"{{.Id}}", "0123456789abcdef"}, /* JSON's own name, through the plain JSON */
        {"{{.State.Status}} {{.State.Running}} {{.State.Pid}}", "running true 42"},
        {"{{.State}}", "{running true false false false false 42 0    <nil>}"},
        {"{{.State.Health}}", "<nil>"},
        {"{{.Args}} {{.Config.Labels}} {{.Config.Entrypoint}}", "[-c x] map[a:1 b:2] []"},
        {"{{.HostConfig.CPUShares}} {{.HostConfig.RestartPolicy}}", "5 {no 0}"},
        {"{{.HostConfig.Ulimits}} {{.HostConfig.Init}}", "[nofile=10:20] true"},
        {"{{.HostConfig.PortBindings}}", "map[80/tcp:[{ 8080}]]"},
        {"{{.Config.Healthcheck}}", "{[CMD-SHELL true] 30s 0s 0s 0s 0}"},
        {"{{.Mounts}}", "[{bind  /a /b   true rprivate}]"},
        {"{{.NetworkSettings.Bridge}} {{.NetworkSettings.NetworkSettingsBase.Bridge}}", "b0 b0"},
        {"{{.Config.Labels.a}} {{.Config.Labels.nope}}", "1 <no value>"},
        {"{{.Foo}}", "!template: :1:2: executing \"\" at <.Foo>: map has no entry for key \"Foo\""},
        {"{{.Foo.Bar}}", "!template: :1:6: executing \"\" at <.Foo.Bar>: map has no entry for key \"Foo\""},
        {"{{.Name.x}}", "!template: :1:7: executing \"\" at <.Name.x>: can't evaluate field x in type interface {}"},
        {"{{.State.Health.x}}",
         "!template: :1:8: executing \"\" at <.State.Health.x>: nil pointer evaluating interface {}.x"},
        {"\n\n {{.Foo}}", "!template: :3:3: executing \"\" at <.Foo>: map has no entry for key \"Foo\""},
    };
    check(cases, ARRAY_SIZE(cases));
}

static void test_control(void **state)
{
    static const struct template_case cases[] = {
        {"{{if .State.Running}}yes{{else}}no{{end}}", "yes"},
        {"{{if eq 1 2}}a{{else if eq 1 1}}b{{else}}c{{end}}", "b"},
        {"{{with .State.Health}}x{{else}}none{{end}}", "none"},
        {"{{with 0}}a{{else with 5}}{{.}}{{end}}", "5"},
        {"{{range .Config.Env}}{{.}};{{end}}", "A=b;C=d;"},
        {"{{range $i, $e := .Config.Env}}{{if $i}}, {{end}}{{$e}}{{end}}", "A=b, C=d"},
        {"{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}", "a=1 b=2 "},
        {"{{range .HostConfig.CapAdd}}x{{else}}none{{end}}", "none"},
        {"{{range 4}}{{if eq . 1}}{{continue}}{{end}}{{if eq . 3}}{{break}}{{end}}{{.}}{{end}}", "02"},
        {"{{$x := 5}}{{$x}}{{$x = 6}}{{$x}}", "56"},
        {"{{with .State}}{{$.Name}}{{end}}", "/web"},
        {"{{define \"x\"}}[{{.}}]{{end}}{{template \"x\" .Name}}", "[/web]"},
        {"{{block \"b\" .Name}}<{{.}}>{{end}}", "</web>"},
        {"a {{- .Name -}} b {{- /* c */ -}} d", "a/webbd"},
        {"{{.Name | upper | printf \"%s-%s\" \"a\"}}", "a-/WEB"},
        {"{{(index .NetworkSettings.Networks \"bridge\").IPAddress}}", "172.17.0.2"},
        {"{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}", "8080"},
        {"{{template \"no\"}}",
         "!template: :1:11: executing \"\" at <{{template \"no\"}}>: template \"no\" not defined"},
        {"{{define \"x\"}}{{.Foo}}{{end}}{{template \"x\" .}}",
         "!template: :1:16: executing \"x\" at <.Foo>: map has no entry for key \"Foo\""},
        {"{{range .Name}}{{end}}", "!template: :1:8: executing \"\" at <.Name>: range can't iterate over /web"},
        {"{{$x = 5}}", "!template: :1:7: executing \"\" at <5>: undefined variable: $x"},
    };
    check(cases, ARRAY_SIZE(cases));
}

static void test_functions(void **state)
{
    static const struct template_case cases[] = {
        {"{{json .Args}} {{json .Config.Entrypoint}} {{json .State.Health}}", "[\"-c\",\"x\"] null null"},
        {"{{json .HostConfig.RestartPolicy}}", "{\"Name\":\"no\",\"MaximumRetryCount\":0}"},
        {"{{json \"<a>&\\u2028\"}}", "\"<a>&\\u2028\""},
        {"{{join .Config.Env \",\"}} {{split \"a,b\" \",\"}}", "A=b,C=d [a b]"},
        {"{{upper .Name}} {{title \"a b-c\"}} {{pad \"x\" 1 2}}| {{truncate .ID 4}}", "/WEB A B-C  x  | 0123"},
        {"{{index .Args 1}} {{index .Config.Labels \"zz\"}}|{{slice .ID 0 3}} {{len .Args}}", "x |012 2"},
        {"{{and 1 0}} {{or 0 \"x\"}} {{not 0}} {{and 1 2}}", "0 x true 2"},
        {"{{eq 1 2 1}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 1 2}}", "true true true true false false"},
        {"{{print 1 2 \"a\" \"b\" 3}}", "1 2ab3"},
        {"{{printf \"%5d|%-5d|%05d|%+d|%x|%c|%U\" 42 42 42 7 255 65 65}}", "   42|42   |00042|+7|ff|A|U+0041"},
        {"{{printf \"%8.3f|%e|%v|%v\" 3.14159 1234.5 1000000.0 1.5}}", "   3.142|1.234500e+03|1e+06|1.5"},
        {"{{printf \"%q %x %6s|%.2s|%t\" \"a\\\"b\" \"hi\" \"ab\" \"h\u00e9llo\" true}}",
         "\"a\\\"b\" 6869     ab|h\u00e9|true"},
        {"{{printf \"%d\" \"x\"}} {{printf \"%d\"}} {{printf \"x\" 1}} {{printf \"%z\" 1}} {{printf \"%\"}}",
         "%!d(string=x) %!d(MISSING) x%!(EXTRA int=1) %!z(int=1) %!(NOVERB)"},
        {"{{printf \"%[2]d %[1]d\" 1 2}} {{printf \"%[3]d\" 1}} {{printf \"%*d|\" 5 42}}", "2 1 %!d(BADINDEX)    42|"},
        {"{{printf \"%T %T %#v %+v\" 1 .Args .Args .HostConfig.RestartPolicy}}",
         "int []string []string{\"-c\", \"x\"} {Name:no MaximumRetryCount:0}"},
        {"{{html \"<a>\"}} {{urlquery \"a b\"}}", "&lt;a&gt; a+b"},
        {"{{index .Args 2}}", "!template: :1:2: executing \"\" at <index .Args 2>: error calling index: reflect: slice "
                              "index out of range"},
        {"{{index .Args 5}}",
         "!template: :1:2: executing \"\" at <index .Args 5>: error calling index: index out of range: 5"},
        {"{{eq 1 \"a\"}}",
         "!template: :1:2: executing \"\" at <eq 1 \"a\">: error calling eq: incompatible types for comparison"},
        {"{{upper 5}}", "!template: :1:8: executing \"\" at <5>: expected string; found 5"},
        {"{{upper .Foo}}", "!template: :1:8: executing \"\" at <.Foo>: map has no entry for key \"Foo\""},
        {"{{not 1 2}}", "!template: :1:2: executing \"\" at <not>: wrong number of args for not: want 1 got 2"},
        {"{{call 1}}", "!template: :1:2: executing \"\" at <call 1>: error calling call: non-function 1 of type int"},
    };
    check(cases, ARRAY_SIZE(cases));
}

static void test_syntax_errors(void **state)
{
    static const struct template_case cases[] = {
        {"{{", "!template: :1: unclosed action"},
        {"{{.Name", "!template: :1: unclosed action"},
        {"{{\n.Name x", "!template: :2: function \"x\" not defined"},
        {"{{}}", "!template: :1: missing value for command"},
        {"{{if}}x{{end}}", "!template: :1: missing value for if"},
        {"{{if 1}}x", "!template: :1: unexpected EOF"},
        {"{{end}}", "!template: :1: unexpected {{end}}"},
        {"{{foo .}}", "!template: :1: function \"foo\" not defined"},
        {"{{$x}}", "!template: :1: undefined variable \"$x\""},
        {"{{1|2}}", "!template: :1: non executable command in pipeline stage 2"},
        {"{{.Name}", "!template: :1: bad character U+007D '}'"},
        {"{{\"abc}}", "!template: :1: unterminated quoted string"},
        {"{{(1}}", "!template: :1: unclosed left paren"},
        {"{{1)}}", "!template: :1: unexpected right paren"},
        {"{{break}}", "!template: :1: {{break}} outside {{range}}"},
        {"{{/* x", "!template: :1: unclosed comment"},
        {"{{99999999999999999999}}", "!template: :1: integer overflow: \"99999999999999999999\""},
    };
    check(cases, ARRAY_SIZE(cases));
}

/* Nothing that a user types may hang or overflow the stack. */
static void test_limits(void **state)
{
    struct strbuf text = STRBUF_INIT;
    for (int i = 0; i < 100000; i++)
        strbuf_add_string(&text, i ? "(" : "{{");
    _cleanup_free_ char *deep = render(strbuf_text(&text));
    assert_true(string_starts_with(deep, "!template: :1: "));
    strbuf_release(&text);
    _cleanup_free_ char *endless = render("{{define \"x\"}}{{template \"x\"}}{{end}}{{template \"x\"}}");
    assert_non_null(strstr(endless, "exceeded maximum template depth"));
}

/* Docker's statistics have limits of 2^64 - 1. */
static void test_large_integers(void **state)
{
    static const char text[] = "{\"limit\":18446744073709551615,\"text\":\"18446744073709551615\",\"small\":-3}";
    _cleanup_error_ struct error err = ERROR_INIT;
    _cleanup_json_ json_t *json = json_parse(text, strlen(text), &err);
    _cleanup_(template_freep) struct template *template = template_parse("{{.limit}} {{.text}} {{json .}}", &err);
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    assert_true(template_execute(template, value_of_json(json), 0, &out, &err));
    assert_string_equal(strbuf_text(&out), "18446744073709551615 18446744073709551615 {\"limit\":18446744073709551615,"
                                           "\"small\":-3,\"text\":\"18446744073709551615\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_integers), cmocka_unit_test(test_fields),        cmocka_unit_test(test_control),
        cmocka_unit_test(test_functions),      cmocka_unit_test(test_syntax_errors), cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
