#include "cli/mount_option.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "cli/flag_checks.h"

char *path_absolute_if_relative(const char *path)
{
    char current[PATH_MAX];
    if (path[0] != '.' || !getcwd(current, sizeof(current)))
        return xstrdup(path);
    _cleanup_free_ char *joined = xasprintf("%s/%s", current, path);
    return path_clean(joined);
}

struct mount_parse {
    json_t *mount;                         /* owned */
    json_t *bind, *volume, *tmpfs, *image; /* owned; NULL until an option of theirs is seen */
    char *type;
    bool is_read_only;
    bool needs_read_only_for_writable;
    bool is_force_recursive;
};

static void mount_parse_release(struct mount_parse *parse)
{
    json_decref(parse->mount);
    json_decref(parse->bind);
    json_decref(parse->volume);
    json_decref(parse->tmpfs);
    json_decref(parse->image);
    free(parse->type);
}

static json_t *options_of(json_t **place)
{
    if (!*place)
        *place = json_object();
    return *place;
}

static void set_text(json_t *object, const char *key, const char *value)
{
    if (*value)
        json_object_set_new(object, key, json_string(value));
}

/* "a=b" → {"a": "b"} in the object of that name. */
static void set_pair(json_t *object, const char *name, const char *pair)
{
    json_t *map = json_object_get(object, name);
    if (!map) {
        map = json_object();
        json_object_set_new(object, name, map);
    }
    size_t length = strcspn(pair, "=");
    _cleanup_free_ char *key = xstrndup(pair, length);
    json_object_set_new(map, key, json_string(pair[length] ? pair + length + 1 : ""));
}

static json_t *driver_config(struct mount_parse *parse)
{
    json_t *volume = options_of(&parse->volume), *config = json_object_get(volume, "DriverConfig");
    if (!config) {
        config = json_object();
        json_object_set_new(volume, "DriverConfig", config);
    }
    return config;
}

static bool read_bool(const char *key, const char *value, bool *out, struct error *err)
{
    return parse_bool(value, out, NULL) || error_set(err, ERROR_INVALID, "invalid value for %s: %s", key, value);
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

static bool set_bind_option(struct mount_parse *parse, const char *key, const char *value, struct error *err)
{
    json_t *bind = options_of(&parse->bind);
    if (string_equal(key, "bind-propagation")) {
        _cleanup_free_ char *propagation = xstrdup(value);
        lower(propagation);
        set_text(bind, "Propagation", propagation);
    } else if (string_equal(key, "bind-nonrecursive")) {
        bool is_non_recursive = false;
        if (!read_bool(key, value, &is_non_recursive, err))
            return false;
        if (is_non_recursive)
            json_object_set_new(bind, "NonRecursive", json_true());
    } else if (string_equal(value, "disabled")) {
        json_object_set_new(bind, "NonRecursive", json_true());
    } else if (string_equal(value, "writable")) {
        parse->needs_read_only_for_writable = true;
        json_object_set_new(bind, "ReadOnlyNonRecursive", json_true());
    } else if (string_equal(value, "readonly")) {
        parse->is_force_recursive = true;
        json_object_set_new(bind, "ReadOnlyForceRecursive", json_true());
    } else if (!string_equal(value, "enabled")) {
        return error_set(err, ERROR_INVALID,
                         "invalid value for %s: %s (must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")",
                         key, value);
    }
    return true;
}

static bool set_volume_option(struct mount_parse *parse, const char *key, const char *value, struct error *err)
{
    json_t *volume = options_of(&parse->volume);
    if (string_equal(key, "volume-nocopy")) {
        bool is_no_copy = false;
        if (!read_bool(key, value, &is_no_copy, err))
            return false;
        if (is_no_copy)
            json_object_set_new(volume, "NoCopy", json_true());
    } else if (string_equal(key, "volume-label")) {
        set_pair(volume, "Labels", value);
    } else if (string_equal(key, "volume-subpath")) {
        set_text(volume, "Subpath", value);
    } else if (string_equal(key, "volume-driver")) {
        set_text(driver_config(parse), "Name", value);
    } else {
        set_pair(driver_config(parse), "Options", value);
    }
    return true;
}

static bool set_tmpfs_option(struct mount_parse *parse, const char *key, const char *value, struct error *err)
{
    json_t *tmpfs = options_of(&parse->tmpfs);
    if (string_equal(key, "tmpfs-size")) {
        int64_t size = 0;
        if (!parse_bytes(value, &size, NULL))
            return error_set(err, ERROR_INVALID, "invalid value for %s: %s", key, value);
        json_object_set_new(tmpfs, "SizeBytes", json_integer((json_int_t)size));
        return true;
    }
    char *end = NULL;
    unsigned long mode = strtoul(value, &end, 8);
    if (!*value || *end || !isdigit((unsigned char)*value) || mode > UINT32_MAX)
        return error_set(err, ERROR_INVALID, "invalid value for %s: %s", key, value);
    json_object_set_new(tmpfs, "Mode", json_integer((json_int_t)mode));
    return true;
}

static bool is_one_of(const char *key, const char *const *names)
{
    for (; *names; names++) {
        if (string_equal(key, *names))
            return true;
    }
    return false;
}

static bool set_field(struct mount_parse *parse, const char *key, const char *value, const char *field,
                      struct error *err)
{
    static const char *const bind_keys[] = {"bind-propagation", "bind-nonrecursive", "bind-recursive", NULL};
    static const char *const volume_keys[] = {"volume-nocopy", "volume-label", "volume-subpath",
                                              "volume-driver", "volume-opt",   NULL};
    static const char *const tmpfs_keys[] = {"tmpfs-size", "tmpfs-mode", NULL};
    static const char *const target_keys[] = {"target", "dst", "destination", NULL};
    if (string_equal(key, "type")) {
        string_replace(&parse->type, value);
        lower(parse->type);
        return true;
    }
    if (string_equal(key, "source") || string_equal(key, "src")) {
        _cleanup_free_ char *source = string_starts_with(value, "./") || string_equal(value, ".")
                                          ? path_absolute_if_relative(value)
                                          : xstrdup(value);
        set_text(parse->mount, "Source", source);
        return true;
    }
    if (is_one_of(key, target_keys)) {
        set_text(parse->mount, "Target", value);
        return true;
    }
    if (string_equal(key, "readonly") || string_equal(key, "ro"))
        return read_bool(key, value, &parse->is_read_only, err);
    if (string_equal(key, "consistency")) {
        _cleanup_free_ char *consistency = xstrdup(value);
        lower(consistency);
        set_text(parse->mount, "Consistency", consistency);
        return true;
    }
    if (is_one_of(key, bind_keys))
        return set_bind_option(parse, key, value, err);
    if (is_one_of(key, volume_keys))
        return set_volume_option(parse, key, value, err);
    if (is_one_of(key, tmpfs_keys))
        return set_tmpfs_option(parse, key, value, err);
    if (string_equal(key, "image-subpath")) {
        set_text(options_of(&parse->image), "Subpath", value);
        return true;
    }
    return error_set(err, ERROR_INVALID, "unexpected key '%s' in '%s'", key, field);
}

static bool parse_field(struct mount_parse *parse, const char *field, struct error *err)
{
    static const char *const flags[] = {"readonly", "ro", "volume-nocopy", "bind-nonrecursive", NULL};
    size_t length = strcspn(field, "=");
    _cleanup_free_ char *key = xstrndup(field, length);
    lower(key);
    const char *value = field[length] ? field + length + 1 : NULL;
    if (!value && is_one_of(key, flags))
        value = "true";
    if (!value)
        return error_set(err, ERROR_INVALID, "invalid field '%s' must be a key=value pair", field);
    return set_field(parse, key, value, field, err);
}

static bool check_whole(const struct mount_parse *parse, struct error *err)
{
    const struct {
        const json_t *options;
        const char *type;
    } kinds[] = {{parse->volume, "volume"}, {parse->image, "image"}, {parse->bind, "bind"}, {parse->tmpfs, "tmpfs"}};
    if (!*parse->type)
        return error_set(err, ERROR_INVALID, "type is required");
    if (!json_object_get(parse->mount, "Target"))
        return error_set(err, ERROR_INVALID, "target is required");
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].options && !string_equal(parse->type, kinds[i].type))
            return error_set(err, ERROR_INVALID, "cannot mix '%s-*' options with mount type '%s'", kinds[i].type,
                             parse->type);
    }
    if (parse->needs_read_only_for_writable && !parse->is_read_only)
        return error_set(err, ERROR_INVALID,
                         "option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction");
    if (parse->is_force_recursive && !parse->is_read_only)
        return error_set(err, ERROR_INVALID,
                         "option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction");
    const char *propagation = json_string_value(json_object_get(parse->bind, "Propagation"));
    if (parse->is_force_recursive && !string_equal(propagation, "rprivate"))
        return error_set(err, ERROR_INVALID,
                         "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be "
                         "specified in conjunction");
    return true;
}

json_t *mount_parse(const char *value, struct error *err)
{
    _cleanup_strlist_ struct strlist fields = {0};
    if (!csv_split(value, &fields, err))
        return NULL;
    _cleanup_(mount_parse_release) struct mount_parse parse = {.mount = json_object(), .type = xstrdup("volume")};
    for (size_t i = 0; i < fields.count; i++) {
        if (!parse_field(&parse, fields.items[i], err))
            return NULL;
    }
    if (!check_whole(&parse, err))
        return NULL;
    json_object_set_new(parse.mount, "Type", json_string(parse.type));
    if (parse.is_read_only)
        json_object_set_new(parse.mount, "ReadOnly", json_true());
    if (parse.bind)
        json_object_set(parse.mount, "BindOptions", parse.bind);
    if (parse.volume)
        json_object_set(parse.mount, "VolumeOptions", parse.volume);
    if (parse.tmpfs)
        json_object_set(parse.mount, "TmpfsOptions", parse.tmpfs);
    if (parse.image)
        json_object_set(parse.mount, "ImageOptions", parse.image);
    return json_incref(parse.mount);
}

bool check_mount(void *place, const char *value, struct error *err)
{
    json_t *mount = mount_parse(value, err);
    if (!mount)
        return false;
    json_decref(mount);
    strlist_add(place, value);
    return true;
}
