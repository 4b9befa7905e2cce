/* Feeds broken YAML to what reads compose files: parser, variables, schema and canonical form. What is accepted is
   written, read again, and must be the same.

       fuzz_compose [rounds [seed]]     mutates texts of its own, the same ones for the same seed; a unit test runs this
       clang -DWITH_LIBFUZZER -fsanitize=fuzzer,address …    libFuzzer drives it */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compose/canonical.h"
#include "compose/dotenv.h"
#include "compose/merge.h"
#include "compose/schema.h"
#include "compose/shape.h"
#include "compose/template.h"
#include "compose/yaml_document.h"
#include "mutate.h"
#include "json/json_record.h"

static const char *input = "";

static void expect(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "%s: %s\n", what, input);
    abort();
}

static void read_document(const char *text, size_t length)
{
    input = text;
    _cleanup_error_ struct error err = ERROR_INIT;
    _cleanup_element_ struct element *document = yaml_parse("fuzz.yaml", text, length, &err);
    if (!document) {
        expect(*error_message(&err) != '\0', "a failure without a message");
        return;
    }
    _cleanup_json_ json_t *json = element_to_json(document);
    _cleanup_strbuf_ struct strbuf written = STRBUF_INIT;
    yaml_write(json, &written);
    _cleanup_element_ struct element *again = yaml_parse("again.yaml", written.data, written.length, NULL);
    expect(again || length > 4096, "YAML that cannot be read back");
    if (!schema_check(document, &err) || !canonical_make(document, "/tmp", &err)) {
        expect(*error_message(&err) != '\0', "a failure without a message");
        return;
    }
    element_merge(document, element_copy(document), "");
    element_drop_resets(document);
    _cleanup_json_ json_t *shaped = shape_project(document, FORM_JSON, draw(2));
    expect(json_is_object(shaped), "no model");
}

static void read_texts(const char *text)
{
    input = text;
    _cleanup_strmap_ struct strmap map = {0};
    strmap_set(&map, "AA", "one");
    struct variables variables = {.first = &map};
    _cleanup_free_ char *expanded = template_expand(text, &variables, NULL);
    dotenv_parse("fuzz.env", text, &map, &map, NULL);
}

#ifdef WITH_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    _cleanup_free_ char *text = xstrndup((const char *)data, length);
    read_document((const char *)data, length);
    read_texts(text);
    return 0;
}
#else
int main(int argc, char **argv)
{
    static const char *const seeds[] = {
        "services:\n  web:\n    image: busybox\n    ports: [\"80:80\", \"127.0.0.1:1-2:3-4/udp\"]\n    volumes: "
        "[\"a:/b:ro\", "
        "./x:/y]\n    environment: {A: b, C: }\n    deploy: {replicas: 2}\n",
        "x-a: &a {image: b, labels: [x=1]}\nservices:\n  one: {<<: *a, command: \"a 'b c' d\"}\n  two: {<<: [*a], "
        "depends_on: [one], healthcheck: {test: x, interval: 1m30s}}\n",
        "services: {one: {image: x, ulimits: {nofile: {soft: 1, hard: 2}}, secrets: [s], configs: [{source: c, mode: "
        "0440}], extra_hosts: [\"a:1.1.1.1\"], build: {context: ., args: [A=1]}}}\nsecrets: {s: {file: x}}\n",
        "services:\n  one: !reset null\n  two: {ports: !override [1], mem_limit: 64m, cpus: 1.5, tmpfs: /x}\n",
    };
    static const char *const words[] = {
        "&a ",  "*a",   "<<: *a", "!reset ", "!override ", "\n",    "  ",    ": ", "- ",      "{",     "}",  "[",
        "]",    "\"",   "'",      "|\n",     ">\n",        "${",    "${A:-", "$$", "#",       "null",  "~",  "0o17",
        "1e99", ".inf", "\xff",   "\t",      "services:",  "image", "\\",    "=",  "export ", "---\n", "..."};
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 400;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (unsigned long round = 0; round < rounds; round++) {
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        strbuf_add_string(&text, seeds[draw(ARRAY_SIZE(seeds))]);
        mutate(&text, words, ARRAY_SIZE(words));
        read_document(strbuf_text(&text), draw(8) ? text.length : draw(text.length + 1));
        read_texts(strbuf_text(&text));
    }
    return 0;
}
#endif
