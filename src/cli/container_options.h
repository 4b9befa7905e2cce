/* The flags that `run` and `create` share, and the request made from them. */
#pragma once

#include <jansson.h>

#include "base/options.h"
#include "model/container.h"

struct container_options {
    struct strlist add_host, attach, blkio_weight_device, cap_add, cap_drop, device, device_cgroup_rule;
    struct strlist device_read_bps, device_read_iops, device_write_bps, device_write_iops;
    struct strlist dns, dns_option, dns_search, env, env_file, expose, group_add, label, label_file, link,
        link_local_ip;
    struct strlist log_opt, network_alias, publish, security_opt, storage_opt, tmpfs, volume, volumes_from;
    struct strlist annotation, sysctl, ulimit, gpus, mount, network;
    char *cgroup_parent, *cgroupns, *cidfile, *cpuset_cpus, *cpuset_mems, *domainname, *entrypoint, *health_cmd;
    char *hostname, *ip, *ip6, *ipc, *isolation, *log_driver, *mac_address, *name, *pid, *platform, *pull, *restart;
    char *runtime, *stop_signal, *user, *userns, *uts, *volume_driver, *workdir, *detach_keys;
    int64_t blkio_weight, cpu_period, cpu_quota, cpu_rt_period, cpu_rt_runtime, cpu_shares, nano_cpus;
    int64_t cpu_count, cpu_percent, io_maximum_bandwidth, io_maximum_iops;
    int64_t health_interval, health_retries, health_start_interval, health_start_period, health_timeout;
    int64_t kernel_memory, memory, memory_reservation, memory_swap, memory_swappiness, oom_score_adj, pids_limit;
    int64_t shm_size, stop_timeout;
    bool disable_content_trust, init, interactive, no_healthcheck, oom_kill_disable, privileged, publish_all, quiet;
    bool read_only, remove, tty, use_api_socket;
    /* run's own */
    bool detach, sig_proxy;
};

/* run's own rows (--detach, --detach-keys, --sig-proxy, --pull) come first, then those of both, then create's --pull.
 */
#define OPTION_ROW_COUNT  108
#define RUN_ONLY_COUNT    4
#define CREATE_ONLY_COUNT 1
extern const struct option container_option_rows[OPTION_ROW_COUNT];
#define RUN_OPTION_TABLE                                                                                               \
    {                                                                                                                  \
        container_option_rows, OPTION_ROW_COUNT - CREATE_ONLY_COUNT                                                    \
    }
#define CREATE_OPTION_TABLE                                                                                            \
    {                                                                                                                  \
        container_option_rows + RUN_ONLY_COUNT, OPTION_ROW_COUNT - RUN_ONLY_COUNT                                      \
    }
void container_options_set_defaults(void *values);

/* The body of POST /containers/create. `arguments` are the image and its command. The request's own conditions
   (--attach, --tty and others) are checked with docker's messages; what only the engine can judge is left to it. A new
   reference, or NULL. `host` is the engine's address, for --use-api-socket. */
json_t *container_request_make(const struct container_options *options, const struct option_parse *parse,
                               char *const *arguments, const char *host, struct error *err);
/* "on-failure:3" of --restart. */
bool restart_option_parse(const char *text, struct restart_policy *policy, struct error *err);
/* "always", "missing", "never" or not given. */
bool pull_policy_check(const char *pull, struct error *err);
