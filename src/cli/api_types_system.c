/* version, info and events. */
#include "cli/api_types.h"
#include "cli/api_types_rows.h"

static const struct value_field platform_fields[] = {F(Name, type_string)};
STRUCT_OF(platform, "struct { Name string }", platform_fields);
POINTER_TO(platform_pointer, "*struct { Name string }", platform);
static const struct value_field client_fields[] = {
    O(Platform, platform_pointer),
    O(Version, type_string),
    NO(APIVersion, "ApiVersion", type_string),
    O(DefaultAPIVersion, type_string),
    O(GitCommit, type_string),
    O(GoVersion, type_string),
    O(Os, type_string),
    O(Arch, type_string),
    O(BuildTime, type_string),
    F(Context, type_string),
};
STRUCT_OF(client, "system.clientVersion", client_fields);

static const struct value_field component_fields[] = {
    F(Name, type_string),
    F(Version, type_string),
    O(Details, type_map_string),
};
STRUCT_OF(component, "types.ComponentVersion", component_fields);
LIST_OF(components, "[]types.ComponentVersion", component);
static const struct value_field server_fields[] = {
    O(Platform, platform),         O(Components, components),
    F(Version, type_string),       N(APIVersion, "ApiVersion", type_string),
    O(MinAPIVersion, type_string), F(GitCommit, type_string),
    F(GoVersion, type_string),     F(Os, type_string),
    F(Arch, type_string),          O(KernelVersion, type_string),
    O(Experimental, type_bool),    O(BuildTime, type_string),
};
STRUCT_OF(server, "types.Version", server_fields);
POINTER_TO(server_pointer, "*types.Version", server);
static const struct value_field version_fields[] = {F(Client, client), F(Server, server_pointer)};
const struct value_type version_report_type = VALUE_STRUCT("system.versionInfo", version_fields);

LIST_OF(pairs, "[][2]string", type_strings);
static const struct value_field plugins_fields[] = {
    F(Volume, type_strings),
    F(Network, type_strings),
    F(Authorization, type_strings),
    F(Log, type_strings),
};
STRUCT_OF(plugins, "system.PluginsInfo", plugins_fields);
static const struct value_field index_fields[] = {
    F(Mirrors, type_strings),
    F(Name, type_string),
    F(Official, type_bool),
    F(Secure, type_bool),
};
STRUCT_OF(index_info, "registry.IndexInfo", index_fields);
POINTER_TO(index_pointer, "*registry.IndexInfo", index_info);
MAP_OF(indexes, "map[string]*registry.IndexInfo", index_pointer);
static const struct value_field registry_fields[] = {
    F(IndexConfigs, indexes),
    F(InsecureRegistryCIDRs, type_strings),
    F(Mirrors, type_strings),
};
STRUCT_OF(registry, "registry.ServiceConfig", registry_fields);
POINTER_TO(registry_pointer, "*registry.ServiceConfig", registry);
static const struct value_field runtime_fields[] = {
    NO(Path, "path", type_string),
    NO(Args, "runtimeArgs", type_strings),
    NO(Type, "runtimeType", type_string),
    NO(Options, "options", type_map_any),
};
STRUCT_OF(runtime, "system.Runtime", runtime_fields);
static const struct value_field runtime_status_fields[] = {
    E(Runtime, runtime),
    NO(Status, "status", type_map_string),
};
STRUCT_OF(runtime_status, "system.RuntimeWithStatus", runtime_status_fields);
MAP_OF(runtimes, "map[string]system.RuntimeWithStatus", runtime_status);
static const struct value_field commit_fields[] = {F(ID, type_string), O(Expected, type_string)};
STRUCT_OF(commit, "system.Commit", commit_fields);
static const struct value_field peer_fields[] = {F(NodeID, type_string), F(Addr, type_string)};
STRUCT_OF(peer, "swarm.Peer", peer_fields);
LIST_OF(peers, "[]swarm.Peer", peer);
POINTER_TO(cluster_pointer, "*swarm.ClusterInfo", type_any);
static const struct value_field swarm_fields[] = {
    F(NodeID, type_string),
    F(NodeAddr, type_string),
    F(LocalNodeState, type_string),
    F(ControlAvailable, type_bool),
    F(Error, type_string),
    F(RemoteManagers, peers),
    O(Nodes, type_int),
    O(Managers, type_int),
    O(Cluster, cluster_pointer),
    O(Warnings, type_strings),
};
STRUCT_OF(swarm, "swarm.Info", swarm_fields);
static const struct value_field pool_fields[] = {F(Base, type_string), F(Size, type_int)};
STRUCT_OF(address_pool, "system.NetworkAddressPool", pool_fields);
LIST_OF(address_pools, "[]system.NetworkAddressPool", address_pool);
static const struct value_field firewall_fields[] = {F(Driver, type_string), O(Info, pairs)};
STRUCT_OF(firewall, "system.FirewallInfo", firewall_fields);
POINTER_TO(firewall_pointer, "*system.FirewallInfo", firewall);
POINTER_TO(containerd_pointer, "*system.ContainerdInfo", type_any);

static const struct value_field info_fields[] = {
    F(ID, type_string),
    F(Containers, type_int),
    F(ContainersRunning, type_int),
    F(ContainersPaused, type_int),
    F(ContainersStopped, type_int),
    F(Images, type_int),
    F(Driver, type_string),
    F(DriverStatus, pairs),
    O(SystemStatus, pairs),
    F(Plugins, plugins),
    F(MemoryLimit, type_bool),
    F(SwapLimit, type_bool),
    O(KernelMemory, type_bool),
    O(KernelMemoryTCP, type_bool),
    N(CPUCfsPeriod, "CpuCfsPeriod", type_bool),
    N(CPUCfsQuota, "CpuCfsQuota", type_bool),
    F(CPUShares, type_bool),
    F(CPUSet, type_bool),
    F(PidsLimit, type_bool),
    F(IPv4Forwarding, type_bool),
    F(Debug, type_bool),
    F(NFd, type_int),
    F(OomKillDisable, type_bool),
    F(NGoroutines, type_int),
    F(SystemTime, type_string),
    F(LoggingDriver, type_string),
    F(CgroupDriver, type_string),
    O(CgroupVersion, type_string),
    F(NEventsListener, type_int),
    F(KernelVersion, type_string),
    F(OperatingSystem, type_string),
    F(OSVersion, type_string),
    F(OSType, type_string),
    F(Architecture, type_string),
    F(IndexServerAddress, type_string),
    F(RegistryConfig, registry_pointer),
    F(NCPU, type_int),
    F(MemTotal, type_int64),
    F(GenericResources, type_list_any),
    F(DockerRootDir, type_string),
    N(HTTPProxy, "HttpProxy", type_string),
    N(HTTPSProxy, "HttpsProxy", type_string),
    F(NoProxy, type_string),
    F(Name, type_string),
    F(Labels, type_strings),
    F(ExperimentalBuild, type_bool),
    F(ServerVersion, type_string),
    F(Runtimes, runtimes),
    F(DefaultRuntime, type_string),
    F(Swarm, swarm),
    F(LiveRestoreEnabled, type_bool),
    F(Isolation, type_string),
    F(InitBinary, type_string),
    F(ContainerdCommit, commit),
    F(RuncCommit, commit),
    F(InitCommit, commit),
    F(SecurityOptions, type_strings),
    O(ProductLicense, type_string),
    O(DefaultAddressPools, address_pools),
    O(FirewallBackend, firewall_pointer),
    F(CDISpecDirs, type_strings),
    O(DiscoveredDevices, type_list_any),
    O(Containerd, containerd_pointer),
    F(Warnings, type_strings),
};
STRUCT_OF(info, "system.Info", info_fields);
POINTER_TO(info_pointer, "*system.Info", info);
static const struct value_field client_info_fields[] = {
    F(Debug, type_bool),
    E(clientVersion, client),
    F(Plugins, type_list_any),
    F(Warnings, type_strings),
};
STRUCT_OF(client_info, "system.clientInfo", client_info_fields);
POINTER_TO(client_info_pointer, "*system.clientInfo", client_info);
static const struct value_field info_report_fields[] = {
    E(Info, info_pointer),
    O(ServerErrors, type_strings),
    {"UserName", NULL, &type_string, VALUE_HIDDEN},
    O(ClientInfo, client_info_pointer),
    O(ClientErrors, type_strings),
};
const struct value_type info_report_type = VALUE_STRUCT("system.dockerInfo", info_report_fields);

static const struct value_field actor_fields[] = {F(ID, type_string), F(Attributes, type_map_string)};
STRUCT_OF(actor, "events.Actor", actor_fields);
static const struct value_field event_fields[] = {
    NO(Status, "status", type_string),
    NO(ID, "id", type_string),
    NO(From, "from", type_string),
    F(Type, type_string),
    F(Action, type_string),
    F(Actor, actor),
    NO(Scope, "scope", type_string),
    NO(Time, "time", type_int64),
    NO(TimeNano, "timeNano", type_int64),
};
STRUCT_OF(event_message, "events.Message", event_fields);
const struct value_type event_type = VALUE_POINTER("*events.Message", &event_message);
