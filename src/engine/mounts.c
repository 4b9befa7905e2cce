#include "engine/mounts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/volume.h"
#include "store/layer.h"
#include "json/json_record.h"

char *mount_target_clean(const char *target, struct error *err)
{
    if (target[0] != '/') {
        error_set(err, ERROR_INVALID, "invalid mount path: '%s' mount path must be absolute", target);
        return NULL;
    }
    char *clean = path_clean(target);
    if (!string_equal(clean, "/"))
        return clean;
    free(clean);
    error_set(err, ERROR_INVALID, "invalid specification: destination can't be '/'");
    return NULL;
}

static bool is_propagation(const char *mode)
{
    return string_equal(mode, "private") || string_equal(mode, "rprivate") || string_equal(mode, "slave") ||
           string_equal(mode, "rslave") || string_equal(mode, "shared") || string_equal(mode, "rshared");
}

static bool spec_error(const char *text, const char *type, const char *what, struct error *err)
{
    return error_set(err, ERROR_INVALID, "invalid volume specification: '%s': invalid mount config for type \"%s\": %s",
                     text, type, what);
}

/* The options after the second colon of -v, of the whole `text`. */
static bool parse_mode(const char *text, const char *mode, struct container_mount *mount, struct error *err)
{
    bool is_bind = string_equal(mount->point.type, "bind");
    unsigned access = 0, labels = 0, propagations = 0, copies = 0, consistencies = 0;
    _cleanup_strlist_ struct strlist parts = strlist_split(mode, ',');
    for (size_t i = 0; i < parts.count; i++) {
        const char *part = parts.items[i];
        if (string_equal(part, "ro") || string_equal(part, "rw")) {
            mount->point.is_writable = part[1] == 'w';
            access++;
        } else if (string_equal(part, "z") || string_equal(part, "Z")) {
            labels++;
        } else if (is_propagation(part)) {
            string_replace(&mount->point.propagation, part);
            propagations++;
        } else if (string_equal(part, "nocopy")) {
            mount->wants_copy = false;
            copies++;
        } else if (string_equal(part, "consistent") || string_equal(part, "cached") ||
                   string_equal(part, "delegated")) {
            consistencies++;
        } else {
            return error_set(err, ERROR_INVALID, "invalid mode: %s", mode);
        }
    }
    if (access > 1 || labels > 1 || propagations > 1 || copies > 1 || consistencies > 1)
        return error_set(err, ERROR_INVALID, "invalid mode: %s", mode);
    if (is_bind && copies)
        return spec_error(text, "bind", "field VolumeOptions must not be specified", err);
    if (!is_bind && propagations)
        return spec_error(text, "volume", "field BindOptions must not be specified", err);
    return true;
}

bool bind_parse(const char *text, struct container_mount *out, struct error *err)
{
    _cleanup_strlist_ struct strlist parts = strlist_split(text, ':');
    if (parts.count > 3 || !parts.items[0][0])
        return error_set(err, ERROR_INTERNAL, "invalid volume specification: '%s'", text);
    struct container_mount mount = {0};
    mount.point.is_writable = true;
    bool is_bare = parts.count == 1;
    const char *source = is_bare ? "" : parts.items[0];
    bool is_bind = source[0] == '/';
    mount.point.type = xstrdup(is_bind ? "bind" : "volume");
    mount.wants_copy = !is_bind;
    mount.is_anonymous = is_bare;

    _cleanup_error_ struct error why = ERROR_INIT;
    mount.point.destination = mount_target_clean(parts.items[is_bare ? 0 : 1], &why);
    if (!mount.point.destination) {
        error_prefix(&why, "invalid volume specification: '%s': invalid mount config for type \"%s\"", text,
                     mount.point.type);
    } else if (is_bind) {
        mount.point.source = path_clean(source);
        mount.is_source_made = true;
        mount.point.propagation = xstrdup("rprivate");
        mount.point.mode = xstrdup(parts.count == 3 ? parts.items[2] : "");
    } else {
        mount.point.name = is_bare ? NULL : xstrdup(source);
        mount.point.driver = xstrdup("local");
        mount.point.mode = xstrdup(parts.count == 3 ? parts.items[2] : is_bare ? "" : "z");
    }
    if (!why.kind && parts.count == 3)
        parse_mode(text, parts.items[2], &mount, &why);
    if (!why.kind && mount.point.name)
        volume_name_check(mount.point.name, &why);
    if (why.kind) {
        record_release(&container_mount_type, &mount);
        return error_move(err, &why);
    }
    *out = mount;
    return true;
}

/* --- --mount --- */

static bool mount_error(struct error *err, const char *type, const char *format, const char *value)
{
    return error_set(err, ERROR_INVALID, "invalid mount config for type \"%s\": %s%s", type, format, value);
}

static bool check_exclusive(const struct mount_request *request, struct error *err)
{
    const char *type = request->type;
    const char *excess = !string_equal(type, "bind") && request->bind       ? "Bind"
                         : !string_equal(type, "volume") && request->volume ? "Volume"
                         : !string_equal(type, "tmpfs") && request->tmpfs   ? "Tmpfs"
                         : !string_equal(type, "image") && request->image   ? "Image"
                                                                            : NULL;
    return !excess ||
           error_set(err, ERROR_INVALID, "%sOptions must not be specified on mount type \"%s\"", excess, type);
}

static bool convert_bind(const struct mount_request *request, struct container_mount *mount, struct error *err)
{
    const struct bind_options *options = request->bind;
    if (request->source[0] != '/')
        return error_set(err, ERROR_INVALID,
                         "invalid mount config for type \"bind\": invalid mount path: '%s' mount path must be absolute",
                         request->source);
    mount->point.source = path_clean(request->source);
    mount->point.propagation = xstrdup("rprivate");
    if (options && string_is_set(options->propagation)) {
        if (!is_propagation(options->propagation))
            return mount_error(err, "bind", "invalid propagation mode: ", options->propagation);
        string_replace(&mount->point.propagation, options->propagation);
    }
    mount->is_only_top_read_only = options && options->read_only_non_recursive;
    if (mount->is_only_top_read_only && request->read_only && options->read_only_force_recursive)
        return error_set(err, ERROR_INVALID,
                         "mount options conflict: ReadOnlyNonRecursive && ReadOnlyForceRecursive are both set");
    mount->is_not_recursive = options && options->non_recursive;
    mount->is_source_made = options && options->create_mountpoint;
    struct stat info;
    if (!mount->is_source_made && stat(mount->point.source, &info) < 0)
        return mount_error(err, "bind", "bind source path does not exist: ", mount->point.source);
    return true;
}

/* Go's filepath.IsLocal. */
static bool is_local_path(const char *path)
{
    _cleanup_free_ char *clean = path_clean(path);
    return clean[0] != '/' && !string_equal(clean, "..") && !string_starts_with(clean, "../");
}

static bool read_driver(const char *text, struct container_mount *mount, struct error *err)
{
    _cleanup_json_ json_t *config = json_parse(text, strlen(text), NULL);
    const char *name = json_string_value(json_object_get(config, "Name")), *key;
    json_t *value;
    if (string_is_set(name))
        string_replace(&mount->point.driver, name);
    json_object_foreach(json_object_get(config, "Options"), key, value)
    {
        if (!json_is_string(value))
            return error_set(err, ERROR_INVALID,
                             "invalid JSON: json: cannot unmarshal into Go struct field "
                             "Driver.HostConfig.Mounts.VolumeOptions.DriverConfig.Options of type string");
        strmap_set(&mount->volume_options, key, json_string_value(value));
    }
    return true;
}

static bool convert_volume(const struct mount_request *request, struct container_mount *mount, struct error *err)
{
    const struct volume_options *options = request->volume;
    const char *name = string_or_empty(request->source);
    if (*name && !volume_name_check(name, err))
        return false;
    if (!*name && request->read_only)
        return mount_error(err, "volume", "must not set ReadOnly mode when using anonymous volumes", "");
    if (options && string_is_set(options->subpath)) {
        if (!*name)
            return mount_error(err, "volume", "must not set Subpath when using anonymous volumes", "");
        if (!is_local_path(options->subpath))
            return mount_error(err, "volume", "subpath must be a relative path within the volume", "");
        mount->subpath = path_clean(options->subpath);
    }
    mount->point.driver = xstrdup("local");
    if (options && options->driver_config && !read_driver(options->driver_config, mount, err))
        return false;
    if (options)
        strmap_copy(&mount->volume_labels, &options->labels);
    mount->point.name = *name ? xstrdup(name) : NULL;
    mount->is_anonymous = !*name;
    mount->point.mode = xstrdup("z");
    mount->wants_copy = !(options && options->no_copy);
    return true;
}

static bool convert_image(const struct mount_request *request, struct container_mount *mount, struct error *err)
{
    const struct image_options *options = request->image;
    if (options && string_is_set(options->subpath)) {
        if (!is_local_path(options->subpath))
            return mount_error(err, "image", "subpath must be a relative path within the image", "");
        mount->subpath = path_clean(options->subpath);
    }
    mount->point.name = xstrdup(request->source);
    mount->point.mode = xstrdup("");
    mount->point.is_writable = false;
    return true;
}

static bool convert_tmpfs(const struct mount_request *request, struct container_mount *mount, struct error *err)
{
    if (string_is_set(request->source))
        return mount_error(err, "tmpfs", "field Source must not be specified", "");
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    const struct tmpfs_options *options = request->tmpfs;
    if (request->read_only)
        strbuf_add_string(&text, "ro,");
    if (options && options->size_bytes < 0)
        return mount_error(err, "tmpfs", "invalid tmpfs size", "");
    if (options && options->mode)
        strbuf_addf(&text, "mode=%llo,", (unsigned long long)options->mode);
    if (options && options->size_bytes)
        strbuf_addf(&text, "size=%lld,", (long long)options->size_bytes);
    if (options && options->options) {
        _cleanup_json_ json_t *list = json_parse(options->options, strlen(options->options), NULL);
        size_t i;
        json_t *pair;
        json_array_foreach(list, i, pair)
        {
            const char *key = json_string_value(json_array_get(pair, 0));
            const char *value = json_string_value(json_array_get(pair, 1));
            if (!key)
                return mount_error(err, "tmpfs", "invalid option array length", "");
            strbuf_addf(&text, "%s%s%s,", key, value ? "=" : "", string_or_empty(value));
        }
    }
    if (text.length)
        strbuf_truncate(&text, text.length - 1);
    if (!tmpfs_check(request->target, strbuf_text(&text), err))
        return false;
    mount->tmpfs_options = strbuf_take(&text);
    return true;
}

bool mount_request_convert(const struct mount_request *request, struct container_mount *out, struct error *err)
{
    const char *type = string_or_empty(request->type);
    if (!string_is_set(request->target))
        return mount_error(err, type, "field Target must not be empty", "");
    if (!string_equal(type, "bind") && !string_equal(type, "volume") && !string_equal(type, "tmpfs") &&
        !string_equal(type, "image"))
        return mount_error(err, type, "mount type unknown", "");
    if ((string_equal(type, "bind") || string_equal(type, "image")) && !string_is_set(request->source))
        return mount_error(err, type, "field Source must not be empty", "");
    struct container_mount mount = {0};
    mount.point.type = xstrdup(type);
    mount.point.is_writable = !request->read_only;
    mount.point.destination = mount_target_clean(request->target, err);
    bool is_good = check_exclusive(request, err);
    if (is_good && !mount.point.destination)
        is_good = error_prefix(err, "invalid mount config for type \"%s\"", type);
    if (is_good)
        is_good = string_equal(type, "bind")     ? convert_bind(request, &mount, err)
                  : string_equal(type, "volume") ? convert_volume(request, &mount, err)
                  : string_equal(type, "image")  ? convert_image(request, &mount, err)
                                                 : convert_tmpfs(request, &mount, err);
    if (!is_good) {
        record_release(&container_mount_type, &mount);
        return false;
    }
    *out = mount;
    return true;
}

bool tmpfs_check(const char *path, const char *options, struct error *err)
{
    static const char *const flags[] = {
        "exec",     "noexec",     "suid",        "nosuid",        "dev",      "nodev",      "ro",      "rw",
        "sync",     "async",      "atime",       "noatime",       "diratime", "nodiratime", "mand",    "nomand",
        "relatime", "norelatime", "strictatime", "nostrictatime", "dirsync",  "remount",    "defaults"};
    static const char *const valued[] = {"size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"};
    _cleanup_free_ char *clean = mount_target_clean(path, err);
    if (!clean)
        return false;
    if (!string_is_set(options))
        return true;
    _cleanup_strlist_ struct strlist parts = strlist_split(options, ',');
    for (size_t i = 0; i < parts.count; i++) {
        const char *part = parts.items[i];
        bool is_known = is_propagation(part) || !*part;
        for (size_t j = 0; j < ARRAY_SIZE(flags) && !is_known; j++)
            is_known = string_equal(part, flags[j]);
        for (size_t j = 0; j < ARRAY_SIZE(valued) && !is_known; j++)
            is_known = string_starts_with(part, valued[j]) && part[strlen(valued[j])] == '=';
        if (!is_known)
            return error_set(err, ERROR_INVALID, "invalid tmpfs option \"%s\"", part);
    }
    return true;
}

/* --- all of them --- */

static struct container_mount *find_target(const struct record_list *list, const char *target)
{
    for (size_t i = 0; i < list->count; i++) {
        struct container_mount *mount = RECORD_AT(*list, struct container_mount, i);
        if (string_equal(mount->point.destination, target))
            return mount;
    }
    return NULL;
}

static bool add_mount(struct record_list *list, struct container_mount *mount, const struct host_config *host,
                      struct error *err)
{
    bool is_double =
        find_target(list, mount->point.destination) || strmap_get(&host->tmpfs, mount->point.destination) != NULL;
    if (is_double) {
        error_set(err, ERROR_INVALID, "Duplicate mount point: %s", mount->point.destination);
        record_release(&container_mount_type, mount);
        return false;
    }
    struct container_mount *place = record_list_add(list, &container_mount_type);
    *place = *mount;
    return true;
}

/* --volumes-from: every mount of the other container, unless the target is taken already. */
static bool add_from(struct engine *engine, const char *text, struct record_list *from, struct error *err)
{
    const char *colon = strchr(text, ':'), *mode = colon ? colon + 1 : "";
    if (!*text)
        return error_set(err, ERROR_INVALID, "volumes-from specification cannot be an empty string");
    struct container_mount asked = {.point = {.type = (char *)"bind", .is_writable = true}};
    bool is_mode = !*mode || (!strstr(mode, "nocopy") && parse_mode(text, mode, &asked, NULL));
    free(asked.point.propagation);
    if (!is_mode || asked.point.propagation)
        return error_set(err, ERROR_INVALID, "invalid mode: %s", mode);
    _cleanup_free_ char *reference = xstrndup(text, strcspn(text, ":"));
    if (!*reference)
        return error_set(err, ERROR_INVALID, "invalid name or ID supplied: \"\"");
    _cleanup_error_ struct error why = ERROR_INIT;
    _cleanup_container_ struct container *other = container_find(engine, reference, &why);
    /* Not ERROR_NOT_FOUND, which a client would take for a missing image. */
    if (!other)
        return error_set(err, ERROR_INVALID, "%s", error_message(&why));
    container_lock(other);
    const struct record_list *mounts = &other->record.mounts;
    for (size_t i = 0; i < mounts->count; i++) {
        const struct container_mount *theirs = RECORD_AT(*mounts, struct container_mount, i);
        struct container_mount *place = find_target(from, theirs->point.destination);
        if (string_equal(theirs->point.type, "tmpfs"))
            continue;
        if (!place)
            place = record_list_add(from, &container_mount_type);
        record_copy(&container_mount_type, place, theirs);
        place->wants_copy = false;
        place->point.is_writable &= asked.point.is_writable;
        string_replace(&place->point.mode, "");
    }
    container_unlock(other);
    return true;
}

/* The same file system object must not be mounted twice at the same place, but a mount of the user's hides an image's
   volume and one from another container. */
static bool collect(struct engine *engine, const struct create_request *request, struct record_list *out,
                    struct error *err)
{
    const struct host_config *host = &request->host_config;
    struct container_mount mount;
    const char *driver = string_is_set(host->volume_driver) ? host->volume_driver : "local";
    for (size_t i = 0; i < host->binds.count; i++) {
        if (!bind_parse(host->binds.items[i], &mount, err)) {
            if (err && !string_starts_with(error_message(err), "create "))
                err->kind = ERROR_INTERNAL; /* as Docker answers all but a bad name */
            return false;
        }
        if (mount.point.driver)
            string_replace(&mount.point.driver, driver);
        if (!add_mount(out, &mount, host, err))
            return false;
    }
    for (size_t i = 0; i < host->mounts.count; i++)
        if (!mount_request_convert(RECORD_AT(host->mounts, struct mount_request, i), &mount, err) ||
            !add_mount(out, &mount, host, err))
            return false;
    for (size_t i = 0; i < host->tmpfs.count; i++)
        if (!tmpfs_check(host->tmpfs.items[i].key, host->tmpfs.items[i].value, err))
            return false;

    struct record_list from = {0};
    bool is_good = true;
    for (size_t i = 0; i < host->volumes_from.count && is_good; i++)
        is_good = add_from(engine, host->volumes_from.items[i], &from, err);
    for (size_t i = 0; i < from.count && is_good; i++) {
        const struct container_mount *theirs = RECORD_AT(from, struct container_mount, i);
        if (find_target(out, theirs->point.destination))
            continue;
        struct container_mount *place = record_list_add(out, &container_mount_type);
        record_copy(&container_mount_type, place, theirs);
    }
    record_list_release(&from, &container_mount_type);
    if (!is_good)
        return false;

    const struct strlist *volumes = &request->config.volumes;
    for (size_t i = 0; i < volumes->count; i++) {
        /* VOLUME of a Dockerfile may be relative: to the root, as with Docker. */
        _cleanup_free_ char *absolute = xasprintf("/%s", volumes->items[i]);
        _cleanup_free_ char *target = mount_target_clean(absolute, err);
        if (!target)
            return false;
        if (find_target(out, target) || strmap_get(&host->tmpfs, target))
            continue;
        mount = (struct container_mount){.is_anonymous = true, .wants_copy = true};
        mount.point = (struct mount_point){
            .type = xstrdup("volume"), .driver = xstrdup(driver), .mode = xstrdup(""), .is_writable = true};
        strmap_set(&mount.volume_labels, VOLUME_ANONYMOUS_LABEL, "");
        mount.point.destination = TAKE_PTR(target);
        if (!add_mount(out, &mount, host, err))
            return false;
    }
    return true;
}

bool mounts_collect(struct engine *engine, const struct create_request *request, struct record_list *out,
                    struct error *err)
{
    struct record_list list = {0};
    if (!collect(engine, request, &list, err)) {
        record_list_release(&list, &container_mount_type);
        return false;
    }
    *out = list;
    return true;
}

static bool is_taken(const struct container_record *record, const struct strlist *removed, const char *target)
{
    if (strlist_contains(removed, target))
        return false;
    if (find_target(&record->mounts, target))
        return true;
    for (size_t i = 0; i < record->host_config.tmpfs.count; i++) {
        _cleanup_free_ char *theirs = path_clean(record->host_config.tmpfs.items[i].key);
        if (string_equal(theirs, target))
            return true;
    }
    return false;
}

bool mounts_find_images(struct engine *engine, struct record_list *mounts, struct error *err)
{
    for (size_t i = 0; i < mounts->count; i++) {
        struct container_mount *mount = RECORD_AT(*mounts, struct container_mount, i);
        if (!string_equal(mount->point.type, "image") || mount->image_id)
            continue;
        _cleanup_image_ struct image image = {0};
        _cleanup_error_ struct error why = ERROR_INIT;
        /* Not ERROR_NOT_FOUND, for which a client would pull the container's own image. */
        if (!image_get(engine->store, mount->point.name, &image, &why))
            return why.kind == ERROR_NOT_FOUND ? error_set(err, ERROR_INVALID, "%s", error_message(&why))
                                               : error_move(err, &why);
        const struct strlist *layers = &image.parsed.rootfs.diff_ids;
        if (!layers->count)
            return mount_error(err, "image", "the image has no files: ", mount->point.name);
        mount->image_id = xstrdup(image.id);
        strlist_copy(&mount->image_layers, layers);
        mount->point.source = layer_path(engine->store, layers->items[layers->count - 1]);
    }
    return true;
}

bool mounts_keep_images(struct engine *engine, const char *container_id, const struct record_list *mounts,
                        struct error *err)
{
    for (size_t i = 0; i < mounts->count; i++) {
        const struct container_mount *mount = RECORD_AT(*mounts, struct container_mount, i);
        if (mount->image_id && !container_layer_use(engine->store, container_id, &mount->image_layers, err))
            return error_prefix(err, "keep image %s", mount->point.name);
    }
    return true;
}

bool mounts_collect_more(const struct container_record *record, const struct record_list *requests,
                         const struct strlist *removed, struct record_list *out, struct error *err)
{
    struct record_list list = {0};
    bool is_good = true;
    for (size_t i = 0; i < requests->count && is_good; i++) {
        struct container_mount mount = {0};
        is_good = mount_request_convert(RECORD_AT(*requests, struct mount_request, i), &mount, err);
        if (!is_good)
            break;
        if (is_taken(record, removed, mount.point.destination))
            is_good = error_set(err, ERROR_INVALID, "Duplicate mount point: %s", mount.point.destination);
        if (is_good)
            is_good = add_mount(&list, &mount, &(struct host_config){0}, err);
        else
            record_release(&container_mount_type, &mount);
    }
    if (!is_good) {
        record_list_release(&list, &container_mount_type);
        return false;
    }
    *out = list;
    return true;
}
