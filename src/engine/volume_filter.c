#include "engine/volume_filter.h"

#include <dirent.h>
#include <fcntl.h>
#include <regex.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"

static bool check_names(const json_t *filters, const char *const *known, struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)filters, key, value)
    {
        bool is_known = false;
        for (size_t i = 0; known[i]; i++)
            is_known |= string_equal(known[i], key);
        if (!is_known)
            return error_set(err, ERROR_INVALID, "invalid filter '%s'", key);
    }
    return true;
}

/* Docker's GetBoolOrDefault: one value, or several that agree. */
static bool read_flag(const json_t *filters, const char *name, bool *is_given, bool *out, struct error *err)
{
    const json_t *values = json_object_get(filters, name);
    bool is_yes = false, is_no = false;
    size_t i;
    json_t *item;
    _cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
    json_array_foreach(values, i, item)
    {
        const char *text = string_or_empty(json_string_value(item));
        strbuf_addf(&shown, "%s%s", i ? " " : "", text);
        is_yes |= string_equal(text, "true") || string_equal(text, "1");
        is_no |= string_equal(text, "false") || string_equal(text, "0");
    }
    *is_given = json_array_size(values) > 0;
    if (*is_given && is_yes == is_no)
        return error_set(err, ERROR_INVALID, "invalid filter '%s=[%s]'", name, strbuf_text(&shown));
    *out = is_yes;
    return true;
}

bool volume_filter_check(const json_t *filters, struct error *err)
{
    static const char *const known[] = {"dangling", "driver", "label", "name", NULL};
    bool is_given, value;
    return check_names(filters, known, err) && read_flag(filters, "dangling", &is_given, &value, err);
}

static bool label_is(const struct strmap *labels, const char *wanted)
{
    _cleanup_free_ char *key = xstrndup(wanted, strcspn(wanted, "="));
    const char *equals = strchr(wanted, '='), *value = strmap_get(labels, key);
    return value && (!equals || string_equal(value, equals + 1));
}

static bool has_labels(const json_t *values, const struct strmap *labels)
{
    size_t i;
    json_t *item;
    json_array_foreach(values, i, item) if (!label_is(labels, string_or_empty(json_string_value(item)))) return false;
    return true;
}

/* Docker's Args.Match: a regular expression, found anywhere. */
static bool matches_name(const json_t *values, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach(values, i, item)
    {
        const char *pattern = string_or_empty(json_string_value(item));
        regex_t regex;
        bool is_match = strstr(name, pattern) != NULL;
        if (!is_match && regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) == 0) {
            is_match = regexec(&regex, name, 0, NULL, 0) == 0;
            regfree(&regex);
        }
        if (is_match)
            return true;
    }
    return json_array_size(values) == 0;
}

bool volume_filter_matches(const json_t *filters, const struct volume_record *record, bool is_used)
{
    bool has_dangling = false, wants_dangling = false,
         is_driver = json_array_size(json_object_get(filters, "driver")) == 0;
    size_t i;
    json_t *item;
    (void)read_flag(filters, "dangling", &has_dangling, &wants_dangling, NULL);
    json_array_foreach(json_object_get(filters, "driver"), i, item) is_driver |=
        string_equal(json_string_value(item), "local");
    return is_driver && (!has_dangling || wants_dangling == !is_used) &&
           matches_name(json_object_get(filters, "name"), record->name) &&
           has_labels(json_object_get(filters, "label"), &record->labels);
}

bool volume_prune_filter_check(const json_t *filters, bool *removes_all, struct error *err)
{
    static const char *const known[] = {"label", "label!", "all", NULL};
    if (!check_names(filters, known, err))
        return false;
    const json_t *values = json_object_get(filters, "all");
    if (json_array_size(values) == 0)
        return true;
    if (json_array_size(values) > 1)
        return error_set(err, ERROR_INVALID, "invalid filter 'all': only one value is expected");
    return parse_bool(string_or_empty(json_string_value(json_array_get(values, 0))), removes_all, err) ||
           error_prefix(err, "invalid filter 'all'");
}

bool volume_prune_filter_matches(const json_t *filters, const struct volume_record *record)
{
    const json_t *without = json_object_get(filters, "label!");
    size_t i;
    json_t *item;
    if (!has_labels(json_object_get(filters, "label"), &record->labels))
        return false;
    json_array_foreach(without, i,
                       item) if (label_is(&record->labels, string_or_empty(json_string_value(item)))) return false;
    return true;
}

struct inode {
    dev_t device;
    ino_t number;
};
struct inodes {
    struct inode *items;
    size_t count;
};

static bool was_seen(struct inodes *seen, const struct stat *info)
{
    if (info->st_nlink < 2)
        return false;
    for (size_t i = 0; i < seen->count; i++)
        if (seen->items[i].device == info->st_dev && seen->items[i].number == info->st_ino)
            return true;
    *APPEND(seen->items, seen->count) = (struct inode){info->st_dev, info->st_ino};
    return false;
}

static int64_t add_files(int folder, struct inodes *seen)
{
    int64_t total = 0;
    DIR *stream = fdopendir(folder);
    if (!stream) {
        close_fd(folder);
        return 0;
    }
    const struct dirent *entry;
    while ((entry = readdir(stream))) {
        struct stat info;
        if (string_equal(entry->d_name, ".") || string_equal(entry->d_name, "..") ||
            fstatat(dirfd(stream), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (!S_ISDIR(info.st_mode) && !was_seen(seen, &info))
            total += info.st_size;
        int inner = S_ISDIR(info.st_mode)
                        ? openat(dirfd(stream), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                        : -1;
        if (inner >= 0)
            total += add_files(inner, seen);
    }
    closedir(stream);
    return total;
}

int64_t volume_folder_size(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct inodes seen = {0};
    int64_t size = fd < 0 ? -1 : add_files(fd, &seen);
    free(seen.items);
    return size;
}
