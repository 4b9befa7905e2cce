/* Image references: what parses to what, and the messages of what does not, as Docker has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "oci/reference.h"

#define HEX64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX64

static void valid_references(void **state _unused_)
{
    static const struct {
        const char *text, *full, *familiar;
        bool is_tag_implied;
    } rows[] = {
        {"busybox", "docker.io/library/busybox:latest", "busybox:latest", true},
        {"busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36", false},
        {"docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest", true},
        {"index.docker.io/a/b", "docker.io/a/b:latest", "a/b:latest", true},
        {"docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest", true},
        {"localhost/x", "localhost/x:latest", "localhost/x:latest", true},
        {"localhost:5000/x:y", "localhost:5000/x:y", "localhost:5000/x:y", false},
        {"HOST/x", "HOST/x:latest", "HOST/x:latest", true},
        {"[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest", true},
        {"a__b--c.d_e", "docker.io/library/a__b--c.d_e:latest", "a__b--c.d_e:latest", true},
        {"a:Tag_1.x-y", "docker.io/library/a:Tag_1.x-y", "a:Tag_1.x-y", false},
        {"a@" DIGEST, "docker.io/library/a@" DIGEST, "a@" DIGEST, false},
        {"h.example/a:t@" DIGEST, "h.example/a:t@" DIGEST, "h.example/a:t@" DIGEST, false},
        {"md5:d41d8cd98f00b204e9800998ecf8427e", "docker.io/library/md5:d41d8cd98f00b204e9800998ecf8427e",
         "md5:d41d8cd98f00b204e9800998ecf8427e", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_reference_ struct reference reference = {0};
        if (!reference_parse(rows[i].text, &reference, &err))
            fail_msg("%s: %s", rows[i].text, error_message(&err));
        _cleanup_free_ char *full = reference_full(&reference);
        _cleanup_free_ char *familiar = reference_familiar(&reference);
        assert_string_equal(full, rows[i].full);
        assert_string_equal(familiar, rows[i].familiar);
        assert_int_equal(reference.is_tag_implied, rows[i].is_tag_implied);
    }
}

static void expect_error(const char *text, const char *message)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    struct reference reference = {0};
    if (reference_parse(text, &reference, &err))
        fail_msg("%s was accepted", text);
    assert_int_equal(err.kind, ERROR_INVALID);
    assert_string_equal(error_message(&err), message);
    assert_null(reference.path);
}

static void invalid_references(void **state _unused_)
{
    static const char *const malformed[] = {
        "",      ":x",   "a/",   "/a",     "-a",   "a-",       "a_-b",       "a___b",    "a..b",           "a b",
        "a:b:c", "a:",   "a:-x", "a@",     "a@x",  "a//b",     "http://x/y", "a@sha256", "a@sha256:00",    "a.-b/c",
        "a:\n",  "\xff", "a/b@", "x.y:/a", "[::1", "h:5x/a/b", "-h.x/a",     "h-.x/a",   "a@sha512:12345",
    };
    for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
        expect_error(malformed[i], "invalid reference format");
    expect_error("UPPER", "invalid reference format: repository name (library/UPPER) must be lowercase");
    expect_error("localhost/UP:x", "invalid reference format: repository name (UP) must be lowercase");
    expect_error("host:5000/A/b", "invalid reference format: repository name (A/b) must be lowercase");
    expect_error(HEX64, "invalid repository name (" HEX64 "), cannot specify 64-byte hexadecimal strings");
    expect_error("a@foo:12345678901234567890123456789012", "unsupported digest algorithm");
    expect_error("a@sha256:12345678901234567890123456789012", "invalid checksum digest length");
    expect_error("a@sha256:ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789",
                 "invalid checksum digest format");
}

static void lengths(void **state _unused_)
{
    char name[300];
    memset(name, 'n', sizeof(name));
    name[247] = '\0'; /* with "library/" 255 */
    _cleanup_reference_ struct reference reference = {0};
    assert_true(reference_parse(name, &reference, NULL));
    name[247] = 'n';
    name[248] = '\0';
    expect_error(name, "repository name must not be more than 255 characters");

    char tag[132];
    memset(tag, 't', sizeof(tag));
    tag[128] = '\0';
    assert_true(tag_is_valid(tag));
    tag[128] = 't';
    tag[129] = '\0';
    assert_false(tag_is_valid(tag));
}

static void names_to_give(void **state _unused_)
{
    static const struct {
        const char *repository, *tag, *full, *message;
    } rows[] = {
        {"a", NULL, "docker.io/library/a:latest", NULL}, {"a", "", "docker.io/library/a:latest", NULL},
        {"a:b", "c", "docker.io/library/a:c", NULL},     {"a:b", NULL, "docker.io/library/a:b", NULL},
        {"a", "b:c", NULL, "invalid tag format"},        {"a@" DIGEST, NULL, NULL, "cannot import digest reference"},
        {"", "x", NULL, "invalid reference format"},     {NULL, "x", NULL, "invalid reference format"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_reference_ struct reference reference = {0};
        bool is_valid = reference_parse_name(rows[i].repository, rows[i].tag, &reference, &err);
        assert_int_equal(is_valid, rows[i].full != NULL);
        if (!is_valid) {
            assert_string_equal(error_message(&err), rows[i].message);
            continue;
        }
        _cleanup_free_ char *full = reference_full(&reference);
        assert_string_equal(full, rows[i].full);
    }
}

static void digests(void **state _unused_)
{
    assert_true(digest_is_valid(DIGEST));
    assert_false(digest_is_valid(HEX64));
    assert_false(digest_is_valid("sha256:ABC"));
    assert_false(digest_is_valid("sha512:" HEX64));
    assert_false(digest_is_valid(DIGEST "0"));
    assert_false(digest_is_valid(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_references), cmocka_unit_test(invalid_references),
        cmocka_unit_test(lengths),          cmocka_unit_test(names_to_give),
        cmocka_unit_test(digests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
