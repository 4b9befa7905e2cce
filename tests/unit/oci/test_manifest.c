/* Platforms and the choice among an index's manifests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "oci/manifest.h"
#include "json/json_record.h"

static void platforms(void **state _unused_)
{
    static const struct {
        const char *text, *os, *architecture, *variant;
    } rows[] = {
        {"linux/amd64", "linux", "amd64", NULL},     {"linux/x86_64", "linux", "amd64", NULL},
        {"linux/arm64", "linux", "arm64", NULL},     {"aarch64", "linux", "arm64", NULL},
        {"linux/arm/v7", "linux", "arm", "v7"},      {"linux/armhf", "linux", "arm", "v7"},
        {"Windows/AMD64", "windows", "amd64", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct platform platform = {0};
        assert_true(platform_parse(rows[i].text, &platform, NULL));
        assert_string_equal(platform.os, rows[i].os);
        assert_string_equal(platform.architecture, rows[i].architecture);
        assert_true(string_equal(platform.variant, rows[i].variant));
        record_release(&platform_type, &platform);
    }
    static const char *const bad[] = {"", "a/b/c/d", "linux//x", "linux/am d", "nonsense"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct platform platform = {0};
        assert_false(platform_parse(bad[i], &platform, NULL));
    }
}

static const char *chosen(const char *json, const char *wanted, char digest[16])
{
    struct index index = {0};
    struct platform platform = {0};
    assert_true(record_parse(&index_type, json, strlen(json), &index, NULL));
    assert_true(platform_parse(wanted, &platform, NULL));
    const struct descriptor *descriptor = index_choose(&index, &platform);
    snprintf(digest, 16, "%s", descriptor ? descriptor->digest : "none");
    record_release(&index_type, &index);
    record_release(&platform_type, &platform);
    return digest;
}

static void choice(void **state _unused_)
{
    static const char json[] =
        "{\"schemaVersion\":2,\"manifests\":["
        "{\"digest\":\"attestation\",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}},"
        "{\"digest\":\"arm6\",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v6\"}},"
        "{\"digest\":\"arm7\",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"}},"
        "{\"digest\":\"arm64\",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}},"
        "{\"digest\":\"amd64v3\",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\",\"variant\":\"v3\"}},"
        "{\"digest\":\"amd64\",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}},"
        "{\"digest\":\"windows\",\"platform\":{\"os\":\"windows\",\"architecture\":\"amd64\"}}]}";
    char digest[16];
    assert_string_equal(chosen(json, "linux/amd64", digest), "amd64");
    assert_string_equal(chosen(json, "linux/amd64/v3", digest), "amd64v3");
    assert_string_equal(chosen(json, "linux/arm64", digest), "arm64");
    assert_string_equal(chosen(json, "linux/arm/v7", digest), "arm7");
    assert_string_equal(chosen(json, "linux/arm/v6", digest), "arm6");
    assert_string_equal(chosen(json, "linux/arm/v5", digest), "none");
    assert_string_equal(chosen(json, "linux/riscv64", digest), "none");
    assert_string_equal(chosen("{\"manifests\":[{\"digest\":\"only\"}]}", "linux/amd64", digest), "only");
    assert_string_equal(chosen("{\"manifests\":[]}", "linux/amd64", digest), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(platforms), cmocka_unit_test(choice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
