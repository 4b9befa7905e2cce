/* Feeds broken JSON to the decoder of records, broken bytes to their binary form, and broken image references to the
   parser. What is accepted must survive: written and read again it is the same.

       fuzz_json [rounds [seed]]     mutates texts of its own, the same ones for the same seed; a unit test runs this
       clang -DWITH_LIBFUZZER -fsanitize=fuzzer,address …    libFuzzer drives it

   Sanitizers make it worth more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/wire.h"
#include "model/container.h"
#include "mutate.h"
#include "oci/image_config.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "json/json_record.h"
#include "json/json_syntax.h"

static const struct record_type *const types[] = {&create_request_type, &exec_request_type, &container_config_type,
                                                  &host_config_type,    &image_config_type, &manifest_type,
                                                  &index_type};

static const char *input = "";

static void expect(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "%s: %s\n", what, input);
    abort();
}

static void read_wire(const struct record_type *type, const char *data, size_t length)
{
    _cleanup_free_ void *record = xcalloc(1, type->size);
    if (!wire_decode(type, data, length, record, NULL))
        return;
    _cleanup_strbuf_ struct strbuf again = STRBUF_INIT;
    wire_encode(type, record, &again);
    record_release(type, record);
}

static void read_record(const struct record_type *type, const char *text, size_t length)
{
    _cleanup_free_ void *record = xcalloc(1, type->size), *copy = xcalloc(1, type->size);
    struct error err = ERROR_INIT;
    if (!record_parse(type, text, length, record, &err)) {
        expect(err.kind != ERROR_NONE && *error_message(&err), "a failure without a message");
        error_release(&err);
        return;
    }
    _cleanup_free_ char *written = record_format(type, record);
    expect(written && record_parse(type, written, strlen(written), copy, NULL), "a record that cannot be read back");
    _cleanup_free_ char *again = record_format(type, copy);
    expect(strcmp(written, again) == 0, "a record that changes when it is written and read");
    record_release(type, copy);

    _cleanup_strbuf_ struct strbuf wire = STRBUF_INIT;
    wire_encode(type, record, &wire);
    expect(wire_decode(type, strbuf_text(&wire), wire.length, copy, NULL), "a binary form that cannot be read back");
    _cleanup_free_ char *third = record_format(type, copy);
    expect(strcmp(written, third) == 0, "a record that changes in binary");
    record_release(type, copy);
    record_release(type, record);

    for (size_t i = 0; i < 3 && wire.length > 0; i++) {
        wire.data[draw(wire.length)] = (char)draw(256);
        read_wire(type, wire.data, draw(4) ? wire.length : draw(wire.length));
    }
}

static void read_json(const char *text, size_t length)
{
    input = text;
    struct error err = ERROR_INIT;
    _cleanup_json_ json_t *json = json_parse(text, length, &err);
    _cleanup_free_ char *problem = err.kind == ERROR_NONE ? json_syntax_problem(text, length) : NULL;
    error_release(&err);
    expect(!json || !problem, "Go's grammar refuses what was accepted");
    for (size_t i = 0; json && i < ARRAY_SIZE(types); i++)
        read_record(types[i], text, length);
}

static void read_reference(const char *text)
{
    input = text;
    _cleanup_reference_ struct reference first = {0}, second = {0};
    if (!reference_parse(text, &first, NULL))
        return;
    _cleanup_free_ char *full = reference_full(&first), *familiar = reference_familiar(&first);
    expect(reference_parse(full, &second, NULL), "a full name that cannot be parsed");
    _cleanup_free_ char *again = reference_full(&second);
    expect(strcmp(full, again) == 0, "a full name that changes");
    /* Docker's short names may mean something else (docker.io/a.b/c is shown as a.b/c): they are not held against it.
     */
    expect(*familiar, "an empty familiar name");
}

#ifdef WITH_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    _cleanup_free_ char *text = xstrndup((const char *)data, length);
    read_json((const char *)data, length);
    read_reference(text);
    return 0;
}
#else
static void mutate_references(void)
{
    static const char *const seeds[] = {"busybox",
                                        "host:5000/a/b:tag",
                                        "docker.io/library/x",
                                        "localhost/a",
                                        "a@sha256:0123456789012345678901234567890123456789012345678901234567890123",
                                        "[::1]:80/a:b",
                                        "a:b@sha256:0123456789012345678901234567890123456789012345678901234567890123"};
    static const char *const words[] = {"/", ":", "@", "sha256:", "A", "__", "--", ".", "docker.io/", "library/", "["};
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    strbuf_add_string(&text, seeds[draw(ARRAY_SIZE(seeds))]);
    mutate(&text, words, ARRAY_SIZE(words));
    read_reference(strbuf_text(&text));
}

int main(int argc, char **argv)
{
    static const char *const seeds[] = {
        "{\"Image\":\"b\",\"Cmd\":[\"a\",\"b\"],\"Env\":[\"A=b\\n\\u00e9\"],\"Labels\":{\"a\":\"b\",\"c\":\"\\\"\"},"
        "\"Tty\":true,\"StopTimeout\":5,\"ExposedPorts\":{\"80/tcp\":{}},\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],"
        "\"Interval\":1000000000},\"HostConfig\":{\"Memory\":1048576,\"NanoCpus\":5e8,\"Binds\":[\"/a:/b:ro\"],"
        "\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8\"}]},\"RestartPolicy\":{\"Name\":\"no\"},"
        "\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":1,\"Hard\":-1}],\"Tmpfs\":{\"/"
        "t\":\"size=1k\"},\"OomKillDisable\":null},"
        "\"NetworkingConfig\":{\"EndpointsConfig\":{\"bridge\":{\"Aliases\":null,\"MacAddress\":\"\"}}}}",
        "{\"Memory\":1,\"CpuShares\":-1,\"PidsLimit\":null,\"Devices\":[{\"PathOnHost\":\"/dev/null\"}],\"Init\":false,"
        "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/\",\"Target\":\"/x\",\"BindOptions\":{\"Propagation\":\"r\"}}]}",
        "{\"schemaVersion\":2,\"mediaType\":\"application/"
        "vnd.oci.image.index.v1+json\",\"manifests\":[{\"digest\":\"x\","
        "\"size\":9007199254740993,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"}}],"
        "\"config\":{\"size\":1},\"layers\":[{\"size\":-1},{}]}",
        "{\"created\":\"2024-01-02T03:04:05.678901234Z\",\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":{"
        "\"Cmd\":\"x\"},"
        "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:0\"]},\"history\":[{\"created_by\":\"x\",\"empty_"
        "layer\":true}]}",
    };
    static const char *const words[] = {"{",
                                        "}",
                                        "[",
                                        "]",
                                        ",",
                                        ":",
                                        "\"",
                                        "null",
                                        "true",
                                        "1e99",
                                        "-0",
                                        "\\u00",
                                        "\\ud800",
                                        "\\u0000",
                                        "99999999999999999999999",
                                        "\xff",
                                        "\xe2",
                                        "0.5",
                                        "-9223372036854775808",
                                        "[[[[[[[[",
                                        "\"a\":",
                                        " ",
                                        "\\"};
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 2500;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (unsigned long round = 0; round < rounds; round++) {
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        strbuf_add_string(&text, seeds[draw(ARRAY_SIZE(seeds))]);
        mutate(&text, words, ARRAY_SIZE(words));
        read_json(strbuf_text(&text), draw(8) ? text.length : draw(text.length + 1));
        mutate_references();
    }
    return 0;
}
#endif
