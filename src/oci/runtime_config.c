#include "oci/runtime_config.h"

#define FIELD(macro, name, member, flags) macro(struct oci_user, name, member, flags)
static const struct field oci_user_fields[] = {
    FIELD(FIELD_UINT32, "uid", uid, 0),
    FIELD(FIELD_UINT32, "gid", gid, 0),
    FIELD(FIELD_OPT_INT64, "umask", umask, OMIT_EMPTY),
    FIELD(FIELD_JSON, "additionalGids", additional_gids, OMIT_EMPTY),
};
#undef FIELD
static const struct record_type oci_user_type = RECORD_TYPE("User", struct oci_user, oci_user_fields);

#define FIELD(macro, name, member, flags) macro(struct oci_capabilities, name, member, flags)
static const struct field oci_capabilities_fields[] = {
    FIELD(FIELD_STRINGS, "bounding", bounding, OMIT_EMPTY),
    FIELD(FIELD_STRINGS, "effective", effective, OMIT_EMPTY),
    FIELD(FIELD_STRINGS, "inheritable", inheritable, OMIT_EMPTY),
    FIELD(FIELD_STRINGS, "permitted", permitted, OMIT_EMPTY),
    FIELD(FIELD_STRINGS, "ambient", ambient, OMIT_EMPTY),
};
#undef FIELD
const struct record_type oci_capabilities_type =
    RECORD_TYPE("LinuxCapabilities", struct oci_capabilities, oci_capabilities_fields);

#define FIELD(macro, name, member, flags) macro(struct oci_rlimit, name, member, flags)
static const struct field oci_rlimit_fields[] = {
    FIELD(FIELD_STRING, "type", type, 0),
    FIELD(FIELD_UINT64, "hard", hard, 0),
    FIELD(FIELD_UINT64, "soft", soft, 0),
};
#undef FIELD
const struct record_type oci_rlimit_type = RECORD_TYPE("POSIXRlimit", struct oci_rlimit, oci_rlimit_fields);

#define FIELD(macro, name, member, flags) macro(struct oci_process, name, member, flags)
static const struct field oci_process_fields[] = {
    FIELD(FIELD_BOOL, "terminal", terminal, OMIT_EMPTY),
    FIELD_RECORD(struct oci_process, "user", user, 0, struct oci_user, &oci_user_type),
    FIELD(FIELD_STRINGS, "args", args, OMIT_EMPTY),
    FIELD(FIELD_STRINGS, "env", env, OMIT_EMPTY),
    FIELD(FIELD_STRING, "cwd", cwd, 0),
    FIELD_OPT_RECORD(struct oci_process, "capabilities", capabilities, OMIT_EMPTY, struct oci_capabilities,
                     &oci_capabilities_type),
    FIELD_RECORDS(struct oci_process, "rlimits", rlimits, OMIT_EMPTY, &oci_rlimit_type),
    FIELD(FIELD_BOOL, "noNewPrivileges", no_new_privileges, OMIT_EMPTY),
    FIELD(FIELD_OPT_INT64, "oomScoreAdj", oom_score_adj, OMIT_EMPTY),
    FIELD(FIELD_STRING, "apparmorProfile", apparmor_profile, OMIT_EMPTY),
    FIELD(FIELD_STRING, "selinuxLabel", selinux_label, OMIT_EMPTY),
};
#undef FIELD
const struct record_type oci_process_type = RECORD_TYPE("Process", struct oci_process, oci_process_fields);

#define FIELD(macro, name, member, flags) macro(struct oci_mount, name, member, flags)
static const struct field oci_mount_fields[] = {
    FIELD(FIELD_STRING, "destination", destination, 0), FIELD(FIELD_STRING, "type", type, OMIT_EMPTY),
    FIELD(FIELD_STRING, "source", source, OMIT_EMPTY),  FIELD(FIELD_STRING, "sourceRoot", source_root, WIRE_ONLY),
    FIELD(FIELD_STRINGS, "lower", lower, WIRE_ONLY),    FIELD(FIELD_STRINGS, "options", options, OMIT_EMPTY),
};
#undef FIELD
const struct record_type oci_mount_type = RECORD_TYPE("Mount", struct oci_mount, oci_mount_fields);

#define FIELD(macro, name, member, flags) macro(struct oci_device, name, member, flags)
static const struct field oci_device_fields[] = {
    FIELD(FIELD_STRING, "path", path, 0),
    FIELD(FIELD_STRING, "type", type, 0),
    FIELD(FIELD_INT64, "major", major, 0),
    FIELD(FIELD_INT64, "minor", minor, 0),
    FIELD(FIELD_OPT_INT64, "fileMode", file_mode, OMIT_EMPTY),
    FIELD(FIELD_OPT_INT64, "uid", uid, OMIT_EMPTY),
    FIELD(FIELD_OPT_INT64, "gid", gid, OMIT_EMPTY),
};
#undef FIELD
const struct record_type oci_device_type = RECORD_TYPE("LinuxDevice", struct oci_device, oci_device_fields);

#define FIELD(macro, name, member, flags) macro(struct oci_device_rule, name, member, flags)
static const struct field oci_device_rule_fields[] = {
    FIELD(FIELD_BOOL, "allow", allow, 0),
    FIELD(FIELD_STRING, "type", type, OMIT_EMPTY),
    FIELD(FIELD_OPT_INT64, "major", major, OMIT_EMPTY),
    FIELD(FIELD_OPT_INT64, "minor", minor, OMIT_EMPTY),
    FIELD(FIELD_STRING, "access", access, OMIT_EMPTY),
};
#undef FIELD
const struct record_type oci_device_rule_type =
    RECORD_TYPE("LinuxDeviceCgroup", struct oci_device_rule, oci_device_rule_fields);

#define FIELD(macro, name, member, flags) macro(struct oci_memory, name, member, flags)
static const struct field oci_memory_fields[] = {
    FIELD(FIELD_OPT_INT64, "limit", limit, OMIT_EMPTY),
    FIELD(FIELD_OPT_INT64, "reservation", reservation, OMIT_EMPTY),
    FIELD(FIELD_OPT_INT64, "swap", swap, OMIT_EMPTY),
    FIELD(FIELD_OPT_INT64, "swappiness", swappiness, OMIT_EMPTY),
    FIELD(FIELD_OPT_BOOL, "disableOOMKiller", disable_oom_killer, OMIT_EMPTY),
};
#undef FIELD
static const struct record_type oci_memory_type = RECORD_TYPE("LinuxMemory", struct oci_memory, oci_memory_fields);

#define FIELD(macro, name, member, flags) macro(struct oci_cpu, name, member, flags)
static const struct field oci_cpu_fields[] = {
    FIELD(FIELD_OPT_INT64, "shares", shares, OMIT_EMPTY), FIELD(FIELD_OPT_INT64, "quota", quota, OMIT_EMPTY),
    FIELD(FIELD_OPT_INT64, "period", period, OMIT_EMPTY), FIELD(FIELD_STRING, "cpus", cpus, OMIT_EMPTY),
    FIELD(FIELD_STRING, "mems", mems, OMIT_EMPTY),
};
#undef FIELD
static const struct record_type oci_cpu_type = RECORD_TYPE("LinuxCPU", struct oci_cpu, oci_cpu_fields);

static const struct field oci_pids_fields[] = {
    FIELD_INT64(struct oci_pids, "limit", limit, 0),
};
static const struct record_type oci_pids_type = RECORD_TYPE("LinuxPids", struct oci_pids, oci_pids_fields);

static const struct field oci_block_io_fields[] = {
    FIELD_OPT_INT64(struct oci_block_io, "weight", weight, OMIT_EMPTY),
};
static const struct record_type oci_block_io_type =
    RECORD_TYPE("LinuxBlockIO", struct oci_block_io, oci_block_io_fields);

static const struct field oci_resources_fields[] = {
    FIELD_RECORDS(struct oci_resources, "devices", devices, OMIT_EMPTY, &oci_device_rule_type),
    FIELD_OPT_RECORD(struct oci_resources, "memory", memory, OMIT_EMPTY, struct oci_memory, &oci_memory_type),
    FIELD_OPT_RECORD(struct oci_resources, "cpu", cpu, OMIT_EMPTY, struct oci_cpu, &oci_cpu_type),
    FIELD_OPT_RECORD(struct oci_resources, "pids", pids, OMIT_EMPTY, struct oci_pids, &oci_pids_type),
    FIELD_OPT_RECORD(struct oci_resources, "blockIO", block_io, OMIT_EMPTY, struct oci_block_io, &oci_block_io_type),
    FIELD_MAP(struct oci_resources, "unified", unified, OMIT_EMPTY),
};
const struct record_type oci_resources_type = RECORD_TYPE("LinuxResources", struct oci_resources, oci_resources_fields);

static const struct field oci_namespace_fields[] = {
    FIELD_STRING(struct oci_namespace, "type", type, 0),
    FIELD_STRING(struct oci_namespace, "path", path, OMIT_EMPTY),
};
const struct record_type oci_namespace_type = RECORD_TYPE("LinuxNamespace", struct oci_namespace, oci_namespace_fields);

#define FIELD(macro, name, member, flags) macro(struct oci_linux, name, member, flags)
static const struct field oci_linux_fields[] = {
    FIELD_RECORDS(struct oci_linux, "devices", devices, OMIT_EMPTY, &oci_device_type),
    FIELD_RECORDS(struct oci_linux, "namespaces", namespaces, OMIT_EMPTY, &oci_namespace_type),
    FIELD_OPT_RECORD(struct oci_linux, "resources", resources, OMIT_EMPTY, struct oci_resources, &oci_resources_type),
    FIELD(FIELD_STRING, "cgroupsPath", cgroups_path, OMIT_EMPTY),
    FIELD(FIELD_MAP, "sysctl", sysctl, OMIT_EMPTY),
    FIELD(FIELD_STRING, "rootfsPropagation", rootfs_propagation, OMIT_EMPTY),
    FIELD(FIELD_JSON, "seccomp", seccomp, OMIT_EMPTY),
    FIELD(FIELD_STRINGS, "maskedPaths", masked_paths, OMIT_EMPTY),
    FIELD(FIELD_STRINGS, "readonlyPaths", readonly_paths, OMIT_EMPTY),
    FIELD(FIELD_STRING, "mountLabel", mount_label, OMIT_EMPTY),
};
#undef FIELD
static const struct record_type oci_linux_type = RECORD_TYPE("Linux", struct oci_linux, oci_linux_fields);

static const struct field oci_root_fields[] = {
    FIELD_STRING(struct oci_root, "path", path, 0),
    FIELD_BOOL(struct oci_root, "readonly", readonly, OMIT_EMPTY),
};
static const struct record_type oci_root_type = RECORD_TYPE("Root", struct oci_root, oci_root_fields);

#define FIELD(macro, name, member, flags) macro(struct runtime_config, name, member, flags)
static const struct field runtime_config_fields[] = {
    FIELD(FIELD_STRING, "ociVersion", oci_version, 0),
    FIELD_OPT_RECORD(struct runtime_config, "process", process, OMIT_EMPTY, struct oci_process, &oci_process_type),
    FIELD_RECORD(struct runtime_config, "root", root, OMIT_EMPTY, struct oci_root, &oci_root_type),
    FIELD(FIELD_STRING, "hostname", hostname, OMIT_EMPTY),
    FIELD(FIELD_STRING, "domainname", domainname, OMIT_EMPTY),
    FIELD_RECORDS(struct runtime_config, "mounts", mounts, OMIT_EMPTY, &oci_mount_type),
    FIELD(FIELD_JSON, "hooks", hooks, OMIT_EMPTY),
    FIELD(FIELD_MAP, "annotations", annotations, OMIT_EMPTY),
    FIELD_RECORD(struct runtime_config, "linux", linux_, OMIT_EMPTY, struct oci_linux, &oci_linux_type),
};
#undef FIELD
const struct record_type runtime_config_type = RECORD_TYPE("Spec", struct runtime_config, runtime_config_fields);
