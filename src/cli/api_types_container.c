#include "base/memory.h"
#include "base/text.h"
#include "cli/api_types.h"
#include "cli/api_types_rows.h"

POINTER_TO(int_pointer, "*int", type_int);
POINTER_TO(int64_pointer, "*int64", type_int64);
POINTER_TO(bool_pointer, "*bool", type_bool);
LIST_OF(str_slice, "strslice.StrSlice", type_string);
LIST_OF(list_of_ints, "[2]uint", type_uint64);

/* --- state --- */

static const struct value_field health_result_fields[] = {
    F(Start, type_time),
    F(End, type_time),
    F(ExitCode, type_int),
    F(Output, type_string),
};
STRUCT_OF(health_result, "container.HealthcheckResult", health_result_fields);
POINTER_TO(health_result_pointer, "*container.HealthcheckResult", health_result);
LIST_OF(health_results, "[]*container.HealthcheckResult", health_result_pointer);
static const struct value_field health_fields[] = {
    F(Status, type_string),
    F(FailingStreak, type_int),
    F(Log, health_results),
};
STRUCT_OF(health, "container.Health", health_fields);
POINTER_TO(health_pointer, "*container.Health", health);
static const struct value_field state_fields[] = {
    F(Status, type_string),  F(Running, type_bool),     F(Paused, type_bool),       F(Restarting, type_bool),
    F(OOMKilled, type_bool), F(Dead, type_bool),        F(Pid, type_int),           F(ExitCode, type_int),
    F(Error, type_string),   F(StartedAt, type_string), F(FinishedAt, type_string), O(Health, health_pointer),
};
STRUCT_OF(state, "container.State", state_fields);
POINTER_TO(state_pointer, "*container.State", state);

/* --- host config --- */

static const struct value_field log_config_fields[] = {F(Type, type_string), F(Config, type_map_string)};
STRUCT_OF(log_config, "container.LogConfig", log_config_fields);
static const struct value_field restart_fields[] = {F(Name, type_string), F(MaximumRetryCount, type_int)};
STRUCT_OF(restart_policy, "container.RestartPolicy", restart_fields);
static const struct value_field binding_fields[] = {
    N(HostIP, "HostIp", type_string),
    F(HostPort, type_string),
};
STRUCT_OF(binding, "nat.PortBinding", binding_fields);
LIST_OF(bindings, "[]nat.PortBinding", binding);
static const struct value_type port_map = {
    .kind = VALUE_KIND_MAP, .name = "nat.PortMap", .element = &bindings, .key_name = "nat.Port"};
static const struct value_type port_set = {
    .kind = VALUE_KIND_MAP, .name = "nat.PortSet", .element = &type_empty_struct, .key_name = "nat.Port"};
static const struct value_field weight_fields[] = {F(Path, type_string), F(Weight, type_uint64)};
STRUCT_OF(weight, "blkiodev.WeightDevice", weight_fields);
POINTER_TO(weight_pointer, "*blkiodev.WeightDevice", weight);
LIST_OF(weights, "[]*blkiodev.WeightDevice", weight_pointer);
static const struct value_field throttle_fields[] = {F(Path, type_string), F(Rate, type_uint64)};
STRUCT_OF(throttle, "blkiodev.ThrottleDevice", throttle_fields);
POINTER_TO(throttle_pointer, "*blkiodev.ThrottleDevice", throttle);
LIST_OF(throttles, "[]*blkiodev.ThrottleDevice", throttle_pointer);
static const struct value_field device_fields[] = {
    F(PathOnHost, type_string),
    F(PathInContainer, type_string),
    F(CgroupPermissions, type_string),
};
STRUCT_OF(device, "container.DeviceMapping", device_fields);
LIST_OF(devices, "[]container.DeviceMapping", device);
LIST_OF(capability_lists, "[][]string", type_strings);
static const struct value_field request_fields[] = {
    F(Driver, type_string),      F(Count, type_int), F(DeviceIDs, type_strings), F(Capabilities, capability_lists),
    F(Options, type_map_string),
};
STRUCT_OF(request, "container.DeviceRequest", request_fields);
LIST_OF(requests, "[]container.DeviceRequest", request);
static const struct value_field ulimit_fields[] = {F(Name, type_string), F(Hard, type_int64), F(Soft, type_int64)};
STRUCT_OF(ulimit, "units.Ulimit", ulimit_fields);
static char *describe_ulimit(const json_t *json)
{
    return xasprintf("%s=%lld:%lld", string_or_empty(json_string_value(json_object_get(json, "Name"))),
                     (long long)json_integer_value(json_object_get(json, "Soft")),
                     (long long)json_integer_value(json_object_get(json, "Hard")));
}
static const struct value_type ulimit_pointer = {
    .kind = VALUE_KIND_POINTER, .name = "*units.Ulimit", .element = &ulimit, .describe = describe_ulimit};
LIST_OF(ulimits, "[]*units.Ulimit", ulimit_pointer);
static const struct value_field resources_fields[] = {
    N(CPUShares, "CpuShares", type_int64),
    F(Memory, type_int64),
    N(NanoCPUs, "NanoCpus", type_int64),
    F(CgroupParent, type_string),
    F(BlkioWeight, type_uint64),
    F(BlkioWeightDevice, weights),
    F(BlkioDeviceReadBps, throttles),
    F(BlkioDeviceWriteBps, throttles),
    F(BlkioDeviceReadIOps, throttles),
    F(BlkioDeviceWriteIOps, throttles),
    N(CPUPeriod, "CpuPeriod", type_int64),
    N(CPUQuota, "CpuQuota", type_int64),
    N(CPURealtimePeriod, "CpuRealtimePeriod", type_int64),
    N(CPURealtimeRuntime, "CpuRealtimeRuntime", type_int64),
    F(CpusetCpus, type_string),
    F(CpusetMems, type_string),
    F(Devices, devices),
    F(DeviceCgroupRules, type_strings),
    F(DeviceRequests, requests),
    O(KernelMemory, type_int64),
    O(KernelMemoryTCP, type_int64),
    F(MemoryReservation, type_int64),
    F(MemorySwap, type_int64),
    F(MemorySwappiness, int64_pointer),
    F(OomKillDisable, bool_pointer),
    F(PidsLimit, int64_pointer),
    F(Ulimits, ulimits),
    N(CPUCount, "CpuCount", type_int64),
    N(CPUPercent, "CpuPercent", type_int64),
    F(IOMaximumIOps, type_uint64),
    F(IOMaximumBandwidth, type_uint64),
};
STRUCT_OF(resources, "container.Resources", resources_fields);
static const struct value_field bind_options_fields[] = {
    O(Propagation, type_string),        O(NonRecursive, type_bool),           O(CreateMountpoint, type_bool),
    O(ReadOnlyNonRecursive, type_bool), O(ReadOnlyForceRecursive, type_bool),
};
STRUCT_OF(bind_options, "mount.BindOptions", bind_options_fields);
POINTER_TO(bind_options_pointer, "*mount.BindOptions", bind_options);
static const struct value_field driver_fields[] = {O(Name, type_string), O(Options, type_map_string)};
STRUCT_OF(driver, "mount.Driver", driver_fields);
POINTER_TO(driver_pointer, "*mount.Driver", driver);
static const struct value_field volume_options_fields[] = {
    O(NoCopy, type_bool),
    O(Labels, type_map_string),
    O(Subpath, type_string),
    O(DriverConfig, driver_pointer),
};
STRUCT_OF(volume_options, "mount.VolumeOptions", volume_options_fields);
POINTER_TO(volume_options_pointer, "*mount.VolumeOptions", volume_options);
static const struct value_field image_options_fields[] = {O(Subpath, type_string)};
STRUCT_OF(image_options, "mount.ImageOptions", image_options_fields);
POINTER_TO(image_options_pointer, "*mount.ImageOptions", image_options);
static const struct value_field tmpfs_options_fields[] = {
    O(SizeBytes, type_int64),
    O(Mode, type_uint64),
    O(Options, capability_lists),
};
STRUCT_OF(tmpfs_options, "mount.TmpfsOptions", tmpfs_options_fields);
POINTER_TO(tmpfs_options_pointer, "*mount.TmpfsOptions", tmpfs_options);
STRUCT_OF(cluster_options, "mount.ClusterOptions", image_options_fields);
POINTER_TO(cluster_options_pointer, "*mount.ClusterOptions", cluster_options);
static const struct value_field mount_fields[] = {
    O(Type, type_string),
    O(Source, type_string),
    O(Target, type_string),
    O(ReadOnly, type_bool),
    O(Consistency, type_string),
    O(BindOptions, bind_options_pointer),
    O(VolumeOptions, volume_options_pointer),
    O(ImageOptions, image_options_pointer),
    O(TmpfsOptions, tmpfs_options_pointer),
    O(ClusterOptions, cluster_options_pointer),
};
STRUCT_OF(mount, "mount.Mount", mount_fields);
LIST_OF(mounts, "[]mount.Mount", mount);
static const struct value_field host_config_fields[] = {
    F(Binds, type_strings),
    F(ContainerIDFile, type_string),
    F(LogConfig, log_config),
    F(NetworkMode, type_string),
    F(PortBindings, port_map),
    F(RestartPolicy, restart_policy),
    F(AutoRemove, type_bool),
    F(VolumeDriver, type_string),
    F(VolumesFrom, type_strings),
    F(ConsoleSize, list_of_ints),
    O(Annotations, type_map_string),
    F(CapAdd, str_slice),
    F(CapDrop, str_slice),
    F(CgroupnsMode, type_string),
    N(DNS, "Dns", type_strings),
    N(DNSOptions, "DnsOptions", type_strings),
    N(DNSSearch, "DnsSearch", type_strings),
    F(ExtraHosts, type_strings),
    F(GroupAdd, type_strings),
    F(IpcMode, type_string),
    F(Cgroup, type_string),
    F(Links, type_strings),
    F(OomScoreAdj, type_int),
    F(PidMode, type_string),
    F(Privileged, type_bool),
    F(PublishAllPorts, type_bool),
    F(ReadonlyRootfs, type_bool),
    F(SecurityOpt, type_strings),
    O(StorageOpt, type_map_string),
    O(Tmpfs, type_map_string),
    F(UTSMode, type_string),
    F(UsernsMode, type_string),
    F(ShmSize, type_int64),
    O(Sysctls, type_map_string),
    O(Runtime, type_string),
    F(Isolation, type_string),
    E(Resources, resources),
    O(Mounts, mounts),
    F(MaskedPaths, type_strings),
    F(ReadonlyPaths, type_strings),
    O(Init, bool_pointer),
};
STRUCT_OF(host_config, "container.HostConfig", host_config_fields);
POINTER_TO(host_config_pointer, "*container.HostConfig", host_config);

/* --- config --- */

static const struct value_field healthcheck_fields[] = {
    O(Test, type_strings),         O(Interval, type_duration),      O(Timeout, type_duration),
    O(StartPeriod, type_duration), O(StartInterval, type_duration), O(Retries, type_int),
};
STRUCT_OF(healthcheck, "v1.HealthcheckConfig", healthcheck_fields);
POINTER_TO(healthcheck_pointer, "*v1.HealthcheckConfig", healthcheck);
static const struct value_field config_fields[] = {
    F(Hostname, type_string),
    F(Domainname, type_string),
    F(User, type_string),
    F(AttachStdin, type_bool),
    F(AttachStdout, type_bool),
    F(AttachStderr, type_bool),
    O(ExposedPorts, port_set),
    F(Tty, type_bool),
    F(OpenStdin, type_bool),
    F(StdinOnce, type_bool),
    F(Env, type_strings),
    F(Cmd, str_slice),
    O(Healthcheck, healthcheck_pointer),
    O(ArgsEscaped, type_bool),
    F(Image, type_string),
    F(Volumes, type_set),
    F(WorkingDir, type_string),
    F(Entrypoint, str_slice),
    O(NetworkDisabled, type_bool),
    O(MacAddress, type_string),
    F(OnBuild, type_strings),
    F(Labels, type_map_string),
    O(StopSignal, type_string),
    O(StopTimeout, int_pointer),
    O(Shell, str_slice),
};
STRUCT_OF(config, "container.Config", config_fields);
POINTER_TO(config_pointer, "*container.Config", config);

/* --- network settings --- */

static const struct value_field address_fields[] = {F(Addr, type_string), F(PrefixLen, type_int)};
STRUCT_OF(address, "network.Address", address_fields);
LIST_OF(addresses, "[]network.Address", address);
static const struct value_field settings_base_fields[] = {
    F(Bridge, type_string),
    F(SandboxID, type_string),
    F(SandboxKey, type_string),
    F(Ports, port_map),
    F(HairpinMode, type_bool),
    F(LinkLocalIPv6Address, type_string),
    F(LinkLocalIPv6PrefixLen, type_int),
    F(SecondaryIPAddresses, addresses),
    F(SecondaryIPv6Addresses, addresses),
};
STRUCT_OF(settings_base, "container.NetworkSettingsBase", settings_base_fields);
static const struct value_field default_settings_fields[] = {
    F(EndpointID, type_string),       F(Gateway, type_string),    F(GlobalIPv6Address, type_string),
    F(GlobalIPv6PrefixLen, type_int), F(IPAddress, type_string),  F(IPPrefixLen, type_int),
    F(IPv6Gateway, type_string),      F(MacAddress, type_string),
};
STRUCT_OF(default_settings, "container.DefaultNetworkSettings", default_settings_fields);
static const struct value_field ipam_fields[] = {
    O(IPv4Address, type_string),
    O(IPv6Address, type_string),
    O(LinkLocalIPs, type_strings),
};
STRUCT_OF(ipam, "network.EndpointIPAMConfig", ipam_fields);
POINTER_TO(ipam_pointer, "*network.EndpointIPAMConfig", ipam);
static const struct value_field endpoint_fields[] = {
    F(IPAMConfig, ipam_pointer),       F(Links, type_strings),           F(Aliases, type_strings),
    F(MacAddress, type_string),        F(DriverOpts, type_map_string),   F(GwPriority, type_int),
    F(NetworkID, type_string),         F(EndpointID, type_string),       F(Gateway, type_string),
    F(IPAddress, type_string),         F(IPPrefixLen, type_int),         F(IPv6Gateway, type_string),
    F(GlobalIPv6Address, type_string), F(GlobalIPv6PrefixLen, type_int), F(DNSNames, type_strings),
};
STRUCT_OF(endpoint, "network.EndpointSettings", endpoint_fields);
POINTER_TO(endpoint_pointer, "*network.EndpointSettings", endpoint);
MAP_OF(endpoints, "map[string]*network.EndpointSettings", endpoint_pointer);
static const struct value_field settings_fields[] = {
    E(NetworkSettingsBase, settings_base),
    E(DefaultNetworkSettings, default_settings),
    F(Networks, endpoints),
};
STRUCT_OF(settings, "container.NetworkSettings", settings_fields);
POINTER_TO(settings_pointer, "*container.NetworkSettings", settings);

/* --- the container --- */

static const struct value_field point_fields[] = {
    O(Type, type_string),   O(Name, type_string), F(Source, type_string), F(Destination, type_string),
    O(Driver, type_string), F(Mode, type_string), F(RW, type_bool),       F(Propagation, type_string),
};
STRUCT_OF(point, "container.MountPoint", point_fields);
LIST_OF(points, "[]container.MountPoint", point);
static const struct value_field graph_driver_fields[] = {F(Data, type_map_string), F(Name, type_string)};
STRUCT_OF(graph_driver, "storage.DriverData", graph_driver_fields);
POINTER_TO(any_pointer, "*v1.Descriptor", type_any);
static const struct value_field base_fields[] = {
    N(ID, "Id", type_string),
    F(Created, type_string),
    F(Path, type_string),
    F(Args, type_strings),
    F(State, state_pointer),
    F(Image, type_string),
    F(ResolvConfPath, type_string),
    F(HostnamePath, type_string),
    F(HostsPath, type_string),
    F(LogPath, type_string),
    F(Name, type_string),
    F(RestartCount, type_int),
    F(Driver, type_string),
    F(Platform, type_string),
    F(MountLabel, type_string),
    F(ProcessLabel, type_string),
    F(AppArmorProfile, type_string),
    F(ExecIDs, type_strings),
    F(HostConfig, host_config_pointer),
    F(GraphDriver, graph_driver),
    O(SizeRw, int64_pointer),
    O(SizeRootFs, int64_pointer),
};
STRUCT_OF(base, "container.ContainerJSONBase", base_fields);
POINTER_TO(base_pointer, "*container.ContainerJSONBase", base);
static const struct value_field inspect_fields[] = {
    E(ContainerJSONBase, base_pointer),
    F(Mounts, points),
    F(Config, config_pointer),
    F(NetworkSettings, settings_pointer),
    O(ImageManifestDescriptor, any_pointer),
};
const struct value_type container_inspect_type = VALUE_STRUCT("container.InspectResponse", inspect_fields);

/* --- images and volumes --- */

static const struct value_field image_config_fields[] = {
    O(User, type_string),       O(ExposedPorts, type_set), O(Env, type_strings),       O(Entrypoint, type_strings),
    O(Cmd, type_strings),       O(Volumes, type_set),      O(WorkingDir, type_string), O(Labels, type_map_string),
    O(StopSignal, type_string), O(ArgsEscaped, type_bool),
};
STRUCT_OF(image_config, "v1.ImageConfig", image_config_fields);
static const struct value_field image_config_more_fields[] = {
    O(Healthcheck, healthcheck_pointer),
    O(OnBuild, type_strings),
    O(Shell, type_strings),
};
STRUCT_OF(image_config_more, "v1.DockerOCIImageConfigExt", image_config_more_fields);
static const struct value_field docker_image_config_fields[] = {
    E(ImageConfig, image_config),
    E(DockerOCIImageConfigExt, image_config_more),
};
STRUCT_OF(docker_image_config, "v1.DockerOCIImageConfig", docker_image_config_fields);
POINTER_TO(docker_image_config_pointer, "*v1.DockerOCIImageConfig", docker_image_config);
static const struct value_field rootfs_fields[] = {F(Type, type_string), O(Layers, type_strings)};
STRUCT_OF(rootfs, "image.RootFS", rootfs_fields);
static const struct value_field metadata_fields[] = {O(LastTagTime, type_time)};
STRUCT_OF(metadata, "image.Metadata", metadata_fields);
static const struct value_field image_fields[] = {
    N(ID, "Id", type_string),
    F(RepoTags, type_strings),
    F(RepoDigests, type_strings),
    F(Parent, type_string),
    F(Comment, type_string),
    O(Created, type_string),
    O(Container, type_string),
    O(ContainerConfig, config_pointer),
    F(DockerVersion, type_string),
    F(Author, type_string),
    F(Config, docker_image_config_pointer),
    F(Architecture, type_string),
    O(Variant, type_string),
    F(Os, type_string),
    O(OsVersion, type_string),
    F(Size, type_int64),
    O(VirtualSize, type_int64),
    F(GraphDriver, graph_driver),
    F(RootFS, rootfs),
    F(Metadata, metadata),
    O(Descriptor, any_pointer),
    O(Manifests, type_list_any),
};
const struct value_type image_inspect_type = VALUE_STRUCT("image.InspectResponse", image_fields);

static const struct value_field usage_fields[] = {F(RefCount, type_int64), F(Size, type_int64)};
STRUCT_OF(usage, "volume.UsageData", usage_fields);
POINTER_TO(usage_pointer, "*volume.UsageData", usage);
POINTER_TO(cluster_volume_pointer, "*volume.ClusterVolume", type_any);
static const struct value_field volume_fields[] = {
    O(ClusterVolume, cluster_volume_pointer),
    O(CreatedAt, type_string),
    F(Driver, type_string),
    F(Labels, type_map_string),
    F(Mountpoint, type_string),
    F(Name, type_string),
    F(Options, type_map_string),
    F(Scope, type_string),
    O(Status, type_map_any),
    O(UsageData, usage_pointer),
};
const struct value_type volume_type = VALUE_STRUCT("volume.Volume", volume_fields);
