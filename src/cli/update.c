#include "model/update.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/container_options.h"
#include "cli/flag_checks.h"
#include "cli/mount_option.h"
#include "cli/port_option.h"
#include "json/json_record.h"

struct update_options {
    int64_t blkio_weight, cpu_period, cpu_quota, cpu_rt_period, cpu_rt_runtime, cpu_shares, nano_cpus;
    char *cpuset_cpus, *cpuset_mems, *restart;
    int64_t memory, memory_reservation, memory_swap, pids_limit;
    struct strlist mount_add, mount_rm, publish_add, publish_rm;
};

static bool read_ports(const struct strlist *values, struct record_map *bindings, struct error *err)
{
    _cleanup_strlist_ struct strlist exposed = {0};
    for (size_t i = 0; i < values->count; i++)
        if (!port_publish_parse(values->items[i], &exposed, bindings, err))
            return false;
    return true;
}

static bool read_mounts(const struct strlist *values, struct record_list *mounts, struct error *err)
{
    for (size_t i = 0; i < values->count; i++) {
        _cleanup_json_ json_t *mount = mount_parse(values->items[i], err);
        if (!mount || !record_from_json(&mount_request_type, mount, record_list_add(mounts, &mount_request_type), err))
            return false;
    }
    return true;
}

static bool make_request(struct command_call *call, struct update_request *request, struct error *err)
{
    const struct update_options *options = call->values;
    struct host_config *host = &request->host_config;
    *host = (struct host_config){
        .blkio_weight = options->blkio_weight,
        .cpu_period = options->cpu_period,
        .cpu_quota = options->cpu_quota,
        .cpu_realtime_period = options->cpu_rt_period,
        .cpu_realtime_runtime = options->cpu_rt_runtime,
        .cpu_shares = options->cpu_shares,
        .nano_cpus = options->nano_cpus,
        .cpuset_cpus = xstrdup(options->cpuset_cpus),
        .cpuset_mems = xstrdup(options->cpuset_mems),
        .memory = options->memory,
        .memory_reservation = options->memory_reservation,
        .memory_swap = options->memory_swap,
    };
    if (option_is_given(call->parse, "pids-limit"))
        host->pids_limit = (struct opt_int64){true, options->pids_limit};
    if (!read_ports(&options->publish_add, &request->publish_add, err) ||
        !read_ports(&options->publish_rm, &request->publish_remove, err) ||
        !read_mounts(&options->mount_add, &request->mount_add, err))
        return false;
    strlist_copy(&request->mount_remove, &options->mount_rm);
    return restart_option_parse(options->restart, &host->restart_policy, err);
}

static bool update_run(struct command_call *call, struct error *err)
{
    if (call->parse->given.count == 0)
        return error_set(err, ERROR_INVALID, "you must provide one or more flags when using this command");
    struct update_request request = {0};
    bool is_good = make_request(call, &request, err);
    _cleanup_json_ json_t *body = is_good ? record_to_json(&update_request_type, &request) : NULL;
    record_release(&update_request_type, &request);
    _cleanup_json_ json_t *all_warnings = json_array();
    _cleanup_strbuf_ struct strbuf failures = STRBUF_INIT;
    for (size_t i = 0; is_good && i < call->argument_count; i++) {
        _cleanup_free_ char *path = client_path("containers", call->arguments[i], "/update");
        _cleanup_error_ struct error why = ERROR_INIT;
        _cleanup_json_ json_t *answer = client_post_json(call->client, path, body, &why);
        if (answer)
            puts(call->arguments[i]);
        else
            strbuf_addf(&failures, "%s%s", failures.length ? "\n" : "", error_message(&why));
        json_t *warnings = json_object_get(answer, "Warnings");
        if (json_is_array(warnings))
            json_array_extend(all_warnings, warnings);
    }
    size_t i;
    json_t *warning;
    json_array_foreach(all_warnings, i, warning) puts(string_or_empty(json_string_value(warning)));
    if (failures.length)
        return error_set(err, ERROR_INTERNAL, "%s", strbuf_text(&failures));
    return is_good;
}

#define AT(member) offsetof(struct update_options, member)
static const struct option rows[] = {
    {"blkio-weight", 0, OPTION_INT64, AT(blkio_weight), "uint16",
     "Block IO (relative weight), between 10 and 1000, or 0 to disable", "0", check_uint16},
    {"cpu-period", 0, OPTION_INT64, AT(cpu_period), "int", "Limit CPU CFS (Completely Fair Scheduler) period"},
    {"cpu-quota", 0, OPTION_INT64, AT(cpu_quota), "int", "Limit CPU CFS (Completely Fair Scheduler) quota"},
    {"cpu-rt-period", 0, OPTION_INT64, AT(cpu_rt_period), "int", "Limit the CPU real-time period in microseconds"},
    {"cpu-rt-runtime", 0, OPTION_INT64, AT(cpu_rt_runtime), "int", "Limit the CPU real-time runtime in microseconds"},
    {"cpu-shares", 'c', OPTION_INT64, AT(cpu_shares), "int", "CPU shares (relative weight)"},
    {"cpus", 0, OPTION_INT64, AT(nano_cpus), "decimal", "Number of CPUs", .parse = parse_cpus},
    {"cpuset-cpus", 0, OPTION_STRING, AT(cpuset_cpus), "string", "CPUs in which to allow execution (0-3, 0,1)"},
    {"cpuset-mems", 0, OPTION_STRING, AT(cpuset_mems), "string", "MEMs in which to allow execution (0-3, 0,1)"},
    {"memory", 'm', OPTION_BYTES, AT(memory), "bytes", "Memory limit"},
    {"memory-reservation", 0, OPTION_BYTES, AT(memory_reservation), "bytes", "Memory soft limit"},
    {"memory-swap", 0, OPTION_BYTES, AT(memory_swap), "bytes",
     "Swap limit equal to memory plus swap: -1 to enable unlimited swap", .parse = parse_memory_swap},
    {"mount-add", 0, OPTION_LIST, AT(mount_add), "mount",
     "Mount something into the container while it runs, as --mount of run", .parse = check_mount},
    {"mount-rm", 0, OPTION_LIST, AT(mount_rm), "list", "Unmount what is mounted at a path of the container"},
    {"pids-limit", 0, OPTION_INT64, AT(pids_limit), "int", "Tune container pids limit (set -1 for unlimited)"},
    {"publish-add", 0, OPTION_LIST, AT(publish_add), "list",
     "Publish a port of the container to the host while it runs, as -p of run"},
    {"publish-rm", 0, OPTION_LIST, AT(publish_rm), "list", "Stop publishing a port of the container"},
    {"restart", 0, OPTION_STRING, AT(restart), "string", "Restart policy to apply when a container exits"},
};

const struct command update_command = {
    .paths = {"container update", "update"},
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .help = "Update configuration of one or more containers",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct update_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = update_run,
};
