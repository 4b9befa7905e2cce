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
    char *refused_text;       /* the place of flags that are known and refused: nothing is ever put there */
    bool is_refused;
    bool is_debug;
    bool has_ip_masq;
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
/* Only what SIGHUP can change: is_debug and log_level, from the file of the configuration that runs. */
bool daemon_config_reload(struct daemon_config *config, int argc, char **argv, struct error *err);
void daemon_config_help(struct strbuf *out);
