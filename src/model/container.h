/* What the Engine API says about containers, as records: shared by the engine, the API, the client and the command
   line. Field names in JSON are those of the Engine API 1.50; the tables in container.c are the only place that has
   them. */
#pragma once

#include "oci/image_config.h"

struct restart_policy {
    char *name; /* "", "no", "always", "unless-stopped", "on-failure" */
    int64_t maximum_retry_count;
};

extern const struct record_type restart_policy_type;

struct port_binding {
    char *host_ip;
    char *host_port;
};
extern const struct record_type port_binding_type;

struct ulimit {
    char *name;
    int64_t hard;
    int64_t soft;
};
extern const struct record_type ulimit_type;

struct device_mapping {
    char *path_on_host;
    char *path_in_container;
    char *cgroup_permissions;
};
extern const struct record_type device_mapping_type;

struct log_config {
    char *type; /* "" or "json-file", "none", … */
    struct strmap config;
};

struct bind_options {
    char *propagation;
    bool non_recursive;
    bool create_mountpoint;
    bool read_only_non_recursive;
    bool read_only_force_recursive;
};
struct volume_options {
    bool no_copy;
    struct strmap labels;
    char *driver_config; /* JSON */
    char *subpath;
};
struct image_options {
    char *subpath;
};
struct tmpfs_options {
    int64_t size_bytes;
    int64_t mode;
    char *options; /* JSON: [["uid","1000"], ["noexec"]] */
};
/* HostConfig.Mounts */
struct mount_request {
    char *type; /* "bind", "volume", "tmpfs", "image", … */
    char *source;
    char *target;
    bool read_only;
    char *consistency;
    struct bind_options *bind;
    struct volume_options *volume;
    struct tmpfs_options *tmpfs;
    struct image_options *image;
};
extern const struct record_type mount_request_type;

struct host_config {
    /* applicable to all platforms */
    struct strlist binds; /* "source:target[:options]" */
    char *container_id_file;
    struct log_config log_config;
    char *network_mode;              /* "default", "bridge", "none", "host", "container:<id>", a network's name */
    struct record_map port_bindings; /* lists map of struct port_binding by "80/tcp" */
    struct restart_policy restart_policy;
    bool auto_remove;
    char *volume_driver;
    struct strlist volumes_from;
    struct record_list mounts; /* of struct mount_request */
    char *console_size;        /* JSON: [height, width] */
    struct strmap annotations;
    struct strlist cap_add;
    struct strlist cap_drop;
    char *cgroupns_mode; /* "", "host", "private" */
    struct strlist dns;
    struct strlist dns_options;
    struct strlist dns_search;
    struct strlist extra_hosts; /* "name:address" */
    struct strlist group_add;
    char *ipc_mode;
    char *cgroup;
    struct strlist links;
    int64_t oom_score_adj;
    char *pid_mode;
    bool privileged;
    bool publish_all_ports;
    bool readonly_rootfs;
    struct strlist security_opt;
    struct strmap storage_opt;
    struct strmap tmpfs; /* path → options */
    char *uts_mode;
    char *userns_mode;
    int64_t shm_size; /* bytes */
    struct strmap sysctls;
    char *runtime;
    char *isolation;
    /* resources */
    int64_t cpu_shares;
    int64_t memory;    /* bytes */
    int64_t nano_cpus; /* 1e-9 CPUs */
    char *cgroup_parent;
    int64_t blkio_weight;
    char *blkio_weight_device; /* JSON, as are the next four */
    char *blkio_device_read_bps;
    char *blkio_device_write_bps;
    char *blkio_device_read_iops;
    char *blkio_device_write_iops;
    int64_t cpu_period; /* microseconds */
    int64_t cpu_quota;
    int64_t cpu_realtime_period;
    int64_t cpu_realtime_runtime;
    char *cpuset_cpus;
    char *cpuset_mems;
    struct record_list devices; /* of struct device_mapping */
    struct strlist device_cgroup_rules;
    char *device_requests; /* JSON */
    int64_t memory_reservation;
    int64_t memory_swap; /* memory + swap; -1: unlimited */
    struct opt_int64 memory_swappiness;
    struct opt_bool oom_kill_disable;
    struct opt_int64 pids_limit;
    struct record_list ulimits; /* of struct ulimit */
    int64_t cpu_count;
    int64_t cpu_percent;
    int64_t io_maximum_iops;
    int64_t io_maximum_bandwidth;
    struct strlist masked_paths;
    struct strlist readonly_paths;
    struct opt_bool init;
};
extern const struct record_type host_config_type;

struct endpoint_ipam_config {
    char *ipv4_address;
    char *ipv6_address;
    struct strlist link_local_ips;
};
/* EndpointSettings: both what a client asks for and what inspect shows. */
struct endpoint_settings {
    struct endpoint_ipam_config *ipam_config;
    struct strlist links;
    struct strlist aliases;
    char *mac_address;
    struct strmap driver_opts;
    int64_t gateway_priority; /* since API 1.48 */
    char *network_id;
    char *endpoint_id;
    char *gateway;
    char *ip_address;
    int64_t ip_prefix_length;
    char *ipv6_gateway;
    char *global_ipv6_address;
    int64_t global_ipv6_prefix_length;
    struct strlist dns_names;
};
extern const struct record_type endpoint_settings_type;

struct networking_config {
    struct record_map endpoints_config; /* of struct endpoint_settings, by network name */
};

/* The body of POST /containers/create: container_config's fields, and these two beside them. */
struct create_request {
    struct container_config config;
    struct host_config host_config;
    struct networking_config networking_config;
};
/* The table covers HostConfig and NetworkingConfig; `config` is decoded from the same object with
   container_config_type (create_request_parse in the API, create_request_format in the client). */
extern const struct record_type create_request_type;

/* State.Health in inspect. */
struct health_result {
    char *start;
    char *end;
    int64_t exit_code;
    char *output;
};
extern const struct record_type health_result_type;
struct health {
    char *status; /* starting, healthy, unhealthy */
    int64_t failing_streak;
    struct record_list log; /* of struct health_result, the oldest first */
};
extern const struct record_type health_type;

/* State in inspect; the engine's state machine (engine/lifecycle.h) keeps one. */
struct container_state {
    char *status; /* created, running, paused, restarting, removing, exited, dead */
    bool is_running;
    bool is_paused;
    bool is_restarting;
    bool is_oom_killed;
    bool is_dead;
    int64_t pid;
    int64_t exit_code;
    char *error;
    char *started_at;
    char *finished_at;
};
extern const struct record_type container_state_type;

/* Mounts in inspect and list. */
struct mount_point {
    char *type;
    char *name;
    char *source;
    char *destination;
    char *driver;
    char *mode;
    bool is_writable;
    char *propagation;
};
extern const struct record_type mount_point_type;

/* The body of POST /containers/{id}/exec. */
struct exec_request {
    char *user;
    bool privileged;
    bool tty;
    char *console_size; /* JSON: [height, width] */
    bool attach_stdin;
    bool attach_stdout;
    bool attach_stderr;
    bool detach;
    char *detach_keys;
    struct strlist env;
    char *working_dir;
    struct strlist cmd;
};
extern const struct record_type exec_request_type;
