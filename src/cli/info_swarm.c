#include "cli/info_swarm.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/human.h"

static const char *text_of(const json_t *json, const char *key)
{
    return string_or_empty(json_string_value(json_object_get(json, key)));
}

static long long number_of(const json_t *json, const char *key)
{
    return (long long)json_integer_value(json_object_get(json, key));
}

static void print_truth(const char *label, const json_t *truth)
{
    printf("  %s: %s\n", label, json_is_true(truth) ? "true" : "false");
}

static void print_duration(const char *label, const json_t *duration)
{
    _cleanup_free_ char *text = duration_describe(json_integer_value(duration));
    printf("   %s: %s\n", label, text);
}

static void print_cluster(const json_t *swarm, const json_t *cluster)
{
    const json_t *spec = json_object_get(cluster, "Spec"), *raft = json_object_get(spec, "Raft");
    const json_t *authority = json_object_get(spec, "CAConfig"), *pools = json_object_get(cluster, "DefaultAddrPool");
    printf("  ClusterID: %s\n  Managers: %lld\n  Nodes: %lld\n", text_of(cluster, "ID"), number_of(swarm, "Managers"),
           number_of(swarm, "Nodes"));
    printf("  Default Address Pool: ");
    for (size_t i = 0; i < json_array_size(pools); i++)
        printf("%s  ", string_or_empty(json_string_value(json_array_get(pools, i))));
    printf("\n  SubnetSize: %lld\n  Data Path Port: %lld\n", number_of(cluster, "SubnetSize"),
           number_of(cluster, "DataPathPort"));
    const json_t *limit = json_object_get(json_object_get(spec, "Orchestration"), "TaskHistoryRetentionLimit");
    printf("  Orchestration:\n   Task History Retention Limit: %lld\n",
           limit ? (long long)json_integer_value(limit) : 5);
    printf("  Raft:\n   Snapshot Interval: %lld\n", number_of(raft, "SnapshotInterval"));
    if (json_is_integer(json_object_get(raft, "KeepOldSnapshots")))
        printf("   Number of Old Snapshots to Retain: %lld\n", number_of(raft, "KeepOldSnapshots"));
    printf("   Heartbeat Tick: %lld\n   Election Tick: %lld\n", number_of(raft, "HeartbeatTick"),
           number_of(raft, "ElectionTick"));
    printf("  Dispatcher:\n");
    print_duration("Heartbeat Period", json_object_get(json_object_get(spec, "Dispatcher"), "HeartbeatPeriod"));
    printf("  CA Configuration:\n");
    print_duration("Expiry Duration", json_object_get(authority, "NodeCertExpiry"));
    printf("   Force Rotate: %lld\n", number_of(authority, "ForceRotate"));
    if (*text_of(authority, "SigningCACert"))
        printf("   Signing CA Certificate: \n%s\n\n", text_of(authority, "SigningCACert"));
    const json_t *external = json_object_get(authority, "ExternalCAs");
    if (json_array_size(external) > 0)
        printf("   External CAs:\n");
    for (size_t i = 0; i < json_array_size(external); i++)
        printf("     %s: %s\n", text_of(json_array_get(external, i), "Protocol"),
               text_of(json_array_get(external, i), "URL"));
    print_truth("Autolock Managers", json_object_get(json_object_get(spec, "EncryptionConfig"), "AutoLockManagers"));
    print_truth("Root Rotation In Progress", json_object_get(cluster, "RootRotationInProgress"));
}

static void print_managers(const json_t *managers)
{
    if (json_array_size(managers) == 0)
        return;
    _cleanup_strlist_ struct strlist addresses = {0};
    for (size_t i = 0; i < json_array_size(managers); i++)
        strlist_add(&addresses, text_of(json_array_get(managers, i), "Addr"));
    strlist_sort(&addresses);
    printf("  Manager Addresses:\n");
    for (size_t i = 0; i < addresses.count; i++)
        printf("   %s\n", addresses.items[i]);
}

void info_swarm_print(const json_t *swarm)
{
    const char *state = text_of(swarm, "LocalNodeState"), *error = text_of(swarm, "Error");
    printf(" Swarm: %s\n", state);
    if (strcmp(state, "inactive") == 0 || strcmp(state, "locked") == 0)
        return;
    printf("  NodeID: %s\n", text_of(swarm, "NodeID"));
    if (*error)
        printf("  Error: %s\n", error);
    bool is_manager = json_is_true(json_object_get(swarm, "ControlAvailable"));
    print_truth("Is Manager", json_object_get(swarm, "ControlAvailable"));
    const json_t *cluster = json_object_get(swarm, "Cluster");
    if (json_is_object(cluster) && is_manager && !*error && strcmp(state, "error") != 0)
        print_cluster(swarm, cluster);
    printf("  Node Address: %s\n", text_of(swarm, "NodeAddr"));
    print_managers(json_object_get(swarm, "RemoteManagers"));
}
