#include "runtime/cgroup_v1.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "base/memory.h"

struct cgroup_hierarchy *cgroup_v1_parse(const char *text, size_t *count)
{
    struct cgroup_hierarchy *found = NULL;
    *count = 0;
    _cleanup_strlist_ struct strlist lines = strlist_split(text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        /* "8:cpu,cpuacct:/path"; the unified hierarchy has an empty middle. */
        char *controllers = strchr(lines.items[i], ':'), *end = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!end || end == controllers + 1)
            continue;
        *end = '\0';
        controllers++;
        struct cgroup_hierarchy *hierarchy = APPEND(found, *count);
        hierarchy->controllers = xstrdup(controllers);
        hierarchy->directory = xstrdup(string_starts_with(controllers, "name=") ? controllers + 5 : controllers);
    }
    return found;
}

static bool is_mounted(const struct cgroup_hierarchy *hierarchy)
{
    _cleanup_free_ char *path = xasprintf(CGROUP_ROOT "/%s", hierarchy->directory);
    struct statfs status;
    return statfs(path, &status) == 0 && status.f_type == CGROUP_SUPER_MAGIC;
}

static struct cgroup_hierarchy *known;
static size_t known_count;

static void find_hierarchies(void)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    size_t all = 0;
    if (file_read(AT_FDCWD, "/proc/self/cgroup", 65536, &text, NULL))
        known = cgroup_v1_parse(strbuf_text(&text), &all);
    for (size_t i = 0; i < all; i++) {
        if (is_mounted(&known[i])) {
            known[known_count++] = known[i];
        } else {
            free(known[i].directory);
            free(known[i].controllers);
        }
    }
}

const struct cgroup_hierarchy *cgroup_v1_hierarchies(size_t *count)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_hierarchies);
    *count = known_count;
    return known;
}

const char *cgroup_v1_directory(const char *controller)
{
    size_t count;
    const struct cgroup_hierarchy *hierarchies = cgroup_v1_hierarchies(&count);
    for (size_t i = 0; i < count; i++) {
        _cleanup_strlist_ struct strlist names = strlist_split(hierarchies[i].controllers, ',');
        if (strlist_contains(&names, controller))
            return hierarchies[i].directory;
    }
    return NULL;
}

/* A cpuset that is new has no cpus and no memory nodes, and lets no process in: it inherits its parent's. */
static bool inherit_cpuset(int parent, int folder, struct error *err)
{
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        _cleanup_strbuf_ struct strbuf own = STRBUF_INIT, above = STRBUF_INIT;
        if (!file_read(folder, files[i], 65536, &own, err))
            return false;
        if (strbuf_text(&own)[strspn(strbuf_text(&own), " \n")])
            continue;
        if (!file_read(parent, files[i], 65536, &above, err) ||
            !file_write(folder, files[i], strbuf_text(&above), above.length, 0, err))
            return false;
    }
    return true;
}

/* A cpuset folder's parents are equipped one after the other. */
static int make_cpuset(const char *root, const char *path, struct error *err)
{
    _cleanup_strlist_ struct strlist names = strlist_split(path, '/');
    _cleanup_close_ int at = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        error_errno(err, "open %s", root);
    for (size_t i = 0; at >= 0 && i < names.count; i++) {
        if (!*names.items[i])
            continue;
        if (mkdirat(at, names.items[i], 0755) < 0 && errno != EEXIST) {
            error_errno(err, "mkdir %s/%s", root, path);
            return -1;
        }
        _cleanup_close_ int inner = openat(at, names.items[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (inner < 0) {
            error_errno(err, "open %s/%s", root, path);
            return -1;
        }
        if (!inherit_cpuset(at, inner, err))
            return -1;
        close(at);
        at = TAKE_FD(inner);
    }
    return TAKE_FD(at);
}

/* mkdir -p below the hierarchy's root; an O_PATH descriptor of the last folder. */
static int make_folder(const struct cgroup_hierarchy *hierarchy, const char *path, struct error *err)
{
    _cleanup_free_ char *root = xasprintf(CGROUP_ROOT "/%s", hierarchy->directory), *whole = path_join(root, path);
    if (strstr(hierarchy->controllers, "cpuset"))
        return make_cpuset(root, path, err);
    /* All but the last name is there after the first container. */
    if (mkdir(whole, 0755) < 0 && errno != EEXIST && (errno != ENOENT || !directory_make(whole, 0755, NULL))) {
        error_errno(err, "mkdir %s", whole);
        return -1;
    }
    int fd = open(whole, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        error_errno(err, "open %s", whole);
    return fd;
}

static bool write_text(int folder, const char *file, const char *text, struct error *err)
{
    _cleanup_close_ int fd = openat(folder, file, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "open %s", file);
    if (write(fd, text, strlen(text)) < 0)
        return error_errno(err, "failed to write \"%s\" to %s", text, file);
    return true;
}

static bool write_number(int folder, const char *file, int64_t value, struct error *err)
{
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)value);
    return write_text(folder, file, text, err);
}

static bool write_optional(int folder, const char *file, const struct opt_int64 *value, struct error *err)
{
    return !value->is_set || write_number(folder, file, value->value, err);
}

static bool set_swap(int folder, int64_t swap, struct strlist *warnings, struct error *err)
{
    if (faccessat(folder, "memory.memsw.limit_in_bytes", W_OK, 0) == 0)
        return write_number(folder, "memory.memsw.limit_in_bytes", swap, err);
    strlist_add(warnings, "Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory "
                          "limited without swap.");
    return true;
}

/* The kernel holds memory <= memory + swap at every moment, so the one that grows goes first. */
static bool set_limit_and_swap(int folder, const struct oci_memory *memory, struct strlist *warnings, struct error *err)
{
    bool has_limit = memory->limit.is_set, has_swap = memory->swap.is_set && memory->swap.value;
    struct error why = ERROR_INIT;
    if (!has_limit)
        return !has_swap || set_swap(folder, memory->swap.value, warnings, err);
    if (write_number(folder, "memory.limit_in_bytes", memory->limit.value, &why))
        return !has_swap || set_swap(folder, memory->swap.value, warnings, err);
    if (!has_swap || why.errno_value != EINVAL)
        return error_move(err, &why);
    error_release(&why);
    return set_swap(folder, memory->swap.value, warnings, err) &&
           write_number(folder, "memory.limit_in_bytes", memory->limit.value, err);
}

static bool set_memory(int folder, const struct oci_resources *resources, bool is_new, struct strlist *warnings,
                       struct error *err)
{
    const struct oci_memory *memory = resources->memory;
    if (!memory)
        return true;
    /* -1 and 0 stand for what a new cgroup has anyway. */
    bool has_swappiness = memory->swappiness.is_set && memory->swappiness.value >= 0;
    if (!set_limit_and_swap(folder, memory, warnings, err) ||
        !write_optional(folder, "memory.soft_limit_in_bytes", &memory->reservation, err))
        return false;
    if (has_swappiness && !write_number(folder, "memory.swappiness", memory->swappiness.value, err))
        return false;
    if (!memory->disable_oom_killer.is_set || (is_new && !memory->disable_oom_killer.value))
        return true;
    return write_number(folder, "memory.oom_control", memory->disable_oom_killer.value, err);
}

/* The quota is judged against the period: when one order fails, the other is tried. */
static bool set_cpu(int folder, const struct oci_resources *resources, bool is_new, struct strlist *warnings,
                    struct error *err)
{
    const struct oci_cpu *cpu = resources->cpu;
    if (!cpu)
        return true;
    struct opt_int64 shares = {cpu->shares.is_set && cpu->shares.value, cpu->shares.value};
    struct opt_int64 period = {cpu->period.is_set && cpu->period.value, cpu->period.value};
    struct opt_int64 quota = {cpu->quota.is_set && cpu->quota.value, cpu->quota.value};
    if (!write_optional(folder, "cpu.shares", &shares, err))
        return false;
    if (write_optional(folder, "cpu.cfs_period_us", &period, NULL))
        return write_optional(folder, "cpu.cfs_quota_us", &quota, err);
    return write_optional(folder, "cpu.cfs_quota_us", &quota, err) &&
           write_optional(folder, "cpu.cfs_period_us", &period, err);
}

static bool set_cpuset(int folder, const struct oci_resources *resources, bool is_new, struct strlist *warnings,
                       struct error *err)
{
    const struct oci_cpu *cpu = resources->cpu;
    if (!cpu)
        return true;
    return (!string_is_set(cpu->cpus) || write_text(folder, "cpuset.cpus", cpu->cpus, err)) &&
           (!string_is_set(cpu->mems) || write_text(folder, "cpuset.mems", cpu->mems, err));
}

static bool set_pids(int folder, const struct oci_resources *resources, bool is_new, struct strlist *warnings,
                     struct error *err)
{
    if (!resources->pids)
        return true;
    if (resources->pids->limit > 0)
        return write_number(folder, "pids.max", resources->pids->limit, err);
    return is_new || write_text(folder, "pids.max", "max", err);
}

static bool set_block_io(int folder, const struct oci_resources *resources, bool is_new, struct strlist *warnings,
                         struct error *err)
{
    return !resources->block_io || write_optional(folder, "blkio.weight", &resources->block_io->weight, err);
}

void cgroup_v1_format_rule(const struct oci_device_rule *rule, char *text, size_t size)
{
    char major[24] = "*", minor[24] = "*";
    if (rule->major.is_set && rule->major.value >= 0)
        snprintf(major, sizeof(major), "%lld", (long long)rule->major.value);
    if (rule->minor.is_set && rule->minor.value >= 0)
        snprintf(minor, sizeof(minor), "%lld", (long long)rule->minor.value);
    snprintf(text, size, "%s %s:%s %s", string_is_set(rule->type) ? rule->type : "a", major, minor,
             string_is_set(rule->access) ? rule->access : "rwm");
}

static bool set_devices(int folder, const struct oci_resources *resources, bool is_new, struct strlist *warnings,
                        struct error *err)
{
    if (!resources->devices.count)
        return true;
    _cleanup_close_ int allow = openat(folder, "devices.allow", O_WRONLY | O_CLOEXEC);
    _cleanup_close_ int deny = openat(folder, "devices.deny", O_WRONLY | O_CLOEXEC);
    if (allow < 0 || deny < 0)
        return error_errno(err, "open devices.allow");
    for (size_t i = 0; i < resources->devices.count; i++) {
        const struct oci_device_rule *rule = RECORD_AT(resources->devices, struct oci_device_rule, i);
        char text[64];
        cgroup_v1_format_rule(rule, text, sizeof(text));
        if (write(rule->allow ? allow : deny, text, strlen(text)) < 0)
            return error_errno(err, "failed to write \"%s\" to devices.%s", text, rule->allow ? "allow" : "deny");
    }
    return true;
}

static const struct controller {
    const char *name;
    bool (*set)(int folder, const struct oci_resources *resources, bool is_new, struct strlist *warnings,
                struct error *err);
} controllers[] = {
    {"memory", set_memory}, {"cpu", set_cpu},        {"cpuset", set_cpuset},
    {"pids", set_pids},     {"blkio", set_block_io}, {"devices", set_devices},
};

static bool has_controller(const struct cgroup_hierarchy *hierarchy, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = hierarchy->controllers; *at; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || !at[length]))
            return true;
    return false;
}

static bool set_hierarchy(const struct cgroup_hierarchy *hierarchy, int folder, const struct oci_resources *resources,
                          bool is_new, struct strlist *warnings, struct error *err)
{
    for (size_t i = 0; resources && i < ARRAY_SIZE(controllers); i++)
        if (has_controller(hierarchy, controllers[i].name) &&
            !controllers[i].set(folder, resources, is_new, warnings, err))
            return false;
    return true;
}

/* A limit whose controller is not there is told, not ignored. */
static void warn_of_missing(const struct oci_resources *resources, struct strlist *warnings)
{
    const struct {
        const char *controller;
        bool is_wanted;
    } rows[] = {
        {"memory", resources->memory && (resources->memory->limit.is_set || resources->memory->reservation.is_set)},
        {"cpu", resources->cpu && (resources->cpu->quota.is_set || resources->cpu->shares.is_set)},
        {"cpuset", resources->cpu && (string_is_set(resources->cpu->cpus) || string_is_set(resources->cpu->mems))},
        {"pids", resources->pids && resources->pids->limit > 0},
        {"devices", resources->devices.count > 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].is_wanted && !cgroup_v1_directory(rows[i].controller))
            strlist_addf(warnings, "the %s cgroup is not mounted: its limits are discarded", rows[i].controller);
}

bool cgroup_v1_create(const char *path, const struct oci_resources *resources, struct strlist *warnings,
                      struct error *err)
{
    size_t count;
    const struct cgroup_hierarchy *hierarchies = cgroup_v1_hierarchies(&count);
    if (!count)
        return error_set(err, ERROR_UNSUPPORTED, "no cgroup hierarchy is mounted below " CGROUP_ROOT);
    for (size_t i = 0; i < count; i++) {
        _cleanup_close_ int folder = make_folder(&hierarchies[i], path, err);
        if (folder < 0 || !set_hierarchy(&hierarchies[i], folder, resources, true, warnings, err))
            return false;
    }
    if (resources)
        warn_of_missing(resources, warnings);
    if (resources && resources->unified.count)
        return error_set(err, ERROR_UNSUPPORTED, "unified resources need cgroup v2");
    return true;
}

bool cgroup_v1_update(const char *path, const struct oci_resources *resources, struct strlist *warnings,
                      struct error *err)
{
    size_t count;
    const struct cgroup_hierarchy *hierarchies = cgroup_v1_hierarchies(&count);
    for (size_t i = 0; i < count; i++) {
        _cleanup_free_ char *folder = xasprintf(CGROUP_ROOT "/%s/%s", hierarchies[i].directory, path + (*path == '/'));
        _cleanup_close_ int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            return error_errno(err, "open %s", folder);
        if (!set_hierarchy(&hierarchies[i], fd, resources, false, warnings, err))
            return false;
    }
    return true;
}
