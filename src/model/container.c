#include "model/container.h"

#define FIELD(macro, name, member, flags) macro(struct restart_policy, name, member, flags)
static const struct field restart_policy_fields[] = {
    FIELD(FIELD_STRING, "Name", name, 0),
    FIELD(FIELD_INT64, "MaximumRetryCount", maximum_retry_count, GO_INT),
};
#undef FIELD
const struct record_type restart_policy_type =
    RECORD_TYPE("container.RestartPolicy", struct restart_policy, restart_policy_fields);

#define FIELD(macro, name, member, flags) macro(struct port_binding, name, member, flags)
static const struct field port_binding_fields[] = {
    FIELD(FIELD_STRING, "HostIp", host_ip, 0),
    FIELD(FIELD_STRING, "HostPort", host_port, 0),
};
#undef FIELD
const struct record_type port_binding_type = RECORD_TYPE("nat.PortBinding", struct port_binding, port_binding_fields);

#define FIELD(macro, name, member, flags) macro(struct ulimit, name, member, flags)
static const struct field ulimit_fields[] = {
    FIELD(FIELD_STRING, "Name", name, 0),
    FIELD(FIELD_INT64, "Hard", hard, 0),
    FIELD(FIELD_INT64, "Soft", soft, 0),
};
#undef FIELD
const struct record_type ulimit_type = RECORD_TYPE("units.Ulimit", struct ulimit, ulimit_fields);

#define FIELD(macro, name, member, flags) macro(struct device_mapping, name, member, flags)
static const struct field device_mapping_fields[] = {
    FIELD(FIELD_STRING, "PathOnHost", path_on_host, 0),
    FIELD(FIELD_STRING, "PathInContainer", path_in_container, 0),
    FIELD(FIELD_STRING, "CgroupPermissions", cgroup_permissions, 0),
};
#undef FIELD
const struct record_type device_mapping_type =
    RECORD_TYPE("container.DeviceMapping", struct device_mapping, device_mapping_fields);

#define FIELD(macro, name, member, flags) macro(struct log_config, name, member, flags)
static const struct field log_config_fields[] = {
    FIELD(FIELD_STRING, "Type", type, 0),
    FIELD(FIELD_MAP, "Config", config, EMPTY_NOT_NULL),
};
#undef FIELD
static const struct record_type log_config_type =
    RECORD_TYPE("container.LogConfig", struct log_config, log_config_fields);

#define FIELD(macro, name, member, flags) macro(struct bind_options, name, member, flags)
static const struct field bind_options_fields[] = {
    FIELD(FIELD_STRING, "Propagation", propagation, OMIT_EMPTY),
    FIELD(FIELD_BOOL, "NonRecursive", non_recursive, OMIT_EMPTY),
    FIELD(FIELD_BOOL, "CreateMountpoint", create_mountpoint, OMIT_EMPTY),
    FIELD(FIELD_BOOL, "ReadOnlyNonRecursive", read_only_non_recursive, OMIT_EMPTY),
    FIELD(FIELD_BOOL, "ReadOnlyForceRecursive", read_only_force_recursive, OMIT_EMPTY),
};
#undef FIELD
static const struct record_type bind_options_type =
    RECORD_TYPE("mount.BindOptions", struct bind_options, bind_options_fields);

#define FIELD(macro, name, member, flags) macro(struct volume_options, name, member, flags)
static const struct field volume_options_fields[] = {
    FIELD(FIELD_BOOL, "NoCopy", no_copy, OMIT_EMPTY),
    FIELD(FIELD_MAP, "Labels", labels, OMIT_EMPTY),
    FIELD(FIELD_JSON, "DriverConfig", driver_config, OMIT_EMPTY),
    FIELD(FIELD_STRING, "Subpath", subpath, OMIT_EMPTY),
};
#undef FIELD
static const struct record_type volume_options_type =
    RECORD_TYPE("mount.VolumeOptions", struct volume_options, volume_options_fields);

#define FIELD(macro, name, member, flags) macro(struct tmpfs_options, name, member, flags)
static const struct field tmpfs_options_fields[] = {
    FIELD(FIELD_INT64, "SizeBytes", size_bytes, OMIT_EMPTY),
    FIELD(FIELD_INT64, "Mode", mode, OMIT_EMPTY),
    FIELD(FIELD_JSON, "Options", options, OMIT_EMPTY),
};
#undef FIELD
static const struct record_type tmpfs_options_type =
    RECORD_TYPE("mount.TmpfsOptions", struct tmpfs_options, tmpfs_options_fields);

static const struct field image_options_fields[] = {
    FIELD_STRING(struct image_options, "Subpath", subpath, OMIT_EMPTY),
};
static const struct record_type image_options_type =
    RECORD_TYPE("ImageOptions", struct image_options, image_options_fields);

#define FIELD(macro, name, member, flags) macro(struct mount_request, name, member, flags)
static const struct field mount_request_fields[] = {
    FIELD(FIELD_STRING, "Type", type, OMIT_EMPTY),
    FIELD(FIELD_STRING, "Source", source, OMIT_EMPTY),
    FIELD(FIELD_STRING, "Target", target, OMIT_EMPTY),
    FIELD(FIELD_BOOL, "ReadOnly", read_only, OMIT_EMPTY),
    FIELD(FIELD_STRING, "Consistency", consistency, OMIT_EMPTY),
    FIELD_OPT_RECORD(struct mount_request, "BindOptions", bind, OMIT_EMPTY, struct bind_options, &bind_options_type),
    FIELD_OPT_RECORD(struct mount_request, "VolumeOptions", volume, OMIT_EMPTY, struct volume_options,
                     &volume_options_type),
    FIELD_OPT_RECORD(struct mount_request, "TmpfsOptions", tmpfs, OMIT_EMPTY, struct tmpfs_options,
                     &tmpfs_options_type),
    FIELD_OPT_RECORD(struct mount_request, "ImageOptions", image, OMIT_EMPTY, struct image_options,
                     &image_options_type),
};
#undef FIELD
const struct record_type mount_request_type = RECORD_TYPE("mount.Mount", struct mount_request, mount_request_fields);

#define FIELD(macro, name, member, flags) macro(struct host_config, name, member, flags)
static const struct field host_config_fields[] = {
    FIELD(FIELD_STRINGS, "Binds", binds, 0),
    FIELD(FIELD_STRING, "ContainerIDFile", container_id_file, 0),
    FIELD_RECORD(struct host_config, "LogConfig", log_config, 0, struct log_config, &log_config_type),
    FIELD(FIELD_STRING, "NetworkMode", network_mode, 0),
    FIELD_LISTS_MAP(struct host_config, "PortBindings", port_bindings, EMPTY_NOT_NULL, &port_binding_type),
    FIELD_RECORD(struct host_config, "RestartPolicy", restart_policy, 0, struct restart_policy, &restart_policy_type),
    FIELD(FIELD_BOOL, "AutoRemove", auto_remove, 0),
    FIELD(FIELD_STRING, "VolumeDriver", volume_driver, 0),
    FIELD(FIELD_STRINGS, "VolumesFrom", volumes_from, 0),
    FIELD(FIELD_JSON, "ConsoleSize", console_size, 0),
    FIELD(FIELD_MAP, "Annotations", annotations, OMIT_EMPTY),
    FIELD(FIELD_STRINGS, "CapAdd", cap_add, STRING_OR_LIST),
    FIELD(FIELD_STRINGS, "CapDrop", cap_drop, STRING_OR_LIST),
    FIELD(FIELD_STRING, "CgroupnsMode", cgroupns_mode, 0),
    FIELD(FIELD_STRINGS, "Dns", dns, EMPTY_NOT_NULL),
    FIELD(FIELD_STRINGS, "DnsOptions", dns_options, EMPTY_NOT_NULL),
    FIELD(FIELD_STRINGS, "DnsSearch", dns_search, EMPTY_NOT_NULL),
    FIELD(FIELD_STRINGS, "ExtraHosts", extra_hosts, 0),
    FIELD(FIELD_STRINGS, "GroupAdd", group_add, 0),
    FIELD(FIELD_STRING, "IpcMode", ipc_mode, 0),
    FIELD(FIELD_STRING, "Cgroup", cgroup, 0),
    FIELD(FIELD_STRINGS, "Links", links, 0),
    FIELD(FIELD_INT64, "OomScoreAdj", oom_score_adj, GO_INT),
    FIELD(FIELD_STRING, "PidMode", pid_mode, 0),
    FIELD(FIELD_BOOL, "Privileged", privileged, 0),
    FIELD(FIELD_BOOL, "PublishAllPorts", publish_all_ports, 0),
    FIELD(FIELD_BOOL, "ReadonlyRootfs", readonly_rootfs, 0),
    FIELD(FIELD_STRINGS, "SecurityOpt", security_opt, 0),
    FIELD(FIELD_MAP, "StorageOpt", storage_opt, OMIT_EMPTY),
    FIELD(FIELD_MAP, "Tmpfs", tmpfs, OMIT_EMPTY),
    FIELD(FIELD_STRING, "UTSMode", uts_mode, 0),
    FIELD(FIELD_STRING, "UsernsMode", userns_mode, 0),
    FIELD(FIELD_INT64, "ShmSize", shm_size, 0),
    FIELD(FIELD_MAP, "Sysctls", sysctls, OMIT_EMPTY),
    FIELD(FIELD_STRING, "Runtime", runtime, 0),
    FIELD(FIELD_STRING, "Isolation", isolation, 0),
    FIELD(FIELD_INT64, "CpuShares", cpu_shares, EMBEDDED),
    FIELD(FIELD_INT64, "Memory", memory, EMBEDDED),
    FIELD(FIELD_INT64, "NanoCpus", nano_cpus, EMBEDDED),
    FIELD(FIELD_STRING, "CgroupParent", cgroup_parent, EMBEDDED),
    FIELD(FIELD_INT64, "BlkioWeight", blkio_weight, EMBEDDED),
    FIELD(FIELD_JSON, "BlkioWeightDevice", blkio_weight_device, EMBEDDED),
    FIELD(FIELD_JSON, "BlkioDeviceReadBps", blkio_device_read_bps, EMBEDDED),
    FIELD(FIELD_JSON, "BlkioDeviceWriteBps", blkio_device_write_bps, EMBEDDED),
    FIELD(FIELD_JSON, "BlkioDeviceReadIOps", blkio_device_read_iops, EMBEDDED),
    FIELD(FIELD_JSON, "BlkioDeviceWriteIOps", blkio_device_write_iops, EMBEDDED),
    FIELD(FIELD_INT64, "CpuPeriod", cpu_period, EMBEDDED),
    FIELD(FIELD_INT64, "CpuQuota", cpu_quota, EMBEDDED),
    FIELD(FIELD_INT64, "CpuRealtimePeriod", cpu_realtime_period, EMBEDDED),
    FIELD(FIELD_INT64, "CpuRealtimeRuntime", cpu_realtime_runtime, EMBEDDED),
    FIELD(FIELD_STRING, "CpusetCpus", cpuset_cpus, EMBEDDED),
    FIELD(FIELD_STRING, "CpusetMems", cpuset_mems, EMBEDDED),
    FIELD_RECORDS(struct host_config, "Devices", devices, EMBEDDED, &device_mapping_type),
    FIELD(FIELD_STRINGS, "DeviceCgroupRules", device_cgroup_rules, EMBEDDED),
    FIELD(FIELD_JSON, "DeviceRequests", device_requests, EMBEDDED),
    FIELD(FIELD_INT64, "MemoryReservation", memory_reservation, EMBEDDED),
    FIELD(FIELD_INT64, "MemorySwap", memory_swap, EMBEDDED),
    FIELD(FIELD_OPT_INT64, "MemorySwappiness", memory_swappiness, EMBEDDED),
    FIELD(FIELD_OPT_BOOL, "OomKillDisable", oom_kill_disable, EMBEDDED),
    FIELD(FIELD_OPT_INT64, "PidsLimit", pids_limit, EMBEDDED),
    FIELD_RECORDS(struct host_config, "Ulimits", ulimits, EMBEDDED, &ulimit_type),
    FIELD(FIELD_INT64, "CpuCount", cpu_count, EMBEDDED),
    FIELD(FIELD_INT64, "CpuPercent", cpu_percent, EMBEDDED),
    FIELD(FIELD_INT64, "IOMaximumIOps", io_maximum_iops, EMBEDDED),
    FIELD(FIELD_INT64, "IOMaximumBandwidth", io_maximum_bandwidth, EMBEDDED),
    FIELD_RECORDS(struct host_config, "Mounts", mounts, OMIT_EMPTY, &mount_request_type),
    FIELD(FIELD_STRINGS, "MaskedPaths", masked_paths, 0),
    FIELD(FIELD_STRINGS, "ReadonlyPaths", readonly_paths, 0),
    FIELD(FIELD_OPT_BOOL, "Init", init, OMIT_EMPTY),
};
#undef FIELD
const struct record_type host_config_type =
    RECORD_TYPE_EMBEDDING("container.HostConfig", struct host_config, host_config_fields, "Resources");

#define FIELD(macro, name, member, flags) macro(struct endpoint_ipam_config, name, member, flags)
static const struct field endpoint_ipam_config_fields[] = {
    FIELD(FIELD_STRING, "IPv4Address", ipv4_address, OMIT_EMPTY),
    FIELD(FIELD_STRING, "IPv6Address", ipv6_address, OMIT_EMPTY),
    FIELD(FIELD_STRINGS, "LinkLocalIPs", link_local_ips, OMIT_EMPTY),
};
#undef FIELD
static const struct record_type endpoint_ipam_config_type =
    RECORD_TYPE("network.EndpointIPAMConfig", struct endpoint_ipam_config, endpoint_ipam_config_fields);

#define FIELD(macro, name, member, flags) macro(struct endpoint_settings, name, member, flags)
static const struct field endpoint_settings_fields[] = {
    FIELD_OPT_RECORD(struct endpoint_settings, "IPAMConfig", ipam_config, 0, struct endpoint_ipam_config,
                     &endpoint_ipam_config_type),
    FIELD(FIELD_STRINGS, "Links", links, 0),
    FIELD(FIELD_STRINGS, "Aliases", aliases, 0),
    FIELD(FIELD_STRING, "MacAddress", mac_address, 0),
    FIELD(FIELD_MAP, "DriverOpts", driver_opts, 0),
    FIELD(FIELD_INT64, "GwPriority", gateway_priority, GO_INT),
    FIELD(FIELD_STRING, "NetworkID", network_id, 0),
    FIELD(FIELD_STRING, "EndpointID", endpoint_id, 0),
    FIELD(FIELD_STRING, "Gateway", gateway, 0),
    FIELD(FIELD_STRING, "IPAddress", ip_address, 0),
    FIELD(FIELD_INT64, "IPPrefixLen", ip_prefix_length, GO_INT),
    FIELD(FIELD_STRING, "IPv6Gateway", ipv6_gateway, 0),
    FIELD(FIELD_STRING, "GlobalIPv6Address", global_ipv6_address, 0),
    FIELD(FIELD_INT64, "GlobalIPv6PrefixLen", global_ipv6_prefix_length, GO_INT),
    FIELD(FIELD_STRINGS, "DNSNames", dns_names, 0),
};
#undef FIELD
const struct record_type endpoint_settings_type =
    RECORD_TYPE("network.EndpointSettings", struct endpoint_settings, endpoint_settings_fields);

#define FIELD(macro, name, member, flags) macro(struct networking_config, name, member, flags)
static const struct field networking_config_fields[] = {
    FIELD_RECORD_MAP(struct networking_config, "EndpointsConfig", endpoints_config, 0, &endpoint_settings_type),
};
#undef FIELD
static const struct record_type networking_config_type =
    RECORD_TYPE("network.NetworkingConfig", struct networking_config, networking_config_fields);

#define FIELD(macro, name, member, flags) macro(struct create_request, name, member, flags)
static const struct field create_request_fields[] = {
    FIELD_RECORD(struct create_request, "HostConfig", host_config, 0, struct host_config, &host_config_type),
    FIELD_RECORD(struct create_request, "NetworkingConfig", networking_config, 0, struct networking_config,
                 &networking_config_type),
};
#undef FIELD
const struct record_type create_request_type =
    RECORD_TYPE("runconfig.ContainerConfigWrapper", struct create_request, create_request_fields);

#define FIELD(macro, name, member, flags) macro(struct health_result, name, member, flags)
static const struct field health_result_fields[] = {
    FIELD(FIELD_STRING, "Start", start, 0),
    FIELD(FIELD_STRING, "End", end, 0),
    FIELD(FIELD_INT64, "ExitCode", exit_code, 0),
    FIELD(FIELD_STRING, "Output", output, 0),
};
#undef FIELD
const struct record_type health_result_type =
    RECORD_TYPE("HealthcheckResult", struct health_result, health_result_fields);

#define FIELD(macro, name, member, flags) macro(struct health, name, member, flags)
static const struct field health_fields[] = {
    FIELD(FIELD_STRING, "Status", status, 0),
    FIELD(FIELD_INT64, "FailingStreak", failing_streak, 0),
    FIELD_RECORDS(struct health, "Log", log, EMPTY_NOT_NULL, &health_result_type),
};
#undef FIELD
const struct record_type health_type = RECORD_TYPE("Health", struct health, health_fields);

#define FIELD(macro, name, member, flags) macro(struct container_state, name, member, flags)
static const struct field container_state_fields[] = {
    FIELD(FIELD_STRING, "Status", status, 0),
    FIELD(FIELD_BOOL, "Running", is_running, 0),
    FIELD(FIELD_BOOL, "Paused", is_paused, 0),
    FIELD(FIELD_BOOL, "Restarting", is_restarting, 0),
    FIELD(FIELD_BOOL, "OOMKilled", is_oom_killed, 0),
    FIELD(FIELD_BOOL, "Dead", is_dead, 0),
    FIELD(FIELD_INT64, "Pid", pid, 0),
    FIELD(FIELD_INT64, "ExitCode", exit_code, 0),
    FIELD(FIELD_STRING, "Error", error, 0),
    FIELD(FIELD_STRING, "StartedAt", started_at, 0),
    FIELD(FIELD_STRING, "FinishedAt", finished_at, 0),
};
#undef FIELD
const struct record_type container_state_type =
    RECORD_TYPE("ContainerState", struct container_state, container_state_fields);

#define FIELD(macro, name, member, flags) macro(struct mount_point, name, member, flags)
static const struct field mount_point_fields[] = {
    FIELD(FIELD_STRING, "Type", type, OMIT_EMPTY),     FIELD(FIELD_STRING, "Name", name, OMIT_EMPTY),
    FIELD(FIELD_STRING, "Source", source, 0),          FIELD(FIELD_STRING, "Destination", destination, 0),
    FIELD(FIELD_STRING, "Driver", driver, OMIT_EMPTY), FIELD(FIELD_STRING, "Mode", mode, 0),
    FIELD(FIELD_BOOL, "RW", is_writable, 0),           FIELD(FIELD_STRING, "Propagation", propagation, 0),
};
#undef FIELD
const struct record_type mount_point_type = RECORD_TYPE("MountPoint", struct mount_point, mount_point_fields);

#define FIELD(macro, name, member, flags) macro(struct exec_request, name, member, flags)
static const struct field exec_request_fields[] = {
    FIELD(FIELD_STRING, "User", user, 0),
    FIELD(FIELD_BOOL, "Privileged", privileged, 0),
    FIELD(FIELD_BOOL, "Tty", tty, 0),
    FIELD(FIELD_JSON, "ConsoleSize", console_size, OMIT_EMPTY),
    FIELD(FIELD_BOOL, "AttachStdin", attach_stdin, 0),
    FIELD(FIELD_BOOL, "AttachStderr", attach_stderr, 0),
    FIELD(FIELD_BOOL, "AttachStdout", attach_stdout, 0),
    FIELD(FIELD_BOOL, "Detach", detach, 0),
    FIELD(FIELD_STRING, "DetachKeys", detach_keys, 0),
    FIELD(FIELD_STRINGS, "Env", env, 0),
    FIELD(FIELD_STRING, "WorkingDir", working_dir, 0),
    FIELD(FIELD_STRINGS, "Cmd", cmd, 0),
};
#undef FIELD
const struct record_type exec_request_type = RECORD_TYPE("types.ExecConfig", struct exec_request, exec_request_fields);
