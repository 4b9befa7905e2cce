#include "engine/security.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/defaults.h"

static char *normal_name(const char *name)
{
    char *full = strncasecmp(name, "CAP_", 4) == 0 ? xstrdup(name) : xasprintf("CAP_%s", name);
    for (char *c = full; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return full;
}

static bool is_all(const char *name)
{
    return strcasecmp(name, "ALL") == 0 || strcasecmp(name, "CAP_ALL") == 0;
}

static bool check_capabilities(const struct strlist *names, const char *what, struct error *err)
{
    for (size_t i = 0; i < names->count; i++) {
        _cleanup_free_ char *name = normal_name(names->items[i]);
        if (!is_all(name) && capability_number(name) < 0)
            return error_set(err, ERROR_INVALID, "invalid %s: unknown capability: \"%s\"", what, name);
    }
    return true;
}

static bool contains(const struct strlist *names, const char *wanted)
{
    for (size_t i = 0; i < names->count; i++) {
        _cleanup_free_ char *name = normal_name(names->items[i]);
        if (string_equal(name, wanted))
            return true;
    }
    return false;
}

static bool contains_all(const struct strlist *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (is_all(names->items[i]))
            return true;
    return false;
}

void security_capabilities(const struct host_config *host, struct strlist *out)
{
    if (host->privileged) {
        defaults_all_capabilities(out);
        return;
    }
    /* As Docker's caps.TweakCapabilities: ALL added: everything but what is dropped; ALL dropped: only what is added;
       else the default, less what is dropped, and what is added. */
    _cleanup_strlist_ struct strlist base = {0};
    if (contains_all(&host->cap_add))
        defaults_all_capabilities(&base);
    else if (!contains_all(&host->cap_drop))
        defaults_capabilities(&base);
    for (size_t i = 0; i < base.count; i++)
        if (!contains(&host->cap_drop, base.items[i]))
            strlist_add(out, base.items[i]);
    for (size_t i = 0; i < host->cap_add.count; i++) {
        _cleanup_free_ char *name = normal_name(host->cap_add.items[i]);
        if (!is_all(name) && !strlist_contains(out, name))
            strlist_add(out, name);
    }
    strlist_give(out);
}

static bool parse_flag(const char *text, bool *out)
{
    static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
    static const char *const no[] = {"0", "f", "F", "FALSE", "false", "False"};
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        if (string_equal(text, yes[i]))
            *out = true;
        else if (string_equal(text, no[i]))
            *out = false;
        else
            continue;
        return true;
    }
    return false;
}

static bool has_apparmor(void)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    return file_read(-1, "/sys/module/apparmor/parameters/enabled", 16, &text, NULL) && strbuf_text(&text)[0] == 'Y';
}

bool security_parse(const struct host_config *host, struct security_options *out, struct error *err)
{
    struct security_options options = {.is_seccomp_off = host->privileged};
    for (size_t i = 0; i < host->security_opt.count; i++) {
        const char *option = host->security_opt.items[i];
        if (string_equal(option, "no-new-privileges")) {
            options.no_new_privileges = true;
            continue;
        }
        if (string_equal(option, "disable"))
            continue;
        size_t length = strcspn(option, "=:");
        const char *value = option[length] ? option + length + 1 : NULL;
        if (!value)
            return error_set(err, ERROR_INTERNAL, "invalid --security-opt 1: \"%s\"", option);
        if (length == 5 && strncmp(option, "label", length) == 0) {
            if (!string_equal(value, "disable"))
                return error_set(err, ERROR_UNSUPPORTED, "SELinux labels are not supported by this version");
        } else if (length == 8 && strncmp(option, "apparmor", length) == 0) {
            if (string_is_set(value) && !string_equal(value, "unconfined") && !has_apparmor())
                return error_set(err, ERROR_INVALID, "AppArmor is not available on this host: \"%s\"", option);
            if (string_is_set(value) && !string_equal(value, "unconfined"))
                return error_set(err, ERROR_UNSUPPORTED, "AppArmor profiles are not supported by this version");
        } else if (length == 7 && strncmp(option, "seccomp", length) == 0) {
            options.has_seccomp = true;
            options.is_seccomp_off = string_equal(value, "unconfined");
            options.seccomp_profile =
                options.is_seccomp_off || string_equal(value, "builtin") || !*value ? NULL : value;
        } else if (length == 17 && strncmp(option, "no-new-privileges", length) == 0) {
            if (!parse_flag(value, &options.no_new_privileges))
                return error_set(err, ERROR_INTERNAL, "invalid --security-opt 2: \"%s\"", option);
        } else if (length == 11 && strncmp(option, "systempaths", length) == 0 && string_equal(value, "unconfined")) {
            options.has_open_system_paths = true;
        } else {
            return error_set(err, ERROR_INTERNAL, "invalid --security-opt 2: \"%s\"", option);
        }
    }
    *out = options;
    return true;
}

bool security_check(const struct host_config *host, struct error *err)
{
    struct security_options options;
    return check_capabilities(&host->cap_add, "CapAdd", err) && check_capabilities(&host->cap_drop, "CapDrop", err) &&
           security_parse(host, &options, err);
}
