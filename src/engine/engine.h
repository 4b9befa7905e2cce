/* The engine: everything the API can ask of containers. Nothing here knows HTTP. Thread-safe. */
#pragma once

#include "network/network.h"
#include "registry/registry.h"
#include "store/store.h"

struct engine;

/* Kept of a json-file log that is bounded by default. */
#define DEFAULT_LOG_FILES 4
#define DEFAULT_LOG_SIZE  (INT64_C(512) << 20)

struct engine_options {
    const char *data_root;      /* /var/lib/wherry */
    const char *exec_root;      /* /run/wherry */
    const char *shim_program;   /* path of wherry-shim */
    const char *init_program;   /* path of wherry-init */
    const char *logger_program; /* path of wherry-logger */
    struct network_options network;
    int64_t default_shm_size;          /* bytes; 0: 64 MiB */
    const char *cgroup_parent;         /* "/wherry" or as given */
    bool stops_containers_at_shutdown; /* live restore is the default */
    int64_t shutdown_timeout;          /* seconds that engine_close may take; negative: any number */
    struct log_config default_log;
    /* Defaults of new containers; borrowed for as long as the engine lives. */
    const char *default_ipc_mode, *default_cgroupns_mode, *default_runtime; /* NULL: Docker's */
    const char *seccomp_profile;                                            /* JSON or "unconfined"; NULL: built in */
    const struct record_list *default_ulimits;                              /* of struct ulimit; NULL: none */
    bool has_init, has_no_new_privileges;
    struct registry_options registry;
    int64_t default_log_size;  /* bytes of a json-file log that has no max-size; 0: not bounded */
    int64_t storage_max;       /* bytes that images and containers may take; 0: no limit */
    int64_t restart_unhealthy; /* after so many failed health checks in a row; 0: never (Docker's way) */
};

/* Opens store and network, finds the containers again: running ones go on, exits that happened meanwhile are recorded,
   leftovers are removed, restart policies are honoured. */
struct engine *engine_open(const struct engine_options *options, struct error *err);
/* The API is there: clients of execs that ended while it was not, learn of that now. */
void engine_serve(struct engine *engine);
/* Stops the containers first where the options say so. False where that, or what else is under way, did not end within
   the shutdown timeout (the longest stop timeout of a container extends it): nothing is freed then, and the process is
   to end; what is on disk is whole. */
bool engine_close(struct engine *engine);
struct store *engine_store(struct engine *engine);
struct network_manager *engine_network(struct engine *engine);
struct registry *engine_registry(struct engine *engine);
const struct engine_options *engine_options(const struct engine *engine);

/* Changes options.stops_containers_at_shutdown and shutdown_timeout. */
void engine_set_shutdown(struct engine *engine, bool stops_containers, int64_t timeout);

/* Counts for `info`. */
struct engine_counts {
    size_t containers, running, paused, stopped, images;
};
void engine_count(struct engine *engine, struct engine_counts *out);
