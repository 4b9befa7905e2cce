#include "runtime/mount_options.h"

#include <string.h>
#include <sys/mount.h>

/* Not in the headers of every libc that we build with. */
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

void mount_options_release(struct mount_options *options)
{
    strlist_release(&options->data);
}

bool propagation_parse(const char *text, unsigned long *out)
{
    static const struct {
        const char *name;
        unsigned long flag;
    } rows[] = {{"private", MS_PRIVATE}, {"shared", MS_SHARED}, {"slave", MS_SLAVE}, {"unbindable", MS_UNBINDABLE}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        bool is_recursive = text[0] == 'r' && strcmp(text + 1, rows[i].name) == 0;
        if (is_recursive || strcmp(text, rows[i].name) == 0) {
            *out = rows[i].flag | (is_recursive ? MS_REC : 0);
            return true;
        }
    }
    return false;
}

static const struct attribute_option {
    const char *name;
    uint64_t set, clear;
} attribute_options[] = {
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"norelatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"defaults", 0, 0},
};

/* A later option takes back what an earlier one said. */
static void put(uint64_t *set, uint64_t *clear, const struct attribute_option *option)
{
    *set = (*set & ~option->clear) | option->set;
    *clear = (*clear & ~option->set) | option->clear;
}

static const struct attribute_option *find_attribute(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(attribute_options); i++)
        if (strcmp(attribute_options[i].name, name) == 0)
            return &attribute_options[i];
    return NULL;
}

bool mount_options_parse(const struct strlist *texts, struct mount_options *out, struct error *err)
{
    _cleanup_mount_options_ struct mount_options made = {0};
    for (size_t i = 0; i < texts->count; i++) {
        const char *text = texts->items[i];
        const struct attribute_option *attribute = find_attribute(text);
        const struct attribute_option *recursive = !attribute && *text == 'r' ? find_attribute(text + 1) : NULL;
        if (attribute)
            put(&made.set, &made.clear, attribute);
        else if (recursive)
            put(&made.recursive_set, &made.recursive_clear, recursive);
        else if (strcmp(text, "bind") == 0)
            made.is_bind = true;
        else if (strcmp(text, "rbind") == 0)
            made.is_bind = made.is_recursive_bind = true;
        else if (strcmp(text, "tmpcopyup") == 0 || strcmp(text, "idmap") == 0 || strcmp(text, "ridmap") == 0 ||
                 strcmp(text, "remount") == 0)
            return error_set(err, ERROR_UNSUPPORTED, "mount option \"%s\" is not supported", text);
        else if (*text && !propagation_parse(text, &made.propagation))
            strlist_add(&made.data, text);
    }
    *out = made;
    made = (struct mount_options){0};
    return true;
}

const char *mount_options_data(const struct mount_options *options, const char *name)
{
    return env_get(&options->data, name);
}
