/* Feeds broken paths, ranges, manifests and tokens to what reads them in the registry's server.

       fuzz_distribution [rounds [seed]]     mutates texts of its own, the same ones for the same seed; a unit test runs
   this

   Sanitizers make it worth more. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "distribution/manifest_check.h"
#include "distribution/range.h"
#include "distribution/route.h"
#include "distribution/token.h"
#include "mutate.h"
#include "oci/reference.h"

#define DIGEST "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define OCI    "application/vnd.oci.image.manifest.v1+json"

static void expect(bool is_true, const char *what, const char *input)
{
    if (is_true)
        return;
    fprintf(stderr, "%s: %s\n", what, input);
    abort();
}

static void read_path(const char *text)
{
    _cleanup_route_ struct route route;
    route_parse(text, &route);
    expect(!route.last || !strchr(route.last, '/'), "a slash in the last component", text);
    expect(route.kind || (!route.name && !route.last), "a name without a route", text);
    expect(!route.name || !repository_name_is_valid(route.name) || !strstr(route.name, ".."), "a name that leads up",
           text);
}

static void read_range(const char *text)
{
    for (int64_t size = 0; size < 1000; size += 333) {
        int64_t start = -1, length = -1;
        if (range_parse(text, size, &start, &length) == RANGE_PART)
            expect(start >= 0 && length > 0 && start + length <= size, "a part that is none", text);
    }
    int64_t start, end;
    if (chunk_range_parse(text, &start, &end))
        expect(start >= 0 && end >= start && end < INT64_MAX, "a chunk that is none", text);
}

static void read_manifest(const char *text, size_t length)
{
    _cleanup_checked_manifest_ struct checked_manifest manifest = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    static const char *const types[] = {NULL, OCI, "application/vnd.oci.image.index.v1+json"};
    if (!manifest_check(types[draw(3)], text, length, &manifest, &err)) {
        expect(err.kind == ERROR_INVALID && *error_message(&err), "a failure without a message", text);
        return;
    }
    for (size_t i = 0; i < manifest.children.count; i++)
        expect(digest_is_valid(manifest.children.items[i]), "a bad digest", text);
    expect(manifest.needed_count <= manifest.children.count, "more needed than there are", text);
}

static void read_token(const struct token_keys *keys, const char *text)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    const struct token_rules rules = {"issuer", "service", 0};
    expect(!token_allows(keys, &rules, text, "repository", "a", "pull", &err), "a token without a signature", text);
    expect(err.kind == ERROR_UNAUTHORIZED, "a failure of another kind", text);
}

/* The key set of RFC 7517's own example, A.1. */
static struct token_keys *make_keys(void)
{
    static const char set[] =
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
        "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}]}";
    char path[] = "/tmp/fuzz-keys-XXXXXX";
    _cleanup_close_ int fd = mkstemp(path);
    struct token_keys *keys = fd >= 0 && write_full(fd, set, strlen(set)) == 0 ? token_keys_open(path, NULL) : NULL;
    unlink(path);
    expect(keys != NULL, "no keys", set);
    return keys;
}

int main(int argc, char **argv)
{
    static const char *const seeds[] = {
        "/v2/library/busybox/manifests/latest",
        "/v2/a/b/blobs/uploads/0123456789abcdef0123456789abcdef",
        "/v2/a/blobs/" DIGEST,
        "/v2/tags/list/tags/list",
        "bytes=0-499",
        "bytes 100-199/500",
        "{\"schemaVersion\":2,\"mediaType\":\"" OCI "\",\"config\":{\"digest\":\"" DIGEST "\",\"size\":5},"
        "\"layers\":[{\"digest\":\"" DIGEST "\",\"size\":7}],\"subject\":{\"digest\":\"" DIGEST "\"}}",
        "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"" DIGEST "\",\"size\":1}],\"annotations\":{\"a\":\"b\"}}",
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJpc3N1ZXIiLCJhdWQiOiJzZXJ2aWNlIiwiZXhwIjo5fQ."
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };
    static const char *const words[] = {
        "/", "..", "blobs", "uploads", "manifests", "tags", "-",  "=",    ",",    "9223372036854775807",
        "0", ".",  "{",     "}",       "[",         "]",    "\"", "null", "\xff", "eyJhbGciOiJub25lIn0"};
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 4000;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    struct token_keys *keys = make_keys();
    for (unsigned long round = 0; round < rounds; round++) {
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        strbuf_add_string(&text, seeds[draw(ARRAY_SIZE(seeds))]);
        mutate(&text, words, ARRAY_SIZE(words));
        read_path(strbuf_text(&text));
        read_range(strbuf_text(&text));
        read_manifest(strbuf_text(&text), text.length);
        read_token(keys, strbuf_text(&text));
    }
    token_keys_free(keys);
    return 0;
}
