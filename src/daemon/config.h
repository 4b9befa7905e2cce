/* What wherryd is told: command line and daemon.json, in dockerd's names. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "base/text.h"

struct daemon_config {
    struct strlist hosts;
    char *data_root;
    char *exec_root;
    char *pidfile;
    char *config_file;
    char *log_level;
    char *group;
    char *bridge;
    char *bip;
    char *cgroup_parent;
    char *log_driver;
    char *init_path;
    char *shim_path;
    struct strlist log_opts; /* "key=value" */
    struct strlist insecure_registries, registry_mirrors;
    int64_t max_concurrent_downloads, max_concurrent_uploads, max_download_attempts;
    int64_t log_max_size;     /* of a json-file log without max-size; 0: not bounded */
    int64_t mtu;              /* 0: default */
    int64_t default_shm_size; /* bytes */
    int64_t shutdown_timeout; /* seconds */
    struct {
        bool is_on, verifies; /* --tls, --tlsverify */
        char *ca, *certificate, *key;
    } tls;
    char *metrics_address;
    char *log_format; /* "text", "json" */
    char *cgroupns_mode, *ipc_mode, *default_runtime, *storage_driver;
    char *seccomp_profile; /* "builtin", "unconfined" or a path */
    char *http_proxy, *https_proxy, *no_proxy;
    struct strlist labels, exec_opts;
    struct strlist address_pools; /* "base=10.10.0.0/16,size=24" */
    char *ipv6_subnet;
    struct strlist ulimits; /* "nofile=1024:2048" */
    struct strlist refused; /* the place of flags that are known and refused: nothing is ever put there */
    bool has_init, has_no_new_privileges, has_raw_logs, is_experimental;
    bool is_debug;
    int64_t storage_max; /* bytes; 0: no limit */
    bool has_ip_masq, has_icc, has_ipv6, has_firewall, has_closed_ports;
    int64_t restart_unhealthy;
    bool is_live_restore;
    bool wants_version;
    bool wants_validation;
    bool wants_help;
};
void daemon_config_release(struct daemon_config *config);

#define DEFAULT_CONFIG_FILE "/etc/wherry/daemon.json"

/* Command line, then the file; the whole is checked. Errors in dockerd's words. *config must be zeroed. */
bool daemon_config_read(int argc, char **argv, struct daemon_config *config, struct error *err);
/* What SIGHUP can change: debug, log-level, labels, live-restore, shutdown-timeout. A bad file changes nothing. */
bool daemon_config_reload(struct daemon_config *config, int argc, char **argv, struct error *err);
void daemon_config_help(struct strbuf *out);
