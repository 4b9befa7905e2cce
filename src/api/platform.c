#include "api/platform.h"

#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

#include "base/text.h"

static const struct {
    const char *machine; /* uname -m, and other names that people use */
    const char *name;
} architectures[] = {
    {"x86_64", "amd64"},        {"x86-64", "amd64"}, {"aarch64", "arm64"},   {"armv7l", "arm"},
    {"armhf", "arm"},           {"armv6l", "arm"},   {"i686", "386"},        {"i386", "386"},
    {"ppc64le", "ppc64le"},     {"s390x", "s390x"},  {"riscv64", "riscv64"}, {"mips64", "mips64"},
    {"loongarch64", "loong64"},
};

static const char *architecture_name(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
        if (strcasecmp(architectures[i].machine, text) == 0 || strcasecmp(architectures[i].name, text) == 0)
            return architectures[i].name;
    return NULL;
}

const char *platform_architecture(void)
{
    static _Thread_local struct utsname host;
    uname(&host);
    const char *name = architecture_name(host.machine);
    return name ? name : host.machine;
}

static bool is_system(const char *text)
{
    static const char *const systems[] = {"linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "solaris"};
    for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
        if (strcasecmp(systems[i], text) == 0)
            return true;
    return false;
}

bool platform_check(const char *platform, const char *image, struct error *err)
{
    _cleanup_strlist_ struct strlist parts = strlist_split(platform, '/');
    const char *first = parts.items[0];
    bool has_system = is_system(first);
    const char *machine = has_system ? (parts.count > 1 ? parts.items[1] : platform_architecture()) : first;
    const char *name = architecture_name(machine);
    if (parts.count > 3)
        return error_set(err, ERROR_INVALID, "\"%s\": cannot parse platform specifier: invalid argument", platform);
    if ((parts.count == 1 && !has_system && !name))
        return error_set(err, ERROR_INVALID, "\"%s\": unknown operating system or architecture: invalid argument",
                         platform);
    bool is_ours =
        (!has_system || strcasecmp(first, "linux") == 0) && name && strcmp(name, platform_architecture()) == 0;
    return is_ours || error_set(err, ERROR_NOT_FOUND,
                                "image with reference %s was found but does not match the specified platform: wanted "
                                "%s, actual: linux/%s",
                                string_or_empty(image), platform, platform_architecture());
}
