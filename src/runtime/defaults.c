#include "runtime/defaults.h"

#include <string.h>

#include "base/memory.h"

/* The index is the kernel's number (linux/capability.h). */
static const char *const capability_names[] = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};

int capability_number(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(capability_names); i++)
        if (strcmp(capability_names[i], name) == 0)
            return (int)i;
    return -1;
}

static void add_all(struct strlist *list, const char *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        strlist_add(list, items[i]);
}

void defaults_all_capabilities(struct strlist *capabilities)
{
    add_all(capabilities, capability_names, ARRAY_SIZE(capability_names));
}

void defaults_capabilities(struct strlist *capabilities)
{
    static const char *const names[] = {
        "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
        "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_SETGID",           "CAP_SETUID",
        "CAP_SETFCAP", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
        "CAP_KILL",    "CAP_AUDIT_WRITE",
    };
    add_all(capabilities, names, ARRAY_SIZE(names));
}

void defaults_mounts(struct record_list *mounts, int64_t shm_size)
{
    static const struct {
        const char *destination, *type, *source, *options;
    } rows[] = {
        {"/proc", "proc", "proc", "nosuid,noexec,nodev"},
        {"/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"},
        {"/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"},
        {"/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"},
        {"/sys/fs/cgroup", "cgroup", "cgroup", "ro,nosuid,noexec,nodev"},
        {"/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"},
        {"/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct oci_mount *mount = record_list_add(mounts, &oci_mount_type);
        mount->destination = xstrdup(rows[i].destination);
        mount->type = xstrdup(rows[i].type);
        mount->source = xstrdup(rows[i].source);
        mount->options = strlist_split(rows[i].options, ',');
        if (strcmp(rows[i].destination, "/dev/shm") == 0)
            strlist_addf(&mount->options, "size=%lld", (long long)shm_size);
    }
}

void defaults_masked_paths(struct strlist *paths)
{
    static const char *const names[] = {
        "/proc/asound",
        "/proc/acpi",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/sys/firmware",
        "/sys/devices/virtual/powercap",
    };
    add_all(paths, names, ARRAY_SIZE(names));
}

void defaults_readonly_paths(struct strlist *paths)
{
    static const char *const names[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
    add_all(paths, names, ARRAY_SIZE(names));
}

/* -1 stands for "any", which OCI writes by leaving the number out. */
static void add_rule(struct record_list *rules, bool allow, const char *type, int64_t major, int64_t minor,
                     const char *access)
{
    struct oci_device_rule *rule = record_list_add(rules, &oci_device_rule_type);
    rule->allow = allow;
    rule->type = xstrdup(type);
    rule->major = (struct opt_int64){major >= 0, major >= 0 ? major : 0};
    rule->minor = (struct opt_int64){minor >= 0, minor >= 0 ? minor : 0};
    rule->access = xstrdup(access);
}

void defaults_device_rules(struct record_list *rules)
{
    add_rule(rules, false, "a", -1, -1, "rwm");
    add_rule(rules, true, "c", 1, 5, "rwm"); /* zero */
    add_rule(rules, true, "c", 1, 3, "rwm"); /* null */
    add_rule(rules, true, "c", 1, 9, "rwm"); /* urandom */
    add_rule(rules, true, "c", 1, 8, "rwm"); /* random */
    add_rule(rules, true, "c", 5, 0, "rwm"); /* tty */
    add_rule(rules, true, "c", 5, 1, "rwm"); /* console */
    /* What runc adds to every container's list by itself. */
    add_rule(rules, true, "c", -1, -1, "m");
    add_rule(rules, true, "b", -1, -1, "m");
    add_rule(rules, true, "c", 1, 7, "rwm");    /* full */
    add_rule(rules, true, "c", 5, 2, "rwm");    /* ptmx */
    add_rule(rules, true, "c", 136, -1, "rwm"); /* pts */
}

void defaults_namespaces(struct record_list *namespaces, bool with_cgroup)
{
    static const char *const types[] = {"mount", "network", "uts", "pid", "ipc", "cgroup"};
    for (size_t i = 0; i < ARRAY_SIZE(types) - !with_cgroup; i++) {
        struct oci_namespace *ns = record_list_add(namespaces, &oci_namespace_type);
        ns->type = xstrdup(types[i]);
    }
}
