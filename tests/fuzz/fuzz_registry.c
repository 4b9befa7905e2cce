/* Feeds broken challenges, credentials, indexes and addresses of registries to their parsers.

       fuzz_registry [rounds [seed]]     mutates texts of its own, the same ones for the same seed; a unit test runs
   this

   Sanitizers make it worth more. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "mutate.h"
#include "oci/manifest.h"
#include "registry/challenge.h"
#include "registry/endpoint.h"
#include "registry/registry.h"
#include "json/json_record.h"

static void expect(bool is_true, const char *what, const char *input)
{
    if (is_true)
        return;
    fprintf(stderr, "%s: %s\n", what, input);
    abort();
}

static void read_challenges(const char *text)
{
    _cleanup_challenges_ struct challenge_list list = {0};
    challenges_parse(text, &list);
    expect(list.count <= 16, "too many challenges", text);
    for (size_t i = 0; i < list.count; i++)
        expect(*list.items[i].scheme, "a challenge without scheme", text);
}

static void read_auth(const char *text, size_t length)
{
    _cleanup_free_ char *header = base64_encode(text, length);
    const char *const both[] = {text, header};
    for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
        _cleanup_registry_auth_ struct registry_auth auth = {0};
        struct error err = ERROR_INIT;
        if (registry_auth_parse(both[i], &auth, &err))
            continue;
        expect(err.kind == ERROR_INVALID && *error_message(&err), "a failure without a message", text);
        error_release(&err);
    }
}

static void read_index(const char *text, size_t length)
{
    struct index index = {0};
    if (!record_parse(&index_type, text, length, &index, NULL))
        return;
    struct platform host = {0};
    platform_host(&host);
    const struct descriptor *chosen = index_choose(&index, &host);
    expect(!chosen || !chosen->platform || platform_match(&host, chosen->platform) > 0, "a wrong choice", text);
    record_release(&platform_type, &host);
    record_release(&index_type, &index);
}

static void read_address(const char *text)
{
    struct error err = ERROR_INIT;
    expect(insecure_registry_check(text, &err) || *error_message(&err), "a failure without a message", text);
    expect(mirror_check(text, &err) || *error_message(&err), "a failure without a message", text);
    error_release(&err);
}

int main(int argc, char **argv)
{
    static const char *const seeds[] = {
        "Bearer realm=\"https://auth.example/token\",service=\"registry.example\",scope=\"repository:a/b:pull,push\"",
        "Basic realm=\"a \\\"b\\\"\", Bearer realm=x , error=\"invalid_token\"",
        "{\"username\":\"user\",\"password\":\"x\",\"auth\":\"dXNlcjp4\",\"serveraddress\":\"host:5000\"}",
        "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"x\",\"size\":1,\"platform\":{\"os\":\"linux\","
        "\"architecture\":\"amd64\"}},{\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"}}]}",
        "10.0.0.0/8",
        "https://mirror.example:5000/v2/",
    };
    static const char *const words[] = {"\"", "=", ",", " ", "\\", "Bearer ", "realm=", "{", "}",    "[",
                                        "]",  ":", "/", "?", "@",  "[::1]",   "://",    "-", "null", "\xff"};
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 4000;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (unsigned long round = 0; round < rounds; round++) {
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        strbuf_add_string(&text, seeds[draw(ARRAY_SIZE(seeds))]);
        mutate(&text, words, ARRAY_SIZE(words));
        read_challenges(strbuf_text(&text));
        read_auth(strbuf_text(&text), text.length);
        read_index(strbuf_text(&text), text.length);
        read_address(strbuf_text(&text));
    }
    return 0;
}
