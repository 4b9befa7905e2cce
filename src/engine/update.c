/* POST /containers/{id}/update. */
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/mount_update.h"
#include "engine/networks.h"
#include "engine/resources.h"
#include "engine/spec.h"
#include "engine/validate.h"
#include "runtime/cgroup.h"

/* As Docker: what the request says about processors must not contradict what is set already. */
static bool check_conflicts(const struct host_config *own, const struct host_config *wanted, struct error *err)
{
    const char *conflict = NULL;
    if (wanted->nano_cpus > 0 && own->cpu_period > 0)
        conflict = "Nano CPUs cannot be updated as CPU Period has already been set";
    else if (wanted->nano_cpus > 0 && own->cpu_quota > 0)
        conflict = "Nano CPUs cannot be updated as CPU Quota has already been set";
    else if (wanted->cpu_period > 0 && own->nano_cpus > 0)
        conflict = "CPU Period cannot be updated as NanoCPUs has already been set";
    else if (wanted->cpu_quota > 0 && own->nano_cpus > 0)
        conflict = "CPU Quota cannot be updated as NanoCPUs has already been set";
    if (conflict)
        return error_set(err, ERROR_CONFLICT, "Conflicting options: %s", conflict);
    /* Also where swap is unlimited (-1). */
    if (wanted->memory > 0 && wanted->memory > own->memory_swap && wanted->memory_swap == 0)
        return error_set(err, ERROR_CONFLICT,
                         "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at "
                         "the same time");
    bool is_restarted = string_is_set(wanted->restart_policy.name) && !string_equal(wanted->restart_policy.name, "no");
    if (own->auto_remove && is_restarted)
        return error_set(err, ERROR_CONFLICT,
                         "Restart policy cannot be updated because AutoRemove is enabled for the container");
    return true;
}

static void apply(struct host_config *own, const struct host_config *wanted)
{
    const struct {
        int64_t *own;
        int64_t wanted;
    } numbers[] = {
        {&own->blkio_weight, wanted->blkio_weight},
        {&own->cpu_shares, wanted->cpu_shares},
        {&own->nano_cpus, wanted->nano_cpus},
        {&own->cpu_period, wanted->cpu_period},
        {&own->cpu_quota, wanted->cpu_quota},
        {&own->cpu_realtime_period, wanted->cpu_realtime_period},
        {&own->cpu_realtime_runtime, wanted->cpu_realtime_runtime},
        {&own->memory, wanted->memory},
        {&own->memory_swap, wanted->memory_swap},
        {&own->memory_reservation, wanted->memory_reservation},
    };
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (numbers[i].wanted != 0)
            *numbers[i].own = numbers[i].wanted;
    if (string_is_set(wanted->cpuset_cpus))
        string_replace(&own->cpuset_cpus, wanted->cpuset_cpus);
    if (string_is_set(wanted->cpuset_mems))
        string_replace(&own->cpuset_mems, wanted->cpuset_mems);
    if (wanted->pids_limit.is_set)
        own->pids_limit = wanted->pids_limit;
    if (string_is_set(wanted->restart_policy.name)) {
        string_replace(&own->restart_policy.name, wanted->restart_policy.name);
        own->restart_policy.maximum_retry_count = wanted->restart_policy.maximum_retry_count;
    }
}

/* Limits that the request does not name are left alone: the container may have changed them itself. Memory and swap go
   together, because one bounds the other. */
static bool set_limits(const char *cgroup, const struct host_config *merged, const struct host_config *wanted,
                       struct strlist *warnings, struct error *err)
{
    struct oci_resources resources = {0};
    spec_resources(merged, &resources);
    struct oci_memory *memory = resources.memory;
    if (wanted->memory == 0 && wanted->memory_swap == 0)
        memory->limit.is_set = memory->swap.is_set = false;
    memory->reservation.is_set &= wanted->memory_reservation != 0;
    memory->swappiness.is_set = memory->disable_oom_killer.is_set = false;
    struct oci_cpu *cpu = resources.cpu;
    cpu->shares.is_set &= wanted->cpu_shares != 0;
    if (wanted->cpu_period == 0 && wanted->cpu_quota == 0 && wanted->nano_cpus == 0)
        cpu->period.is_set = cpu->quota.is_set = false;
    if (!string_is_set(wanted->cpuset_cpus))
        string_replace(&cpu->cpus, NULL);
    if (!string_is_set(wanted->cpuset_mems))
        string_replace(&cpu->mems, NULL);
    if (wanted->blkio_weight == 0)
        free(TAKE_PTR(resources.block_io));
    if (wanted->pids_limit.is_set && !resources.pids)
        resources.pids = NEW(struct oci_pids); /* zero: no limit */
    else if (!wanted->pids_limit.is_set)
        free(TAKE_PTR(resources.pids));
    bool is_done = cgroup_update(cgroup, &resources, warnings, err);
    record_release(&oci_resources_type, &resources);
    return is_done;
}

/* In the operation. */
static bool update(struct container *container, const struct host_config *wanted, struct strlist *warnings,
                   struct error *err)
{
    struct host_config merged = {0};
    struct host_config *own = &container->record.host_config;
    container_lock(container);
    bool is_going = container->status == STATUS_REMOVING || container->status == STATUS_DEAD;
    bool has_process = status_has_process(container->status);
    record_copy(&host_config_type, &merged, own);
    _cleanup_free_ char *cgroup = xstrdup(container->record.cgroups_path);
    container_unlock(container);
    bool is_good =
        !is_going || error_set(err, ERROR_INTERNAL, "container is marked for removal and cannot be \"update\"");
    is_good = is_good && check_conflicts(&merged, wanted, err);
    if (is_good) {
        apply(&merged, wanted);
        is_good = !has_process || set_limits(cgroup, &merged, wanted, warnings, err);
    }
    record_release(&host_config_type, &merged);
    if (!is_good)
        return false;
    container_lock(container);
    apply(own, wanted);
    container_unlock(container);
    return container_save(container, DURABLE, err);
}

bool container_update(struct engine *engine, const char *reference, struct update_request *request,
                      struct strlist *warnings, struct error *err)
{
    struct host_config *wanted = &request->host_config;
    if (!resources_check(wanted, true, warnings, err) || !restart_policy_check(wanted, err) ||
        !port_bindings_check(&request->publish_add, err) || !port_bindings_check(&request->publish_remove, err))
        return false;
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    if (!container || !container_begin(container, reference, err))
        return false;
    bool is_done = mounts_update(container, &request->mount_add, &request->mount_remove, err) &&
                   networks_update_ports(container, &request->publish_add, &request->publish_remove, err) &&
                   update(container, wanted, warnings, err);
    container_end(container);
    if (is_done)
        container_event(container, "update", NULL);
    return is_done || error_prefix(err, "Cannot update container %s", container->record.id);
}
