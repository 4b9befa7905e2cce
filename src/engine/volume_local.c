#include "engine/volume_local.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"

bool local_options_check(const struct strmap *options, struct error *err)
{
    static const char *const known[] = {"type", "o", "device", "size"};
    static const struct {
        const char *option, *needed;
    } needs[] = {{"device", "type"}, {"type", "device"}, {"o", "device"}, {"o", "type"}};
    for (size_t i = 0; i < options->count; i++) {
        bool is_known = false;
        for (size_t j = 0; j < ARRAY_SIZE(known); j++)
            is_known |= string_equal(known[j], options->items[i].key);
        if (!is_known)
            return error_set(err, ERROR_INVALID, "invalid option: \"%s\"", options->items[i].key);
    }
    const char *size = strmap_get(options, "size");
    int64_t bytes = 0;
    if (size && !parse_bytes(size, &bytes, err))
        return false;
    if (bytes > 0)
        return error_set(err, ERROR_INVALID, "quota size requested but no quota support");
    for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
        if (strmap_get(options, needs[i].option) && !strmap_get(options, needs[i].needed))
            return error_set(err, ERROR_INVALID, "missing required option: \"%s\"", needs[i].needed);
    return true;
}

bool local_needs_mount(const struct strmap *options)
{
    return string_is_set(strmap_get(options, "device")) || string_is_set(strmap_get(options, "type"));
}

static const struct flag {
    const char *name;
    bool is_cleared;
    unsigned long flag;
} flags[] = {
    {"defaults", false, 0},
    {"ro", false, MS_RDONLY},
    {"rw", true, MS_RDONLY},
    {"suid", true, MS_NOSUID},
    {"nosuid", false, MS_NOSUID},
    {"dev", true, MS_NODEV},
    {"nodev", false, MS_NODEV},
    {"exec", true, MS_NOEXEC},
    {"noexec", false, MS_NOEXEC},
    {"sync", false, MS_SYNCHRONOUS},
    {"async", true, MS_SYNCHRONOUS},
    {"dirsync", false, MS_DIRSYNC},
    {"remount", false, MS_REMOUNT},
    {"mand", false, MS_MANDLOCK},
    {"nomand", true, MS_MANDLOCK},
    {"atime", true, MS_NOATIME},
    {"noatime", false, MS_NOATIME},
    {"diratime", true, MS_NODIRATIME},
    {"nodiratime", false, MS_NODIRATIME},
    {"bind", false, MS_BIND},
    {"rbind", false, MS_BIND | MS_REC},
    {"relatime", false, MS_RELATIME},
    {"norelatime", true, MS_RELATIME},
    {"strictatime", false, MS_STRICTATIME},
    {"nostrictatime", true, MS_STRICTATIME},
};
static const struct flag propagations[] = {
    {"unbindable", false, MS_UNBINDABLE}, {"runbindable", false, MS_UNBINDABLE | MS_REC},
    {"private", false, MS_PRIVATE},       {"rprivate", false, MS_PRIVATE | MS_REC},
    {"shared", false, MS_SHARED},         {"rshared", false, MS_SHARED | MS_REC},
    {"slave", false, MS_SLAVE},           {"rslave", false, MS_SLAVE | MS_REC},
};

static const struct flag *find_flag(const struct flag *table, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (string_equal(table[i].name, name))
            return &table[i];
    return NULL;
}

/* "o" as mount(2) takes it: flags, propagation, and what is left for the file system. */
static void parse_options(const char *text, unsigned long *out, unsigned long *propagation, struct strlist *data)
{
    _cleanup_strlist_ struct strlist parts = strlist_split(text, ',');
    for (size_t i = 0; i < parts.count; i++) {
        const struct flag *flag = find_flag(flags, ARRAY_SIZE(flags), parts.items[i]);
        const struct flag *shared = find_flag(propagations, ARRAY_SIZE(propagations), parts.items[i]);
        if (flag)
            *out = flag->is_cleared ? *out & ~flag->flag : *out | flag->flag;
        else if (shared)
            *propagation |= shared->flag;
        else if (parts.items[i][0])
            strlist_add(data, parts.items[i]);
    }
}

/* The kernel takes addresses alone: as Docker does, the name in addr= is looked up. */
static bool resolve_address(struct strlist *data, struct error *err)
{
    for (size_t i = 0; i < data->count; i++) {
        if (!string_starts_with(data->items[i], "addr=") || !data->items[i][5])
            continue;
        struct addrinfo *found = NULL;
        const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
        char address[64];
        int code = getaddrinfo(data->items[i] + 5, NULL, &hints, &found);
        if (code == 0)
            code = getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof(address), NULL, 0, NI_NUMERICHOST);
        if (found)
            freeaddrinfo(found);
        if (code != 0)
            return error_set(err, ERROR_INTERNAL,
                             "error resolving passed in network volume address: lookup %s: no such host",
                             data->items[i] + 5);
        free(data->items[i]);
        data->items[i] = xasprintf("addr=%s", address);
    }
    return true;
}

static bool fail(const char *device, const char *folder, unsigned long mount_flags, const struct strlist *data,
                 struct error *err)
{
    int code = errno;
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < data->count; i++) {
        bool is_secret = string_starts_with(data->items[i], "password=");
        strbuf_addf(&text, "%s%s", i ? "," : "", is_secret ? "password=********" : data->items[i]);
    }
    _cleanup_free_ char *shown_flags = mount_flags ? xasprintf(", flags: 0x%lx", mount_flags) : xstrdup("");
    return error_errno_value(err, code, "failed to mount local volume: mount %s:%s%s%s%s", device, folder, shown_flags,
                             text.length ? ", data: " : "", strbuf_text(&text));
}

bool local_mount(const struct strmap *options, const char *folder, struct error *err)
{
    const char *device = strmap_get(options, "device"), *type = strmap_get(options, "type");
    unsigned long mount_flags = 0, propagation = 0;
    _cleanup_strlist_ struct strlist data = {0};
    if (!string_is_set(device))
        return error_set(err, ERROR_INTERNAL, "missing device in volume options");
    parse_options(string_or_empty(strmap_get(options, "o")), &mount_flags, &propagation, &data);
    bool is_network = string_equal(type, "nfs") || string_equal(type, "nfs4") || string_equal(type, "cifs");
    if (is_network && !resolve_address(&data, err))
        return false;
    _cleanup_free_ char *joined = strlist_join(&data, ",");
    if (mount(device, folder, type, mount_flags, data.count ? joined : NULL) < 0)
        return fail(device, folder, mount_flags, &data, err);
    bool is_done = !propagation || mount("", folder, "", propagation, NULL) == 0;
    /* The kernel ignores all other flags of a bind: they take a second step. */
    if (is_done && (mount_flags & MS_BIND) && (mount_flags & ~(unsigned long)(MS_BIND | MS_REC)))
        is_done = mount("", folder, "", MS_REMOUNT | MS_BIND | (mount_flags & ~(unsigned long)MS_REC), NULL) == 0;
    if (!is_done) {
        fail(device, folder, mount_flags, &data, err);
        local_unmount(folder);
    }
    return is_done;
}

void local_unmount(const char *folder)
{
    for (int i = 0; i < 16 && umount2(folder, MNT_DETACH | UMOUNT_NOFOLLOW) == 0; i++)
        ; /* one may lie on another */
}

void local_mounted_folders(const char *root, struct strlist *out)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, "/proc/self/mountinfo", (size_t)16 << 20, &text, NULL))
        return;
    _cleanup_strlist_ struct strlist lines = strlist_split(strbuf_text(&text), '\n');
    _cleanup_free_ char *prefix = xasprintf("%s/", root);
    for (size_t i = 0; i < lines.count; i++) {
        _cleanup_strlist_ struct strlist fields = strlist_split(lines.items[i], ' ');
        if (fields.count > 4 && string_starts_with(fields.items[4], prefix))
            strlist_add(out, fields.items[4]);
    }
}
