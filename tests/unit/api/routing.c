#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/access.h"
#include "api/detach.h"
#include "api/platform.h"
#include "api/respond.h"
#include "api/role.h"
#include "api/route.h"
#include "api/version.h"
#include "base/memory.h"
#include "oci/manifest.h"

static void test_versions(void **state)
{
    const char *rest = NULL;
    int version = 0;
    bool has_prefix = false;
    assert_true(version_split("/v1.45/containers/json", &rest, &version, &has_prefix, NULL));
    assert_string_equal(rest, "/containers/json");
    assert_int_equal(version, 145);
    assert_true(has_prefix);
    assert_true(version_split("/version", &rest, &version, &has_prefix, NULL));
    assert_string_equal(rest, "/version");
    assert_int_equal(version, API_VERSION);
    assert_false(has_prefix);
    assert_true(version_split("/v1.24/x", &rest, &version, &has_prefix, NULL));
    assert_int_equal(version, 124);
    /* Not a version at all: the routes will not know it. */
    assert_true(version_split("/v1.abc/version", &rest, &version, &has_prefix, NULL));
    assert_string_equal(rest, "/v1.abc/version");
    assert_true(version_split("/v1.45", &rest, &version, &has_prefix, NULL));
    assert_string_equal(rest, "/v1.45");
}

static void check_version_refused(const char *path, const char *message)
{
    const char *rest;
    int version;
    bool has_prefix;
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_false(version_split(path, &rest, &version, &has_prefix, &err));
    assert_int_equal(err.kind, ERROR_INVALID);
    assert_string_equal(error_message(&err), message);
}

static void test_version_limits(void **state)
{
    check_version_refused("/v1.99/_ping", "client version 1.99 is too new. Maximum supported API version is 1.50");
    check_version_refused("/v2.0/_ping", "client version 2.0 is too new. Maximum supported API version is 1.50");
    check_version_refused("/v1.10/_ping",
                          "client version 1.10 is too old. Minimum supported API version is 1.24, please "
                          "upgrade your client to a newer version");
    check_version_refused("/v1/_ping", "client version 1 is too old. Minimum supported API version is 1.24, please "
                                       "upgrade your client to a newer version");
    check_version_refused("/v1.99999999999999999999/_ping", "client version 1.99999999999999999999 is too new. Maximum "
                                                            "supported API version is 1.50");
}

static const char *find(const char *method, const char *path, int version, char **target)
{
    free(TAKE_PTR(*target));
    const struct route *route = route_find(method, path, version, target);
    return route ? route->pattern : NULL;
}

static void test_routes(void **state)
{
    _cleanup_free_ char *target = NULL;
    assert_int_equal(route_count, 111); /* Docker's 107 and four of ours */
    assert_string_equal(find("GET", "/containers/json", 150, &target), "/containers/json");
    assert_string_equal(find("GET", "/containers/json/json", 150, &target), "/containers/{id}/json");
    assert_string_equal(target, "json");
    assert_string_equal(find("DELETE", "/containers/json", 150, &target), "/containers/{id}");
    assert_string_equal(find("GET", "/containers/a/b/json", 150, &target), "/containers/{id}/json");
    assert_string_equal(target, "a/b");
    assert_null(find("GET", "/containers/a\nb/json", 150, &target));
    assert_null(find("GET", "/containers//json", 150, &target));
    assert_null(find("GET", "/containers/json/", 150, &target));
    assert_null(find("PUT", "/version", 150, &target));
    /* Image names have slashes, and may look like routes. */
    assert_string_equal(find("GET", "/images/host:5000/a/b:t/json", 150, &target), "/images/{name}/json");
    assert_string_equal(target, "host:5000/a/b:t");
    assert_string_equal(find("DELETE", "/images/a/b", 150, &target), "/images/{name}");
    assert_string_equal(find("GET", "/images/get", 150, &target), "/images/get");
    assert_string_equal(find("GET", "/images/a/get", 150, &target), "/images/{name}/get");
    /* Newer than the version asked for. */
    assert_null(find("GET", "/system/df", 124, &target));
    assert_non_null(find("GET", "/system/df", 125, &target));
    /* No row hides another. */
    for (size_t i = 0; i < route_count; i++)
        assert_string_equal(find(routes[i].method, routes[i].pattern, 150, &target), routes[i].pattern);
}

/* Every route has a decision, and this is all that role=read may do: a new row must be weighed here, too. */
static void test_access(void **state)
{
    static const char *const readable[] = {
        "GET /_ping",
        "HEAD /_ping",
        "GET /version",
        "GET /info",
        "GET /events",
        "GET /system/df",
        "GET /containers/json",
        "GET /containers/{id}/json",
        "GET /containers/{id}/top",
        "GET /containers/{id}/logs",
        "GET /containers/{id}/changes",
        "GET /containers/{id}/stats",
        "POST /containers/{id}/wait",
        "GET /exec/{id}/json",
        "GET /images/json",
        "GET /images/{name}/json",
        "GET /images/{name}/history",
        "GET /networks",
        "GET /networks/{id}",
        "GET /volumes",
        "GET /volumes/{name}",
        "GET /plugins",
    };
    size_t count = 0;
    for (size_t i = 0; i < route_count; i++) {
        _cleanup_free_ char *line = xasprintf("%s %s", routes[i].method, routes[i].pattern);
        if (routes[i].access == ACCESS_UNDECIDED)
            fail_msg("%s has no decision on who may take it", line);
        if (routes[i].access != ACCESS_READ)
            continue;
        assert_true(count < ARRAY_SIZE(readable));
        assert_string_equal(line, readable[count++]);
    }
    assert_int_equal(count, ARRAY_SIZE(readable));
}

/* And this is all that a socket for one label's containers may take, with what becomes of it. */
static void test_label_access(void **state)
{
    static const char *const names[] = {"", "plain", "filters", "container", "exec"};
    static const char *const allowed[] = {
        "plain GET /_ping",
        "plain HEAD /_ping",
        "plain GET /version",
        "filters GET /events",
        "filters GET /containers/json",
        "filters POST /containers/prune",
        "container GET /containers/{id}/json",
        "container GET /containers/{id}/top",
        "container GET /containers/{id}/logs",
        "container GET /containers/{id}/changes",
        "container GET /containers/{id}/export",
        "container GET /containers/{id}/stats",
        "container POST /containers/{id}/resize",
        "container POST /containers/{id}/start",
        "container POST /containers/{id}/stop",
        "container POST /containers/{id}/restart",
        "container POST /containers/{id}/kill",
        "container POST /containers/{id}/pause",
        "container POST /containers/{id}/unpause",
        "container POST /containers/{id}/attach",
        "container GET /containers/{id}/attach/ws",
        "container POST /containers/{id}/wait",
        "container POST /containers/{id}/exec",
        "container HEAD /containers/{id}/archive",
        "container GET /containers/{id}/archive",
        "container PUT /containers/{id}/archive",
        "container DELETE /containers/{id}",
        "exec POST /exec/{id}/start",
        "exec POST /exec/{id}/resize",
        "exec GET /exec/{id}/json",
        "plain GET /images/json",
        "plain GET /images/{name}/json",
        "plain GET /images/{name}/history",
    };
    size_t count = 0;
    for (size_t i = 0; i < route_count; i++) {
        if (routes[i].label_access == LABEL_DENIED)
            continue;
        _cleanup_free_ char *line =
            xasprintf("%s %s %s", names[routes[i].label_access], routes[i].method, routes[i].pattern);
        assert_true(count < ARRAY_SIZE(allowed));
        assert_string_equal(line, allowed[count++]);
    }
    assert_int_equal(count, ARRAY_SIZE(allowed));
}

static const struct role read_role = {.is_read_only = true};

static bool may_take(const struct role *role, const struct route *route, const char *key, const char *value,
                     struct error *err)
{
    struct call call = {.role = role};
    if (key)
        strmap_set(&call.query, key, value);
    bool is_allowed = access_check(&call, route, err);
    strmap_release(&call.query);
    return is_allowed;
}

static void test_role_read(void **state)
{
    const struct role *role = &read_role;
    _cleanup_free_ char *target = NULL;
    _cleanup_error_ struct error err = ERROR_INIT;
    const struct route undecided = {"GET", "/new", NULL, 0, ACCESS_UNDECIDED};
    assert_false(may_take(role, &undecided, NULL, NULL, &err));
    assert_int_equal(err.kind, ERROR_DENIED);
    assert_string_equal(error_message(&err), "the role \"read\" of this socket does not allow GET /new");
    assert_true(may_take(NULL, &undecided, NULL, NULL, NULL));

    const struct route *top = route_find("GET", "/containers/x/top", 150, &target);
    free(TAKE_PTR(target));
    assert_true(may_take(role, top, NULL, NULL, NULL));
    assert_true(may_take(role, top, "ps_args", "-ef", NULL));
    assert_true(may_take(role, top, "ps_args", "aux", NULL));
    assert_false(may_take(role, top, "ps_args", "auxe", NULL));
    assert_false(may_take(role, top, "ps_args", "-ef e", NULL));
    assert_false(may_take(role, top, "ps_args", "-o pid,environ", NULL));
    assert_true(may_take(NULL, top, "ps_args", "auxe", NULL));

    const struct route *logs = route_find("GET", "/containers/x/logs", 150, &target);
    assert_true(may_take(role, logs, "details", "0", NULL));
    assert_false(may_take(role, logs, "details", "1", NULL));
}

static void check_concealed(const char *text, const char *expected)
{
    struct call call = {.role = &read_role}, full = {0};
    json_t *json = json_loads(text, 0, NULL), *wanted = json_loads(expected, 0, NULL), *copy = json_deep_copy(json);
    assert_non_null(json);
    assert_non_null(wanted);
    access_conceal(&full, json);
    assert_true(json_equal(json, copy));
    access_conceal(&call, json);
    if (!json_equal(json, wanted))
        fail_msg("%s", json_dumps(json, 0));
    json_decref(copy);
    json_decref(wanted);
    json_decref(json);
}

static void test_conceal(void **state)
{
    check_concealed(
        "{\"Config\":{\"Env\":[\"A=1\",\"B=\",\"C\"],\"Cmd\":[\"x=y\"],\"OnBuild\":[\"ENV\\tA=1\",\"RUN x\"]}}",
        "{\"Config\":{\"Env\":[\"A\",\"B\",\"C\"],\"Cmd\":[\"x=y\"],\"OnBuild\":[\"ENV …\",\"RUN x\"]}}");
    check_concealed("{\"ContainerConfig\":{\"Env\":[\"A=1\"],\"Cmd\":[\"#(nop) ENV A=1\"]}}",
                    "{\"ContainerConfig\":{\"Env\":[\"A\"],\"Cmd\":null}}");
    check_concealed("{\"Labels\":{\"Env\":\"A=1\"},\"Env\":null}", "{\"Labels\":{\"Env\":\"A=1\"},\"Env\":null}");
    check_concealed("[{\"CreatedBy\":\"/bin/sh -c #(nop)  ENV A=1\"},{\"CreatedBy\":\"env A=1 make\"},"
                    "{\"CreatedBy\":\"RUN |1 A=1 /bin/sh -c x\"},{\"CreatedBy\":\"RUN a | b\"}]",
                    "[{\"CreatedBy\":\"/bin/sh -c #(nop)  ENV …\"},{\"CreatedBy\":\"env …\"},"
                    "{\"CreatedBy\":\"RUN | …\"},{\"CreatedBy\":\"RUN a | b\"}]");
    check_concealed("{\"Volumes\":[{\"Options\":{\"type\":\"cifs\",\"o\":\"password=x\"}}]}",
                    "{\"Volumes\":[{\"Options\":{\"type\":\"cifs\"}}]}");
}

static void test_statuses(void **state)
{
    assert_int_equal(error_status(ERROR_INVALID), 400);
    assert_int_equal(error_status(ERROR_NOT_FOUND), 404);
    assert_int_equal(error_status(ERROR_CONFLICT), 409);
    assert_int_equal(error_status(ERROR_NOT_MODIFIED), 304);
    assert_int_equal(error_status(ERROR_UNSUPPORTED), 501);
    assert_int_equal(error_status(ERROR_UNAVAILABLE), 503);
    assert_int_equal(error_status(ERROR_INTERNAL), 500);
    assert_int_equal(error_status(ERROR_CANCELLED), 500);
}

static void check_keys(const char *text, const char *expected)
{
    _cleanup_free_ char *hex = NULL;
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_int_equal(detach_keys_from_text(text, &hex, &err), expected != NULL);
    if (expected)
        assert_string_equal(hex, expected);
    else
        assert_int_equal(err.kind, ERROR_INVALID);
}

static void test_detach_keys(void **state)
{
    check_keys("", "1011");
    check_keys("ctrl-a", "01");
    check_keys("a,b,ctrl-@,ctrl-_", "6162001f");
    check_keys("zzz", NULL);
    check_keys("ctrl-1", NULL);
    check_keys("a,", NULL);
}

static void test_platforms(void **state)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    struct platform platform = {0};
    assert_true(query_platform("{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}", &platform, &err));
    assert_string_equal(platform.variant, "v8");
    record_release(&platform_type, &platform);
    assert_false(query_platform("{\"os\":\"linux\"}", &platform, &err));
    assert_string_equal(error_message(&err), "both OS and Architecture must be provided");
    assert_false(query_platform("{}", &platform, &err));
    assert_false(query_platform("linux", &platform, &err));
    assert_int_equal(err.kind, ERROR_INVALID);
}

static void test_json_text(void **state)
{
    json_t *plain = json_text("caf\xc3\xa9"),
           *broken = json_text("a\xff"
                               "b\xc3"),
           *none = json_text(NULL);
    assert_string_equal(json_string_value(plain), "caf\xc3\xa9");
    assert_string_equal(json_string_value(broken), "a\xef\xbf\xbd"
                                                   "b\xef\xbf\xbd");
    assert_string_equal(json_string_value(none), "");
    json_decref(plain);
    json_decref(broken);
    json_decref(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),  cmocka_unit_test(test_version_limits), cmocka_unit_test(test_routes),
        cmocka_unit_test(test_statuses),  cmocka_unit_test(test_detach_keys),    cmocka_unit_test(test_platforms),
        cmocka_unit_test(test_json_text), cmocka_unit_test(test_access),         cmocka_unit_test(test_label_access),
        cmocka_unit_test(test_role_read), cmocka_unit_test(test_conceal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
