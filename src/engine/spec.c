#include "engine/spec.h"

#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/links.h"
#include "engine/networks.h"
#include "engine/security.h"
#include "runtime/cgroup.h"
#include "runtime/defaults.h"
#include "runtime/seccomp.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

bool spec_environment(struct container *container, bool has_terminal, struct strlist *out, struct error *err)
{
    const struct container_config *config = &container->record.config;
    strlist_add(out, DEFAULT_PATH);
    strlist_addf(out, "HOSTNAME=%s", string_or_empty(config->hostname));
    if (has_terminal)
        strlist_add(out, "TERM=xterm");
    bool is_done = links_environment(container, out, err);
    for (size_t i = 0; i < config->env.count; i++)
        env_put(out, config->env.items[i]);
    return is_done;
}

bool spec_seccomp(const struct host_config *host, const char *profile, const struct strlist *capabilities,
                  struct bytes *out, struct error *err)
{
    struct security_options options;
    struct bytes filter = {0};
    if (!security_parse(host, &options, err))
        return false;
    if (!options.has_seccomp) {
        options.is_seccomp_off |= string_equal(profile, "unconfined");
        options.seccomp_profile = profile;
    }
    if (options.is_seccomp_off)
        return true;
    if (options.seccomp_profile) {
        if (!seccomp_compile(options.seccomp_profile, capabilities, &filter, err))
            return error_prefix(err, "Decoding seccomp profile failed");
        *out = filter;
        return true;
    }
    if (!seccomp_default_filter(capabilities, &filter, err))
        return false;
    *out = (struct bytes){.data = xmemdup(filter.data, filter.length), .length = filter.length};
    return true;
}

static bool add_process(struct container *container, struct launch *launch, struct error *err)
{
    const struct container_record *record = &container->record;
    struct oci_process *process = launch->config.process = NEW(struct oci_process);
    process->terminal = record->config.tty;
    strlist_add(&process->args, record->path);
    for (size_t i = 0; i < record->args.count; i++)
        strlist_add(&process->args, record->args.items[i]);
    process->cwd = xstrdup(string_is_set(record->config.working_dir) ? record->config.working_dir : "/");
    process->oom_score_adj = (struct opt_int64){.is_set = true, .value = record->host_config.oom_score_adj};
    launch->user.user = xstrdup(string_or_empty(record->config.user));
    strlist_copy(&launch->user.extra_groups, &record->host_config.group_add);
    launch->sets_home = true;
    launch->wants_cwd_made = true;
    if (record->host_config.init.is_set && record->host_config.init.value) {
        launch->wants_init = true;
        launch->init_path = xstrdup(container->engine->options.init_program);
    }
    return spec_environment(container, record->config.tty, &process->env, err);
}

static bool add_security(const struct host_config *host, const char *profile, struct launch *launch, struct error *err)
{
    struct security_options options;
    struct oci_process *process = launch->config.process;
    if (!security_parse(host, &options, err))
        return false;
    process->no_new_privileges = options.no_new_privileges;
    struct oci_capabilities *capabilities = process->capabilities = NEW(struct oci_capabilities);
    security_capabilities(host, &capabilities->bounding);
    strlist_copy(&capabilities->effective, &capabilities->bounding);
    strlist_copy(&capabilities->permitted, &capabilities->bounding);
    strlist_copy(&launch->config.linux_.masked_paths, &host->masked_paths);
    strlist_copy(&launch->config.linux_.readonly_paths, &host->readonly_paths);
    return spec_seccomp(host, profile, &capabilities->bounding, &launch->seccomp, err);
}

static void add_rlimits(const struct host_config *host, struct oci_process *process)
{
    for (size_t i = 0; i < host->ulimits.count; i++) {
        const struct ulimit *limit = RECORD_AT(host->ulimits, struct ulimit, i);
        struct oci_rlimit *made = record_list_add(&process->rlimits, &oci_rlimit_type);
        made->type = xasprintf("RLIMIT_%s", string_or_empty(limit->name));
        for (char *c = made->type; *c; c++)
            *c = (char)toupper((unsigned char)*c);
        made->hard = (uint64_t)limit->hard;
        made->soft = (uint64_t)limit->soft;
    }
}

static struct opt_int64 given(int64_t value)
{
    return (struct opt_int64){.is_set = value != 0, .value = value};
}

void spec_resources(const struct host_config *host, struct oci_resources *resources)
{
    struct oci_memory *memory = resources->memory = NEW(struct oci_memory);
    memory->limit = given(host->memory);
    memory->reservation = given(host->memory_reservation);
    memory->swap = given(host->memory_swap);
    memory->swappiness = host->memory_swappiness;
    if (host->oom_kill_disable.value)
        memory->disable_oom_killer = host->oom_kill_disable;
    struct oci_cpu *cpu = resources->cpu = NEW(struct oci_cpu);
    cpu->shares = given(host->cpu_shares);
    cpu->period = given(host->cpu_period);
    cpu->quota = given(host->cpu_quota);
    if (host->nano_cpus > 0) {
        cpu->period = given(100000);
        cpu->quota = given(host->nano_cpus / 10000);
    }
    cpu->cpus = xstrdup(string_is_set(host->cpuset_cpus) ? host->cpuset_cpus : NULL);
    cpu->mems = xstrdup(string_is_set(host->cpuset_mems) ? host->cpuset_mems : NULL);
    if (host->blkio_weight > 0) {
        resources->block_io = NEW(struct oci_block_io);
        resources->block_io->weight = given(host->blkio_weight);
    }
    if (host->pids_limit.is_set && host->pids_limit.value > 0) {
        resources->pids = NEW(struct oci_pids);
        resources->pids->limit = host->pids_limit.value;
    }
}

static char *cgroup_path_of(const struct container *container)
{
    const char *parent = container->record.host_config.cgroup_parent;
    if (!string_is_set(parent))
        parent = container->engine->options.cgroup_parent;
    _cleanup_free_ char *joined = xasprintf("/%s/%s", string_is_set(parent) ? parent : "wherry", container->record.id);
    return path_clean(joined);
}

static bool build(struct container *container, struct launch *launch, struct attachment_set *networks,
                  struct error *err)
{
    const struct container_record *record = &container->record;
    const struct host_config *host = &record->host_config;
    struct runtime_config *config = &launch->config;
    config->oci_version = xstrdup("1.2.0");
    config->root.readonly = host->readonly_rootfs;
    config->linux_.cgroups_path = cgroup_path_of(container);
    config->linux_.resources = NEW(struct oci_resources);
    strmap_copy(&config->annotations, &host->annotations);
    if (!add_process(container, launch, err))
        return false;
    add_rlimits(host, config->process);
    spec_resources(host, config->linux_.resources);

    launch->overlay.upper = container_path(container, "upper");
    launch->overlay.work = container_path(container, "work");
    launch->overlay.is_volatile = record->host_config.auto_remove;
    container_lower_folders(record, container->engine->store, &launch->overlay.lower);
    return add_security(host, container->engine->options.seccomp_profile, launch, err) &&
           spec_add_devices(host, &config->linux_, err) && spec_add_namespaces(container, launch, err) &&
           networks_join(container, launch, networks, err) &&
           spec_add_mounts(container, launch, &networks->endpoints, err);
}

bool spec_build(struct container *container, struct launch *launch, struct attachment_set *networks, struct error *err)
{
    struct attachment_set made = {0};
    if (build(container, launch, &made, err)) {
        *networks = made;
        return true;
    }
    network_leave(container->engine->network, container->record.id, NULL);
    attachment_set_release(&made);
    spec_release(launch);
    return false;
}

void spec_release(struct launch *launch)
{
    record_release(&launch_type, launch);
}
