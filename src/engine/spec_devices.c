#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/memory.h"
#include "engine/spec.h"
#include "runtime/defaults.h"

static void add_device(struct oci_linux *linux_, const char *path, const struct stat *info)
{
    struct oci_device *device = record_list_add(&linux_->devices, &oci_device_type);
    device->path = xstrdup(path);
    device->type = xstrdup(S_ISBLK(info->st_mode) ? "b" : "c");
    device->major = major(info->st_rdev);
    device->minor = minor(info->st_rdev);
    device->file_mode = (struct opt_int64){.is_set = true, .value = info->st_mode & 07777};
    device->uid = (struct opt_int64){.is_set = true, .value = info->st_uid};
    device->gid = (struct opt_int64){.is_set = true, .value = info->st_gid};
}

static struct oci_device_rule *add_rule(struct oci_linux *linux_, const char *type, const char *access)
{
    struct oci_device_rule *rule = record_list_add(&linux_->resources->devices, &oci_device_rule_type);
    rule->allow = true;
    rule->type = xstrdup(type);
    rule->access = xstrdup(access);
    return rule;
}

static void allow_device(struct oci_linux *linux_, const struct stat *info, const char *access)
{
    struct oci_device_rule *rule = add_rule(linux_, S_ISBLK(info->st_mode) ? "b" : "c", access);
    rule->major = (struct opt_int64){.is_set = true, .value = major(info->st_rdev)};
    rule->minor = (struct opt_int64){.is_set = true, .value = minor(info->st_rdev)};
}

/* Every device node below a folder of the host, as Docker walks /dev. `access` NULL: no rule is added. */
static void add_folder(struct oci_linux *linux_, const char *host_path, const char *path, const char *access)
{
    static const char *const skipped[] = {"pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console"};
    DIR *folder = opendir(host_path);
    if (!folder)
        return;
    const struct dirent *entry;
    while ((entry = readdir(folder))) {
        bool is_skipped = string_equal(entry->d_name, ".") || string_equal(entry->d_name, "..");
        for (size_t i = 0; i < ARRAY_SIZE(skipped); i++)
            is_skipped = is_skipped || string_equal(entry->d_name, skipped[i]);
        struct stat info;
        if (is_skipped || fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        _cleanup_free_ char *inner_host = xasprintf("%s/%s", host_path, entry->d_name);
        _cleanup_free_ char *inner = xasprintf("%s/%s", path, entry->d_name);
        if (S_ISDIR(info.st_mode)) {
            add_folder(linux_, inner_host, inner, access);
        } else if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
            add_device(linux_, inner, &info);
            if (access)
                allow_device(linux_, &info, access);
        }
    }
    closedir(folder);
}

static bool add_mapping(struct oci_linux *linux_, const struct device_mapping *mapping, struct error *err)
{
    const char *host_path = string_or_empty(mapping->path_on_host);
    const char *path = string_is_set(mapping->path_in_container) ? mapping->path_in_container : host_path;
    const char *access = string_is_set(mapping->cgroup_permissions) ? mapping->cgroup_permissions : "rwm";
    struct stat info;
    if (strspn(access, "rwm") != strlen(access))
        return error_set(err, ERROR_INVALID, "invalid device permissions: %s", access);
    if (stat(host_path, &info) < 0)
        return error_errno(err, "error gathering device information while adding custom device \"%s\"", host_path);
    if (S_ISDIR(info.st_mode)) {
        size_t before = linux_->devices.count;
        add_folder(linux_, host_path, path, access);
        if (linux_->devices.count > before)
            return true;
    }
    if (!S_ISCHR(info.st_mode) && !S_ISBLK(info.st_mode))
        return error_set(err, ERROR_INTERNAL,
                         "error gathering device information while adding custom device \"%s\": not a device node",
                         host_path);
    add_device(linux_, path, &info);
    allow_device(linux_, &info, access);
    return true;
}

/* "c 1:3 rwm", with * for a number. */
static bool add_cgroup_rule(struct oci_linux *linux_, const char *text, struct error *err)
{
    char type[2], major_text[16], minor_text[16], access[4];
    char extra;
    int64_t number;
    if (sscanf(text, "%1[acb] %15[0-9*]:%15[0-9*] %3[rwm]%c", type, major_text, minor_text, access, &extra) != 4)
        return error_set(err, ERROR_INVALID, "invalid device cgroup rule format: '%s'", text);
    struct oci_device_rule *rule = add_rule(linux_, type, access);
    if (parse_int64(major_text, &number))
        rule->major = (struct opt_int64){.is_set = true, .value = number};
    if (parse_int64(minor_text, &number))
        rule->minor = (struct opt_int64){.is_set = true, .value = number};
    return true;
}

bool spec_add_devices(const struct host_config *host, struct oci_linux *linux_, struct error *err)
{
    if (host->privileged) {
        add_rule(linux_, "a", "rwm");
        add_folder(linux_, "/dev", "/dev", NULL);
    } else {
        defaults_device_rules(&linux_->resources->devices);
    }
    for (size_t i = 0; i < host->devices.count; i++)
        if (!add_mapping(linux_, RECORD_AT(host->devices, struct device_mapping, i), err))
            return false;
    for (size_t i = 0; i < host->device_cgroup_rules.count; i++)
        if (!add_cgroup_rule(linux_, host->device_cgroup_rules.items[i], err))
            return false;
    return true;
}
