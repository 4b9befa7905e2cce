/* Feeds broken templates to the language of --format, and runs those that are accepted on an answer of inspect, as the
   command line does it: on the struct and on the plain JSON. What they write must be the same each time.

       fuzz_template [rounds [seed]]  mutates templates of its own, the same ones for the same seed; a unit test runs
   this clang -DWITH_LIBFUZZER -fsanitize=fuzzer,address …    libFuzzer drives it

   Sanitizers make it worth more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/api_types.h"
#include "cli/template/template.h"
#include "mutate.h"
#include "json/json_record.h"

static const char data[] =
    "{\"Id\":\"0123456789abcdef\",\"Name\":\"/"
    "web\",\"RestartCount\":2,\"Args\":[\"-c\",\"x\"],\"Created\":\"2024-01-02T03:04:05Z\","
    "\"State\":{\"Status\":\"running\",\"Running\":true,\"Pid\":42,\"Health\":null},"
    "\"HostConfig\":{\"Memory\":-9223372036854775808,\"CpuShares\":9223372036854775807,\"CapAdd\":null,\"Init\":true,"
    "\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"}]}},"
    "\"Config\":{\"Env\":[\"A=b\",\"\",\"\\u00e9\"],\"Labels\":{\"b\":\"2\",\"a\":\"1\",\"\":\"empty\"},\"Cmd\":[]},"
    "\"Mounts\":[{\"Type\":\"bind\",\"RW\":true}]}";

static const char *const words[] = {"{{",
                                    "}}",
                                    "{{-",
                                    "-}}",
                                    "{{/* c */}}",
                                    "{{if .Name}}",
                                    "{{else}}",
                                    "{{else if .Id}}",
                                    "{{end}}",
                                    "{{range .Args}}",
                                    "{{range $i, $e := .Config.Labels}}",
                                    "{{with .Config}}",
                                    "{{define \"t\"}}",
                                    "{{template \"t\" .}}",
                                    "{{block \"b\" .}}",
                                    "{{break}}",
                                    "{{continue}}",
                                    "{{$x := .Id}}",
                                    "{{$x = 1}}",
                                    "$x",
                                    "$",
                                    ".",
                                    ".Name",
                                    ".State.Pid",
                                    ".HostConfig.Memory",
                                    ".Config.Labels",
                                    ".Config.Env",
                                    ".Args",
                                    ".Mounts",
                                    ".NoSuch",
                                    "(",
                                    ")",
                                    "|",
                                    " ",
                                    "\"\"",
                                    "\"text\"",
                                    "`raw`",
                                    "'c'",
                                    "0",
                                    "1",
                                    "-1",
                                    "0x7f",
                                    "1e400",
                                    "9223372036854775807",
                                    "99999999999999999999",
                                    "1i",
                                    "true",
                                    "nil",
                                    "json ",
                                    "join ",
                                    "split ",
                                    "index ",
                                    "slice ",
                                    "len ",
                                    "printf ",
                                    "println ",
                                    "print ",
                                    "upper ",
                                    "lower ",
                                    "title ",
                                    "pad ",
                                    "truncate ",
                                    "table ",
                                    "eq ",
                                    "ne ",
                                    "lt ",
                                    "and ",
                                    "or ",
                                    "not ",
                                    "call ",
                                    "html ",
                                    "%",
                                    "%v",
                                    "%-9999d",
                                    "%*d",
                                    "%[3]s",
                                    "%q",
                                    "%x",
                                    "\\",
                                    "\n",
                                    "\t",
                                    "\xff",
                                    "\xc3\xa9",
                                    ":="};

static const char *const seeds[] = {
    "{{.Name}} {{json .Config}} {{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}",
    "{{if eq .State.Status \"running\" \"x\"}}up{{else if .State.Pid}}{{.State.Pid}}{{else}}down{{end}}",
    "{{with index .HostConfig.PortBindings \"80/tcp\"}}{{(index . 0).HostPort}}{{end}}",
    "{{define \"t\"}}[{{.}}{{template \"u\" .}}]{{end}}{{define \"u\"}}{{len .}}{{end}}{{template \"t\" .Name}}",
    "{{printf \"%-10.3s|%05d|%x|%q|%+v|%T\" .Name .State.Pid .Id .Name .Args .Mounts}}",
    "{{join (split .Name \"/\") \",\" | upper | printf \"%s\" | truncate}} {{pad .Id 2 3}} {{slice .Id 1 4}}",
    "{{range $i, $e := .Config.Env}}{{if $i}}{{continue}}{{end}}{{break}}{{$e}}{{else}}none{{end}}{{- /* c */ -}}  x",
    "{{$x := 1}}{{range .Args}}{{$x = .}}{{end}}{{$x}} {{not (and .Id (or \"\" 0))}} {{lt 1 2}} {{.HostConfig.Memory}}",
};

/* A template may make an answer that calls for more than this: then it is cut off, as a mutation that loops would be.
 */
static char *run(const struct template *template, struct value value, unsigned flags)
{
    struct strbuf out = STRBUF_INIT;
    struct error err = ERROR_INIT;
    template_execute(template, value, flags, &out, &err);
    strbuf_addf(&out, "!%s", error_message(&err));
    error_release(&err);
    return strbuf_take(&out);
}

static void expect_same(const struct template *template, struct value value, unsigned flags)
{
    _cleanup_free_ char *once = run(template, value, flags), *twice = run(template, value, flags);
    if (strcmp(once, twice) == 0)
        return;
    fputs("a template gives one thing and then another\n", stderr);
    abort();
}

static void try(const char *text)
{
    static json_t *json;
    if (!json)
        json = json_parse(data, strlen(data), NULL);
    _cleanup_error_ struct error err = ERROR_INIT;
    _cleanup_(template_freep) struct template *template = template_parse(text, &err);
    if (!template) {
        if (!*error_message(&err))
            abort();
        return;
    }
    expect_same(template, (struct value){&container_inspect_type, json}, 0);
    expect_same(template, value_of_json(json), TEMPLATE_MISSING_KEY_FAILS);
    expect_same(template, (struct value){&container_inspect_type, json}, TEMPLATE_HEADER);
}

#ifdef WITH_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    _cleanup_free_ char *text = xstrndup((const char *)input, length);
    try(text);
    return 0;
}
#else
int main(int argc, char **argv)
{
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (size_t i = 0; i < ARRAY_SIZE(seeds); i++)
        try(seeds[i]);
    for (unsigned long round = 0; round < rounds; round++) {
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        if (draw(3))
            strbuf_add_string(&text, seeds[draw(ARRAY_SIZE(seeds))]);
        else
            for (size_t i = 1 + draw(12); i; i--)
                strbuf_add_string(&text, words[draw(ARRAY_SIZE(words))]);
        mutate(&text, words, ARRAY_SIZE(words));
        try(strbuf_text(&text));
    }
    return 0;
}
#endif
