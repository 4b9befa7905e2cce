#include "model/update.h"

#define FIELD(macro, name, member) macro(struct update_request, name, host_config.member, OMIT_EMPTY | EMBEDDED)
static const struct field update_request_fields[] = {
    FIELD(FIELD_INT64, "CpuShares", cpu_shares),
    FIELD(FIELD_INT64, "Memory", memory),
    FIELD(FIELD_INT64, "NanoCpus", nano_cpus),
    FIELD(FIELD_INT64, "BlkioWeight", blkio_weight),
    FIELD(FIELD_INT64, "CpuPeriod", cpu_period),
    FIELD(FIELD_INT64, "CpuQuota", cpu_quota),
    FIELD(FIELD_INT64, "CpuRealtimePeriod", cpu_realtime_period),
    FIELD(FIELD_INT64, "CpuRealtimeRuntime", cpu_realtime_runtime),
    FIELD(FIELD_STRING, "CpusetCpus", cpuset_cpus),
    FIELD(FIELD_STRING, "CpusetMems", cpuset_mems),
    FIELD(FIELD_INT64, "MemoryReservation", memory_reservation),
    FIELD(FIELD_INT64, "MemorySwap", memory_swap),
    FIELD(FIELD_OPT_INT64, "PidsLimit", pids_limit),
    FIELD_RECORD(struct update_request, "RestartPolicy", host_config.restart_policy, OMIT_EMPTY, struct restart_policy,
                 &restart_policy_type),
#undef FIELD
    FIELD_LISTS_MAP(struct update_request, "PublishAdd", publish_add, OMIT_EMPTY, &port_binding_type),
    FIELD_LISTS_MAP(struct update_request, "PublishRemove", publish_remove, OMIT_EMPTY, &port_binding_type),
    FIELD_RECORDS(struct update_request, "MountAdd", mount_add, OMIT_EMPTY, &mount_request_type),
    FIELD_STRINGS(struct update_request, "MountRemove", mount_remove, OMIT_EMPTY),
};
const struct record_type update_request_type =
    RECORD_TYPE_EMBEDDING("container.UpdateConfig", struct update_request, update_request_fields, "Resources");
