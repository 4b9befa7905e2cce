#include "build/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/memory.h"

#define READ_SIZE ((size_t)128 << 10)

struct gathering {
    struct copy_plan *plan;
    const struct copy_source *source;
    const struct copy_options *options;
};

void copy_plan_release(struct copy_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->entries[i].source);
        free(plan->entries[i].target);
        free(plan->entries[i].link);
    }
    free(plan->entries);
    *plan = (struct copy_plan){0};
}

static bool is_hidden(const struct copy_source *source, const char *path)
{
    for (size_t i = 0; source->hidden && i < source->hidden->count; i++) {
        size_t length = strlen(source->hidden->items[i]);
        if (strncmp(path, source->hidden->items[i], length) == 0 && (!path[length] || path[length] == '/'))
            return true;
    }
    return false;
}

static bool is_left_out(const struct copy_source *source, const char *path)
{
    return *path && (is_hidden(source, path) || (source->ignore && ignore_matches(source->ignore, path)));
}

/* Of a folder that is left out: something in it may be there all the same. */
static bool may_return_below(const struct copy_source *source, const char *path)
{
    return !is_hidden(source, path) && source->ignore && ignore_may_return_below(source->ignore, path);
}

/* --- one entry --- */

static bool digest_content(const struct snapshot *snapshot, const struct node *node, unsigned char *out,
                           struct error *err)
{
    _cleanup_close_ int fd = snapshot_open_node(snapshot, node, O_RDONLY | O_NOFOLLOW);
    _cleanup_free_ char *buffer = xmalloc(READ_SIZE);
    _cleanup_key_ struct key *key = key_new();
    char capability[256];
    ssize_t n = fd < 0 ? -1 : 0;
    while (fd >= 0 && (n = read_full(fd, buffer, READ_SIZE)) > 0)
        key_add_raw(key, buffer, (size_t)n);
    if (n < 0)
        return error_errno(err, "read %s", node->path);
    ssize_t length = fgetxattr(fd, "security.capability", capability, sizeof(capability));
    if (length > 0)
        key_add_bytes(key, capability, (size_t)length);
    key_finish_bytes(key, out);
    return true;
}

static bool add_entry(struct gathering *gathering, const struct node *node, const char *target, bool is_top,
                      struct error *err)
{
    const struct copy_source *source = gathering->source;
    struct copy_entry entry = {
        .status = node->status, .layer = node->layer_count ? node->layers[0] : 0, .is_top = is_top, .from = source};
    const unsigned char *known = source->context ? context_digest(source->context, node->path) : NULL;
    if (S_ISSOCK(node->status.st_mode))
        return true;
    if (S_ISLNK(node->status.st_mode) && !(entry.link = snapshot_link_target(source->snapshot, node)))
        return error_errno(err, "readlink %s", node->path);
    if (S_ISREG(node->status.st_mode) && known)
        memcpy(entry.digest, known, KEY_BYTES);
    else if (S_ISREG(node->status.st_mode) && !digest_content(source->snapshot, node, entry.digest, err))
        return false;
    entry.source = xstrdup(node->path);
    entry.target = xstrdup(target);
    entry.name = path_base(entry.source);
    *APPEND(gathering->plan->entries, gathering->plan->count) = entry;
    return true;
}

/* --- a folder and what is in it --- */

static bool is_excluded(const struct gathering *gathering, const char *name)
{
    return gathering->options->exclude && *name && ignore_matches(gathering->options->exclude, name);
}

/* `target` is where it goes, `name` what it is called below the source, for --exclude. */
static bool add_tree(struct gathering *gathering, const struct node *folder, const char *target, const char *name,
                     struct error *err)
{
    _cleanup_strlist_ struct strlist names = {0};
    const struct copy_source *source = gathering->source;
    if (!snapshot_list(source->snapshot, folder, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        _cleanup_node_ struct node child = {0};
        if (!snapshot_child(source->snapshot, folder, names.items[i], &child)) {
            if (errno == ENOENT)
                continue;
            return error_errno(err, "lstat %s/%s", folder->path, names.items[i]);
        }
        _cleanup_free_ char *below = xasprintf("%s%s%s", target, *target ? "/" : "", names.items[i]);
        _cleanup_free_ char *called = xasprintf("%s%s%s", name, *name ? "/" : "", names.items[i]);
        bool is_out = is_left_out(source, child.path), is_unwanted = is_excluded(gathering, called);
        bool is_folder = S_ISDIR(child.status.st_mode);
        bool may_return = is_folder && (!is_out || may_return_below(source, child.path)) &&
                          (!is_unwanted || ignore_may_return_below(gathering->options->exclude, called));
        if ((is_out || is_unwanted) && !may_return)
            continue;
        size_t before = gathering->plan->count;
        if (!add_entry(gathering, &child, below, false, err) ||
            (is_folder && !add_tree(gathering, &child, below, called, err)))
            return false;
        /* A folder that is left out is there for what returns below it alone. */
        if ((is_out || is_unwanted) && gathering->plan->count == before + 1) {
            struct copy_entry *entry = &gathering->plan->entries[--gathering->plan->count];
            free(entry->source);
            free(entry->target);
            free(entry->link);
        }
    }
    return true;
}

/* --- the sources --- */

/* The folders above a source, as --parents keeps them. `kept` is the part of the path from which on they are. */
static bool add_parents(struct gathering *gathering, const char *path, const char *kept, struct error *err)
{
    for (const char *slash = strchr(kept, '/'); slash; slash = strchr(slash + 1, '/')) {
        _cleanup_node_ struct node node = {0};
        _cleanup_free_ char *whole = xstrndup(path, (size_t)(slash - path));
        _cleanup_free_ char *target = xstrndup(kept, (size_t)(slash - kept));
        bool is_known = false;
        for (size_t i = gathering->plan->count; i > 0 && !is_known; i--)
            is_known = strcmp(gathering->plan->entries[i - 1].target, target) == 0;
        if (is_known)
            continue;
        if (!snapshot_find(gathering->source->snapshot, whole, true, &node, NULL))
            return error_errno(err, "stat %s", whole);
        if (!add_entry(gathering, &node, target, false, err))
            return false;
    }
    return true;
}

static bool no_such_file(const struct copy_source *source, const char *path, struct error *err)
{
    return error_set(err, ERROR_NOT_FOUND, "%sstat %s: file does not exist",
                     source->context ? "file not found in build context or excluded by .dockerignore: " : "", path);
}

/* `path` is exact, without '/' at its ends; `kept` the part of it that --parents keeps. */
static bool add_path(struct gathering *gathering, const char *path, const char *kept, struct error *err)
{
    _cleanup_node_ struct node node = {0};
    bool keeps = gathering->options->keeps_parents;
    if (!snapshot_find(gathering->source->snapshot, path, true, &node, NULL))
        return errno == ENOENT || errno == ENOTDIR ? no_such_file(gathering->source, path, err)
                                                   : error_errno(err, "stat %s", path);
    bool is_folder = S_ISDIR(node.status.st_mode);
    bool is_out = is_left_out(gathering->source, node.path);
    if (is_out && !(is_folder && may_return_below(gathering->source, node.path)))
        return no_such_file(gathering->source, path, err);
    if (!is_folder && is_excluded(gathering, path_base(path)))
        return true;
    gathering->plan->tops++;
    if (keeps && !add_parents(gathering, path, kept, err))
        return false;
    const char *target = keeps ? kept : "";
    return add_entry(gathering, &node, target, is_folder && !keeps, err) &&
           (!is_folder || add_tree(gathering, &node, target, "", err));
}

/* Goes into the folder `path` for what is left of the pattern. */
static bool expand(struct gathering *gathering, const char *path, const char *pattern, size_t kept_at,
                   struct error *err)
{
    size_t length = strcspn(pattern, "/");
    const char *rest = pattern[length] ? pattern + length + 1 : NULL;
    _cleanup_free_ char *part = xstrndup(pattern, length);
    _cleanup_strlist_ struct strlist names = {0};
    _cleanup_node_ struct node folder = {0};
    if (!has_wildcard(part)) {
        strlist_add(&names, part);
    } else {
        if (!snapshot_find(gathering->source->snapshot, path, true, &folder, NULL) || !S_ISDIR(folder.status.st_mode))
            return true;
        if (!snapshot_list(gathering->source->snapshot, &folder, &names, err))
            return false;
    }
    for (size_t i = 0; i < names.count; i++) {
        if (has_wildcard(part) && !wildcard_matches(part, names.items[i]))
            continue;
        _cleanup_free_ char *below = xasprintf("%s%s%s", path, *path ? "/" : "", names.items[i]);
        _cleanup_node_ struct node node = {0};
        if (!snapshot_find(gathering->source->snapshot, below, true, &node, NULL) ||
            (!rest && is_left_out(gathering->source, node.path) &&
             !(S_ISDIR(node.status.st_mode) && may_return_below(gathering->source, node.path))))
            continue;
        if (rest ? !expand(gathering, below, rest, kept_at, err)
                 : !add_path(gathering, below, below + MIN(kept_at, strlen(below)), err))
            return false;
    }
    return true;
}

bool copy_plan_add(struct copy_plan *plan, const struct copy_source *source, const char *pattern,
                   const struct copy_options *options, struct error *err)
{
    struct gathering gathering = {.plan = plan, .source = source, .options = options};
    /* What --parents keeps begins behind the pivot "/./", or with the path. */
    const char *pivot = options->keeps_parents ? strstr(pattern, "/./") : NULL;
    _cleanup_free_ char *before_text = pivot ? xstrndup(pattern, (size_t)(pivot - pattern)) : NULL;
    _cleanup_free_ char *before_rooted = xasprintf("/%s", before_text ? before_text : "");
    _cleanup_free_ char *before = path_clean(before_rooted);
    _cleanup_free_ char *rooted = xasprintf("/%s", pattern);
    _cleanup_free_ char *cleaned = path_clean(rooted);
    _cleanup_free_ char *relative = path_clean(pattern);
    if (source->context && (strcmp(relative, "..") == 0 || string_starts_with(relative, "../")))
        return error_set(err, ERROR_INVALID, "forbidden path outside the build context: %s ()", pattern);
    const char *path = cleaned + 1;
    size_t kept_at = pivot && before[1] ? strlen(before) : 0;
    if (!has_wildcard(path))
        return add_path(&gathering, path, path + MIN(kept_at, strlen(path)), err);
    if (!wildcard_is_valid(path))
        return error_set(err, ERROR_INVALID, "syntax error in pattern");
    return expand(&gathering, "", path, kept_at, err);
}

void copy_plan_add_to_key(const struct copy_plan *plan, struct key *key)
{
    key_add_number(key, (int64_t)plan->count);
    for (size_t i = 0; i < plan->count; i++) {
        const struct copy_entry *entry = &plan->entries[i];
        key_add(key, entry->target);
        key_add(key, *entry->target ? NULL : entry->name);
        key_add_number(key, entry->status.st_mode);
        key_add_number(key, entry->status.st_uid);
        key_add_number(key, entry->status.st_gid);
        key_add(key, entry->link);
        if (S_ISREG(entry->status.st_mode))
            key_add_bytes(key, entry->digest, KEY_BYTES);
        else
            key_add_number(key, (int64_t)entry->status.st_rdev);
    }
}
