/* What the registry's server knows without a connection: paths, ranges, manifests, settings, its ledger and content. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "distribution/content.h"
#include "distribution/ledger.h"
#include "distribution/manifest_check.h"
#include "distribution/range.h"
#include "distribution/route.h"
#include "distribution/settings.h"

#define ZEROES "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define HELLO  "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* of "hello" */

static void expect_route(const char *path, enum route_kind kind, const char *name, const char *last)
{
    _cleanup_route_ struct route route;
    route_parse(path, &route);
    assert_int_equal(route.kind, kind);
    assert_true(string_equal(route.name, name));
    assert_true(string_equal(route.last, last));
}

static void test_routes(void **state)
{
    expect_route("/", ROUTE_PAGE, NULL, NULL);
    expect_route("/v2", ROUTE_BASE, NULL, NULL);
    expect_route("/v2/", ROUTE_BASE, NULL, NULL);
    expect_route("/v2/_catalog", ROUTE_CATALOG, NULL, NULL);
    expect_route("/v2/a/b/tags/list", ROUTE_TAGS, "a/b", NULL);
    expect_route("/v2/a/manifests/latest", ROUTE_MANIFEST, "a", "latest");
    expect_route("/v2/a/referrers/x", ROUTE_REFERRERS, "a", "x");
    expect_route("/v2/a/blobs/x", ROUTE_BLOB, "a", "x");
    expect_route("/v2/a/blobs/uploads/", ROUTE_UPLOADS, "a", NULL);
    expect_route("/v2/a/blobs/uploads", ROUTE_UPLOADS, "a", NULL);
    expect_route("/v2/a/blobs/uploads/7", ROUTE_UPLOAD, "a", "7");
    expect_route("/v2/blobs/uploads/manifests/v1", ROUTE_MANIFEST, "blobs/uploads", "v1");
    expect_route("/v2/a/uploads/7", ROUTE_NONE, NULL, NULL);
    expect_route("/v2/a/tags/other", ROUTE_NONE, NULL, NULL);
    expect_route("/v2//blobs/x", ROUTE_BLOB, "", "x");
    expect_route("/v2/blobs/x", ROUTE_NONE, NULL, NULL);
    expect_route("/v1/a/blobs/x", ROUTE_NONE, NULL, NULL);
    expect_route("", ROUTE_NONE, NULL, NULL);
}

static void expect_part(const char *header, int64_t size, int64_t wanted_start, int64_t wanted_length)
{
    int64_t start = -1, length = -1;
    assert_int_equal(range_parse(header, size, &start, &length), RANGE_PART);
    assert_int_equal(start, wanted_start);
    assert_int_equal(length, wanted_length);
}

static void test_ranges(void **state)
{
    int64_t start, length;
    expect_part("bytes=0-0", 10, 0, 1);
    expect_part("bytes=2-", 10, 2, 8);
    expect_part("Bytes= 2-3 ", 10, 2, 2);
    expect_part("bytes=-3", 10, 7, 3);
    expect_part("bytes=-30", 10, 0, 10);
    expect_part("bytes=9-9223372036854775807", 10, 9, 1);
    static const char *const whole[] = {NULL,         "",
                                        "bytes=",     "bytes=-",
                                        "bytes=3-2",  "bytes=1-2,4",
                                        "items=1-2",  "bytes=a-b",
                                        "bytes=1- 2", "bytes 1-2",
                                        "bytes=--1",  "bytes=+1-2",
                                        "bytes=0x1-", "bytes=99999999999999999999-"};
    for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
        assert_int_equal(range_parse(whole[i], 10, &start, &length), RANGE_WHOLE);
    static const char *const beyond[] = {"bytes=10-", "bytes=10-20", "bytes=-0"};
    for (size_t i = 0; i < ARRAY_SIZE(beyond); i++)
        assert_int_equal(range_parse(beyond[i], 10, &start, &length), RANGE_UNSATISFIABLE);
    assert_int_equal(range_parse("bytes=-1", 0, &start, &length), RANGE_UNSATISFIABLE);
    assert_int_equal(range_parse("bytes=0-", 0, &start, &length), RANGE_UNSATISFIABLE);

    int64_t end;
    assert_true(chunk_range_parse("0-99", &start, &end));
    assert_int_equal(end, 99);
    assert_true(chunk_range_parse("bytes 5-5/*", &start, &end));
    assert_int_equal(start, 5);
    assert_true(chunk_range_parse("bytes=1-2", &start, &end));
    static const char *const bad[] = {"",      "-",    "5", "5-", "-5", "9-8", "a-b", "0-9223372036854775807",
                                      "1-2-3", "bytes"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(chunk_range_parse(bad[i], &start, &end));
}

static void test_manifests(void **state)
{
    static const char body[] = "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
                               "\"config\":{\"mediaType\":\"application/x\",\"digest\":\"" ZEROES "\",\"size\":5},"
                               "\"layers\":[{\"digest\":\"" HELLO "\",\"size\":7},{\"digest\":\"" ZEROES
                               "\",\"size\":1,\"urls\":[\"https://x\"]}],"
                               "\"subject\":{\"digest\":\"" HELLO "\",\"size\":1},\"annotations\":{\"a\":\"b\"}}";
    _cleanup_checked_manifest_ struct checked_manifest manifest = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_true(manifest_check("application/vnd.oci.image.manifest.v1+json; charset=utf-8", body, strlen(body),
                               &manifest, &err));
    assert_string_equal(manifest.entry.artifact_type, "application/x");
    assert_string_equal(manifest.entry.subject, HELLO);
    assert_string_equal(manifest.entry.annotations, "{\"a\":\"b\"}");
    assert_int_equal(manifest.children.count, 3);
    assert_int_equal(manifest.needed_count, 2);
    assert_int_equal(manifest.needed[1].size, 7);
    assert_false(manifest_check("application/vnd.oci.image.index.v1+json", body, strlen(body), &manifest, &err));
    /* Keys are what they are: another spelling is another key. */
    static const char other[] = "{\"SchemaVersion\":2,\"Config\":{\"digest\":\"" ZEROES "\",\"size\":5}}";
    assert_false(manifest_check("application/vnd.oci.image.manifest.v1+json", other, strlen(other), &manifest, &err));
}

/* The tables' sizes stand in a header: a row too few would be an empty one. */
static void test_settings(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(serve_rows); i++)
        assert_non_null(serve_rows[i].name);
    for (size_t i = 0; i < ARRAY_SIZE(collect_rows); i++)
        assert_non_null(collect_rows[i].name);
}

static bool place_nothing(void *context, struct error *err)
{
    return true;
}

static bool fail_to_place(void *context, struct error *err)
{
    return error_set(err, ERROR_INTERNAL, "no");
}

static void test_ledger(void **state)
{
    char folder[] = "/tmp/wherry-ledger-XXXXXX";
    assert_non_null(mkdtemp(folder));
    _cleanup_free_ char *path = path_join(folder, "registry.db");
    _cleanup_error_ struct error err = ERROR_INIT;
    struct ledger *ledger = ledger_open(path, &err);
    assert_non_null(ledger);
    const struct quota none = {0}, small = {.repository = 10};
    int64_t size = 0;
    assert_false(ledger_find_blob(ledger, "a", HELLO, &size, &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
    error_release(&err);
    assert_false(ledger_add_blob(ledger, "a", HELLO, 5, &none, fail_to_place, NULL, &err));
    error_release(&err);
    assert_false(ledger_has_repository(ledger, "a"));
    assert_true(ledger_add_blob(ledger, "a", HELLO, 5, &none, place_nothing, NULL, &err));
    assert_true(ledger_sync(ledger, &err));
    assert_true(ledger_mount_blob(ledger, "a", "b", HELLO, &none, &size, &err));
    assert_int_equal(size, 5);
    assert_false(ledger_add_blob(ledger, "b", ZEROES, 6, &small, place_nothing, NULL, &err));
    assert_int_equal(err.kind, ERROR_DENIED);
    error_release(&err);
    struct ledger_counts counts = {0};
    assert_true(ledger_count(ledger, &counts, &err));
    assert_int_equal(counts.blobs, 1);
    assert_int_equal(counts.bytes, 5);
    ledger_close(ledger);
    /* What was synced is there again. */
    ledger = ledger_open(path, &err);
    assert_non_null(ledger);
    assert_true(ledger_find_blob(ledger, "b", HELLO, &size, &err));
    ledger_close(ledger);
    assert_true(tree_remove(AT_FDCWD, folder, &err));
}

/* What a server has left is taken up by the next: the digest too. */
static void test_uploads(void **state)
{
    char folder[] = "/tmp/wherry-content-XXXXXX";
    assert_non_null(mkdtemp(folder));
    _cleanup_error_ struct error err = ERROR_INIT;
    struct content *content = content_open(folder, &err);
    assert_non_null(content);
    struct upload *upload = upload_begin(content, "a/b", &err);
    assert_non_null(upload);
    _cleanup_free_ char *id = xstrdup(upload->id);
    assert_null(upload_enter(content, "a/b", id, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    error_release(&err);
    assert_true(upload_write(content, upload, "hel", 3, &err));
    assert_true(upload_leave(content, upload, &err));
    content_close(content);

    content = content_open(folder, &err);
    assert_non_null(content);
    assert_null(upload_enter(content, "a/c", id, &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
    error_release(&err);
    upload = upload_enter(content, "a/b", id, &err);
    assert_non_null(upload);
    assert_int_equal(upload->size, 3);
    assert_true(upload_write(content, upload, "lo", 2, &err));
    _cleanup_free_ char *digest = upload_seal(content, upload, &err);
    assert_string_equal(digest, HELLO);
    assert_true(upload_place(content, upload, digest, &err));
    upload_remove(content, upload);
    assert_true(content_has_blob(content, HELLO, 5));
    assert_false(content_has_blob(content, HELLO, 6));
    assert_int_equal(uploads_count(content), 0);
    assert_int_equal(uploads_expire(content, INT64_MAX), 0);
    content_close(content);
    assert_true(tree_remove(AT_FDCWD, folder, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),   cmocka_unit_test(test_ranges), cmocka_unit_test(test_manifests),
        cmocka_unit_test(test_settings), cmocka_unit_test(test_ledger), cmocka_unit_test(test_uploads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
