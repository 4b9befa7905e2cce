/* The OCI runtime-spec config (config.json, 1.2) as records: what the engine produces and the runtime carries out.
   Table-driven, so the same struct travels as JSON (wherry-runtime) and over the wire (engine to shim). */
#pragma once

#include "base/record.h"

struct oci_user {
    uint32_t uid;
    uint32_t gid;
    struct opt_int64 umask;
    char *additional_gids; /* JSON array in config.json; see extra_groups of the launch for names */
};
struct oci_capabilities {
    struct strlist bounding, effective, inheritable, permitted, ambient; /* "CAP_CHOWN" */
};
struct oci_rlimit {
    char *type; /* "RLIMIT_NOFILE" */
    uint64_t hard;
    uint64_t soft;
};
struct oci_process {
    bool terminal;
    struct oci_user user;
    struct strlist args;
    struct strlist env;
    char *cwd;
    struct oci_capabilities *capabilities; /* NULL: none */
    struct record_list rlimits;            /* of struct oci_rlimit */
    bool no_new_privileges;
    struct opt_int64 oom_score_adj;
    char *apparmor_profile;
    char *selinux_label;
};
struct oci_mount {
    char *destination;
    char *type;
    char *source;
    char *source_root; /* ours, not in JSON: the source of a bind is looked up in this folder as if it were the root */
    struct strlist
        lower; /* ours, too: what is bound is this overlay, topmost layer first, and the source a path in it */
    struct strlist options;
};
struct oci_device {
    char *path;
    char *type; /* "c", "b", "p" */
    int64_t major;
    int64_t minor;
    struct opt_int64 file_mode;
    struct opt_int64 uid;
    struct opt_int64 gid;
};
struct oci_device_rule {
    bool allow;
    char *type; /* "a", "c", "b" */
    struct opt_int64 major;
    struct opt_int64 minor;
    char *access; /* "rwm" */
};
struct oci_memory {
    struct opt_int64 limit, reservation, swap, swappiness; /* bytes; -1: unlimited */
    struct opt_bool disable_oom_killer;
};
struct oci_cpu {
    struct opt_int64 shares, quota, period; /* quota and period in microseconds */
    char *cpus;
    char *mems;
};
struct oci_pids {
    int64_t limit; /* 0 or -1: unlimited */
};
struct oci_block_io {
    struct opt_int64 weight; /* 10 to 1000 */
};
struct oci_resources {
    struct record_list devices; /* of struct oci_device_rule */
    struct oci_memory *memory;
    struct oci_cpu *cpu;
    struct oci_pids *pids;
    struct oci_block_io *block_io;
    struct strmap unified;
};
struct oci_namespace {
    char *type; /* "pid", "network", "ipc", "uts", "mount", "cgroup", "user", "time" */
    char *path; /* NULL or "": a new one */
};
struct oci_linux {
    struct record_list devices;    /* of struct oci_device, beside the default ones */
    struct record_list namespaces; /* of struct oci_namespace */
    struct oci_resources *resources;
    char *cgroups_path; /* absolute: below each hierarchy's root; relative: the runtime's own choice below it */
    struct strmap sysctl;
    char *rootfs_propagation;
    char *seccomp; /* JSON of linux.seccomp, compiled by runtime/seccomp.h */
    struct strlist masked_paths;
    struct strlist readonly_paths;
    char *mount_label;
};
struct oci_root {
    char *path;
    bool readonly;
};
struct runtime_config {
    char *oci_version;
    struct oci_process *process;
    struct oci_root root;
    char *hostname;
    char *domainname;
    struct record_list mounts; /* of struct oci_mount */
    char *hooks;               /* JSON */
    struct strmap annotations;
    struct oci_linux linux_;
};
extern const struct record_type runtime_config_type;
extern const struct record_type oci_process_type;
extern const struct record_type oci_mount_type;
extern const struct record_type oci_device_type;
extern const struct record_type oci_device_rule_type;
extern const struct record_type oci_namespace_type;
extern const struct record_type oci_rlimit_type;
extern const struct record_type oci_resources_type;
extern const struct record_type oci_capabilities_type;
