#include "cli/cp_path.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#define LINKS_MAX 10

void copy_place_release(struct copy_place *place)
{
    free(place->path);
    free(place->rebase_name);
    *place = (struct copy_place){0};
}

void copy_plan_release(struct copy_plan *plan)
{
    free(plan->folder);
    free(plan->from);
    free(plan->to);
    *plan = (struct copy_plan){0};
}

bool copy_path_ends_with_slash(const char *path)
{
    return string_ends_with(path, "/");
}

bool copy_path_ends_with_dot(const char *path)
{
    return !*path || strcmp(path_base(path), ".") == 0;
}

char *copy_path_join(const char *folder, const char *name)
{
    _cleanup_free_ char *joined = xasprintf("%s/%s", folder, name);
    return path_clean(*folder ? joined : name);
}

char *copy_path_base(const char *path)
{
    _cleanup_free_ char *trimmed = xstrdup(*path ? path : ".");
    size_t length = strlen(trimmed);
    while (length > 1 && trimmed[length - 1] == '/')
        trimmed[--length] = '\0';
    return xstrdup(strcmp(trimmed, "/") == 0 ? "/" : path_base(trimmed));
}

void copy_path_split(const char *path, char **folder, char **base)
{
    _cleanup_free_ char *clean = path_clean(path);
    bool has_dot = *path && copy_path_ends_with_dot(path);
    _cleanup_free_ char *whole = xasprintf("%s%s", clean, has_dot ? "/." : "");
    const char *last = path_base(whole);
    *folder = xstrndup(whole, (size_t)(last - whole));
    *base = xstrdup(last);
}

/* `clean` with the slash or dot that `original` ends with. */
static char *keep_end(const char *clean, const char *original)
{
    if (!copy_path_ends_with_dot(clean) && copy_path_ends_with_dot(original))
        return xasprintf("%s%s.", clean, copy_path_ends_with_slash(clean) ? "" : "/");
    bool wants_slash = !copy_path_ends_with_slash(clean) && copy_path_ends_with_slash(original);
    return xasprintf("%s%s", clean, wants_slash ? "/" : "");
}

char *copy_path_local(const char *path, struct error *err)
{
    _cleanup_free_ char *here = *path == '/' ? xstrdup("/") : getcwd(NULL, 0);
    if (!here) {
        error_errno(err, "getwd");
        return NULL;
    }
    _cleanup_free_ char *clean = copy_path_join(here, path);
    return keep_end(clean, path);
}

char *copy_path_keep_name(const char *path, const char *resolved, char **name)
{
    bool adds_dot = copy_path_ends_with_dot(path) && !copy_path_ends_with_dot(resolved);
    bool adds_slash = copy_path_ends_with_slash(path) && !copy_path_ends_with_slash(resolved);
    char *whole = xasprintf("%s%s", resolved, adds_dot ? "/." : adds_slash ? "/" : "");
    _cleanup_free_ char *base = copy_path_base(path), *resolved_base = copy_path_base(whole);
    *name = strcmp(base, resolved_base) == 0 ? NULL : xstrdup(base);
    return whole;
}

/* What Go says of a path that is not there. */
static bool fail_path(const char *call, const char *path, struct error *err)
{
    return error_errno(err, "%s %s", call, path);
}

bool copy_source_find(const char *path, bool follows_link, struct copy_place *out, struct error *err)
{
    _cleanup_copy_place_ struct copy_place place = {.exists = true};
    if (follows_link) {
        char resolved[PATH_MAX];
        if (!realpath(path, resolved))
            return fail_path("lstat", path, err);
        place.path = copy_path_keep_name(path, resolved, &place.rebase_name);
    } else {
        const char *base = path_base(path);
        _cleanup_free_ char *folder = xstrndup(path, (size_t)(base - path));
        char resolved[PATH_MAX];
        if (!realpath(*folder ? folder : ".", resolved))
            return fail_path("lstat", folder, err);
        place.path = xasprintf("%s/%s", resolved, base);
        _cleanup_free_ char *asked = copy_path_base(path), *found = copy_path_base(place.path);
        if (copy_path_ends_with_slash(path) && strcmp(asked, found) != 0)
            place.rebase_name = TAKE_PTR(asked);
    }
    struct stat status;
    if (lstat(place.path, &status) < 0)
        return fail_path("lstat", place.path, err);
    place.is_folder = S_ISDIR(status.st_mode);
    *out = place;
    place = (struct copy_place){0};
    return true;
}

static char *read_link(const char *path)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    if (length < 0)
        return NULL;
    target[length] = '\0';
    if (*target == '/')
        return xstrdup(target);
    _cleanup_free_ char *folder = NULL, *base = NULL;
    copy_path_split(path, &folder, &base);
    return copy_path_join(folder, target);
}

static bool check_parent(const char *path, struct error *err)
{
    _cleanup_free_ char *folder = NULL, *base = NULL;
    copy_path_split(path, &folder, &base);
    struct stat status;
    if (stat(folder, &status) < 0)
        return fail_path("stat", folder, err);
    return S_ISDIR(status.st_mode) || error_set(err, ERROR_INVALID, "not a directory");
}

bool copy_destination_find(const char *path, struct copy_place *out, struct error *err)
{
    _cleanup_copy_place_ struct copy_place place = {.path = xstrdup(path)};
    struct stat status;
    int result = lstat(path, &status);
    /* Where a link leads to nothing, the copy makes what it leads to. */
    for (int n = 0; result == 0 && S_ISLNK(status.st_mode); n++) {
        char *target = n > LINKS_MAX ? NULL : read_link(place.path);
        if (!target)
            return error_set(err, ERROR_INVALID, "too many symlinks in %s", path);
        free(place.path);
        place.path = target;
        result = lstat(target, &status);
    }
    if (result < 0 && errno != ENOENT)
        return fail_path("lstat", place.path, err);
    if (result < 0 && !check_parent(place.path, err))
        return false;
    place.exists = result == 0;
    place.is_folder = place.exists && S_ISDIR(status.st_mode);
    *out = place;
    place = (struct copy_place){0};
    return true;
}

bool copy_plan_make(const struct copy_place *source, const struct copy_place *destination, struct copy_plan *out,
                    struct error *err)
{
    if (destination->exists && destination->is_folder) {
        *out = (struct copy_plan){.folder = xstrdup(destination->path)};
        return true;
    }
    if (destination->exists && source->is_folder)
        return error_set(err, ERROR_INVALID, "cannot copy directory");
    bool is_said_to_be_folder =
        copy_path_ends_with_slash(destination->path) || copy_path_ends_with_dot(destination->path);
    if (!destination->exists && !source->is_folder && is_said_to_be_folder)
        return error_set(err, ERROR_INVALID, "no such directory");
    _cleanup_free_ char *source_folder = NULL;
    _cleanup_copy_plan_ struct copy_plan plan = {0};
    copy_path_split(destination->path, &plan.folder, &plan.to);
    copy_path_split(source->path, &source_folder, &plan.from);
    if (source->rebase_name && (destination->exists || source->is_folder))
        string_replace(&plan.from, source->rebase_name);
    if (strcmp(plan.from, "/") == 0)
        string_replace(&plan.from, "");
    *out = plan;
    plan = (struct copy_plan){0};
    return true;
}
