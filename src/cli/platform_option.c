#include "cli/platform_option.h"

#include <string.h>
#include <sys/utsname.h>

#include "base/memory.h"
#include "base/text.h"
#include "json/json_record.h"

static const struct {
    const char *alias;
    const char *architecture;
    const char *variant;
} architectures[] = {
    {"x86_64", "amd64", ""}, {"x86-64", "amd64", ""},    {"amd64", "amd64", ""},     {"aarch64", "arm64", ""},
    {"arm64", "arm64", ""},  {"armhf", "arm", "v7"},     {"armel", "arm", "v6"},     {"armv7l", "arm", "v7"},
    {"armv6l", "arm", "v6"}, {"arm", "arm", "v7"},       {"i386", "386", ""},        {"i686", "386", ""},
    {"386", "386", ""},      {"ppc64le", "ppc64le", ""}, {"riscv64", "riscv64", ""}, {"s390x", "s390x", ""},
};

static size_t find_architecture(const char *name)
{
    size_t i = 0;
    while (i < ARRAY_SIZE(architectures) && strcmp(architectures[i].alias, name) != 0)
        i++;
    return i;
}

static bool is_component(const char *text)
{
    return *text && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == strlen(text);
}

bool require_api_version(struct command_call *call, const char *flag, const char *version, struct error *err)
{
    /* The version is negotiated by the first request. */
    _cleanup_strbuf_ struct strbuf answer = STRBUF_INIT;
    if (!client_get_text(call->client, "/_ping", &answer, err))
        return false;
    const char *spoken = client_api_version(call->client);
    if (strtol(spoken, NULL, 10) > 1 || strtol(spoken + 2, NULL, 10) >= strtol(version + 2, NULL, 10))
        return true;
    return error_set(err, ERROR_UNSUPPORTED,
                     "\"--%s\" requires API version %s, but the Docker daemon API version is %s", flag, version,
                     spoken);
}

bool platform_json(const char *text, char **out, struct error *err)
{
    _cleanup_strlist_ struct strlist parts = strlist_split(text, '/');
    for (size_t i = 0; i < parts.count; i++)
        if (!is_component(parts.items[i]))
            return error_set(err, ERROR_INVALID,
                             "\"%s\" is an invalid component of \"%s\": platform specifier component "
                             "must match \"^[A-Za-z0-9_.-]+$\": invalid argument",
                             parts.items[i], text);
    if (parts.count > 3)
        return error_set(err, ERROR_INVALID, "\"%s\": cannot parse platform specifier: invalid argument", text);
    struct utsname machine;
    const char *os = parts.items[0], *architecture = NULL, *variant = parts.count > 2 ? parts.items[2] : NULL;
    bool is_lone_architecture = parts.count == 1 && find_architecture(os) < ARRAY_SIZE(architectures);
    if (is_lone_architecture) {
        architecture = os;
        os = "linux";
    } else if (parts.count > 1) {
        architecture = parts.items[1];
    } else {
        architecture = uname(&machine) == 0 ? machine.machine : "";
    }
    size_t known = find_architecture(architecture);
    if (known < ARRAY_SIZE(architectures)) {
        architecture = architectures[known].architecture;
        if (!variant && *architectures[known].variant)
            variant = architectures[known].variant;
        if (variant && strcmp(architecture, "arm64") == 0 && (!strcmp(variant, "8") || !strcmp(variant, "v8")))
            variant = NULL;
    }
    _cleanup_json_ json_t *json = json_object();
    json_object_set_new(json, "architecture", json_string(architecture));
    json_object_set_new(json, "os", json_string(os));
    if (variant)
        json_object_set_new(json, "variant", json_string(variant));
    *out = json_format(json);
    return true;
}
