#include "runtime/launch.h"

static const struct field launch_overlay_fields[] = {
    FIELD_STRINGS(struct launch_overlay, "lower", lower, 0),
    FIELD_STRING(struct launch_overlay, "upper", upper, 0),
    FIELD_STRING(struct launch_overlay, "work", work, 0),
    FIELD_BOOL(struct launch_overlay, "is_volatile", is_volatile, 0),
};
static const struct record_type launch_overlay_type =
    RECORD_TYPE("launch_overlay", struct launch_overlay, launch_overlay_fields);

static const struct field launch_interface_fields[] = {
    FIELD_STRING(struct launch_interface, "host_name", host_name, 0),
    FIELD_STRING(struct launch_interface, "kind", kind, 0),
    FIELD_STRING(struct launch_interface, "parent", parent, 0),
    FIELD_STRING(struct launch_interface, "mode", mode, 0),
    FIELD_STRING(struct launch_interface, "flag", flag, 0),
    FIELD_STRING(struct launch_interface, "name", name, 0),
    FIELD_BOOL(struct launch_interface, "has_own_name", has_own_name, 0),
    FIELD_STRING(struct launch_interface, "mac", mac, 0),
    FIELD_STRINGS(struct launch_interface, "addresses", addresses, 0),
    FIELD_STRING(struct launch_interface, "gateway", gateway, 0),
    FIELD_STRING(struct launch_interface, "gateway6", gateway6, 0),
    FIELD_INT64(struct launch_interface, "mtu", mtu, 0),
    FIELD_BOOL(struct launch_interface, "is_isolated", is_isolated, 0),
    FIELD_BOOL(struct launch_interface, "has_hairpin", has_hairpin, 0),
    FIELD_STRINGS(struct launch_interface, "sysctls", sysctls, 0),
};
const struct record_type launch_interface_type =
    RECORD_TYPE("launch_interface", struct launch_interface, launch_interface_fields);

static const struct field launch_user_fields[] = {
    FIELD_STRING(struct launch_user, "user", user, 0),
    FIELD_STRINGS(struct launch_user, "extra_groups", extra_groups, 0),
};
static const struct record_type launch_user_type = RECORD_TYPE("launch_user", struct launch_user, launch_user_fields);

static const struct field launch_fields[] = {
    FIELD_RECORD(struct launch, "config", config, 0, struct runtime_config, &runtime_config_type),
    FIELD_RECORD(struct launch, "overlay", overlay, 0, struct launch_overlay, &launch_overlay_type),
    FIELD_RECORDS(struct launch, "interfaces", interfaces, 0, &launch_interface_type),
    FIELD_BOOL(struct launch, "wants_resolver", wants_resolver, 0),
    FIELD_RECORD(struct launch, "user", user, 0, struct launch_user, &launch_user_type),
    FIELD_BYTES(struct launch, "seccomp", seccomp, 0),
    FIELD_BOOL(struct launch, "wants_init", wants_init, 0),
    FIELD_STRING(struct launch, "init_path", init_path, 0),
    FIELD_BOOL(struct launch, "sets_home", sets_home, 0),
    FIELD_BOOL(struct launch, "wants_cwd_made", wants_cwd_made, 0),
    FIELD_STRING(struct launch, "start_fifo", start_fifo, 0),
};
const struct record_type launch_type = RECORD_TYPE("launch", struct launch, launch_fields);

static const struct field launch_exec_fields[] = {
    FIELD_RECORD(struct launch_exec, "process", process, 0, struct oci_process, &oci_process_type),
    FIELD_RECORD(struct launch_exec, "user", user, 0, struct launch_user, &launch_user_type),
    FIELD_BYTES(struct launch_exec, "seccomp", seccomp, 0),
    FIELD_BOOL(struct launch_exec, "sets_home", sets_home, 0),
    FIELD_STRING(struct launch_exec, "cgroups_path", cgroups_path, 0),
};
const struct record_type launch_exec_type = RECORD_TYPE("launch_exec", struct launch_exec, launch_exec_fields);
