#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "build/run.h"

void run_mount_release(struct run_mount *mount)
{
    free(mount->target);
    free(mount->source);
    free(mount->from);
    free(mount->id);
    free(mount->env);
    *mount = (struct run_mount){0};
}

static bool is_true(const char *value)
{
    return !value || strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0;
}

static bool invalid(const char *key, const char *value, struct error *err)
{
    return error_set(err, ERROR_INVALID, "invalid value for %s: %s", key, string_or_empty(value));
}

static bool parse_boolean(const char *key, const char *value, bool *out, struct error *err)
{
    if (value && !is_true(value) && strcmp(value, "0") != 0 && strcasecmp(value, "false") != 0)
        return invalid(key, value, err);
    *out = is_true(value);
    return true;
}

/* "64m" */
static bool parse_size(const char *value, int64_t *out)
{
    static const char units[] = "bkmgt";
    char *end;
    int64_t number = strtoll(string_or_empty(value), &end, 10);
    if (!value || end == value || number < 0)
        return false;
    const char *unit = *end ? strchr(units, *end | 0x20) : units;
    if (!unit || (*end && end[1] && strcasecmp(end + 1, "b") != 0))
        return false;
    for (; unit > units; unit--)
        if (__builtin_mul_overflow(number, 1024, &number))
            return false;
    *out = number;
    return true;
}

static bool set_type(struct run_mount *mount, const char *value, struct error *err)
{
    static const char *const names[] = {"bind", "cache", "tmpfs", "secret"};
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (string_equal(value, names[i])) {
            mount->type = (enum run_mount_type)i;
            return true;
        }
    if (string_equal(value, "ssh"))
        return error_set(err, ERROR_UNSUPPORTED,
                         "RUN --mount=type=ssh is not supported: no ssh agent can be forwarded to this builder");
    return error_set(err, ERROR_INVALID, "unsupported mount type \"%s\"", string_or_empty(value));
}

static bool set_sharing(struct run_mount *mount, const char *value, struct error *err)
{
    static const char *const names[] = {"shared", "private", "locked"};
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (string_equal(value, names[i])) {
            mount->sharing = (enum run_mount_sharing)i;
            return true;
        }
    return error_set(err, ERROR_INVALID, "unsupported sharing value \"%s\"", string_or_empty(value));
}

static bool set_number(const char *key, const char *value, uint32_t *out, struct error *err)
{
    uint64_t number;
    if (!value || !parse_uint64(value, &number) || number > UINT32_MAX)
        return invalid(key, value, err);
    *out = (uint32_t)number;
    return true;
}

static bool is_one_of(const char *key, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(key, *names) == 0)
            return true;
    return false;
}

static bool set_field(struct run_mount *mount, const char *key, const char *value, const char *cwd, struct error *err)
{
    static const char *const targets[] = {"target", "dst", "destination", NULL};
    static const char *const sources[] = {"source", "src", NULL};
    if (is_one_of(key, targets)) {
        _cleanup_free_ char *joined =
            *string_or_empty(value) == '/' ? xstrdup(value) : xasprintf("%s/%s", cwd, string_or_empty(value));
        free(mount->target);
        mount->target = path_clean(joined);
        return true;
    }
    if (is_one_of(key, sources)) {
        string_replace(mount->type == RUN_MOUNT_SECRET ? &mount->id : &mount->source, string_or_empty(value));
        return true;
    }
    if (strcmp(key, "from") == 0) {
        string_replace(&mount->from, value);
        return true;
    }
    if (strcmp(key, "id") == 0) {
        string_replace(&mount->id, value);
        return true;
    }
    if (strcmp(key, "env") == 0 && mount->type == RUN_MOUNT_SECRET) {
        string_replace(&mount->env, value);
        return true;
    }
    if (strcmp(key, "sharing") == 0)
        return set_sharing(mount, value, err);
    if (strcmp(key, "required") == 0)
        return parse_boolean(key, value, &mount->is_required, err);
    if (strcmp(key, "readonly") == 0 || strcmp(key, "ro") == 0)
        return parse_boolean(key, value, &mount->is_read_only, err);
    if (strcmp(key, "readwrite") == 0 || strcmp(key, "rw") == 0) {
        bool is_writable = false;
        if (!parse_boolean(key, value, &is_writable, err))
            return false;
        mount->is_read_only = !is_writable;
        return true;
    }
    if (strcmp(key, "uid") == 0)
        return set_number(key, value, &mount->uid, err);
    if (strcmp(key, "gid") == 0)
        return set_number(key, value, &mount->gid, err);
    if (strcmp(key, "size") == 0)
        return parse_size(value, &mount->size) || invalid(key, value, err);
    if (strcmp(key, "mode") == 0) {
        char *end;
        mount->mode = (mode_t)strtoul(string_or_empty(value), &end, 8);
        mount->has_mode = true;
        return (value && end != value && !*end && mount->mode <= 07777) || invalid(key, value, err);
    }
    return error_set(err, ERROR_INVALID, "unexpected key '%s' in '%s%s%s'", key, key, value ? "=" : "",
                     string_or_empty(value));
}

static bool complete(struct run_mount *mount, struct error *err)
{
    if (mount->type == RUN_MOUNT_SECRET) {
        if (!mount->id && mount->target)
            mount->id = xstrdup(path_base(mount->target));
        if (!string_is_set(mount->id))
            return error_set(err, ERROR_INVALID, "invalid secret mount, one of source, target required");
        if (!mount->target && !mount->env)
            mount->target = xasprintf("/run/secrets/%s", path_base(mount->id));
        return true;
    }
    if (!mount->target)
        return error_set(err, ERROR_INVALID, "target required for mount");
    if (strcmp(mount->target, "/") == 0)
        return error_set(err, ERROR_INVALID, "invalid mount target \"/\"");
    if (mount->type == RUN_MOUNT_CACHE && !mount->id)
        mount->id = xstrdup(mount->target);
    if (!mount->source)
        mount->source = xstrdup("");
    return true;
}

static bool parse(const struct strlist *fields, const char *cwd, struct run_mount *mount, struct error *err)
{
    for (size_t i = 0; i < fields->count; i++)
        if (string_starts_with(fields->items[i], "type=") && !set_type(mount, fields->items[i] + 5, err))
            return false;
    mount->is_read_only = mount->type == RUN_MOUNT_BIND;
    for (size_t i = 0; i < fields->count; i++) {
        char *equals = strchr(fields->items[i], '=');
        _cleanup_free_ char *key = xstrndup(fields->items[i], strcspn(fields->items[i], "="));
        if (strcmp(key, "type") != 0 && !set_field(mount, key, equals ? equals + 1 : NULL, cwd, err))
            return false;
    }
    return complete(mount, err);
}

bool run_mount_parse(const char *text, const char *cwd, struct run_mount *out, struct error *err)
{
    _cleanup_strlist_ struct strlist fields = strlist_split(text, ',');
    struct run_mount mount = {0};
    if (!parse(&fields, cwd, &mount, err)) {
        run_mount_release(&mount);
        return false;
    }
    *out = mount;
    return true;
}

void run_mount_add_to_key(const struct run_mount *mount, struct key *key)
{
    key_add_number(key, mount->type);
    key_add(key, mount->target);
    key_add(key, mount->source);
    key_add(key, mount->id);
    key_add(key, mount->env);
    key_add_number(key, mount->is_read_only);
    key_add_number(key, mount->has_mode ? (int64_t)mount->mode : -1);
    key_add_number(key, mount->uid);
    key_add_number(key, mount->gid);
}
