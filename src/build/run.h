/* RUN: a process in a container of the builder's own, over the layers so far. What it leaves in its upper folder is the
   new layer. It is not in the database; a crash of the engine leaves a shim and folders named by an id that the next
   start removes (engine/recover.c). */
#pragma once

#include "build/copy.h"
#include "engine/engine.h"
#include "model/container.h"
#include "store/layer.h"

enum run_mount_type { RUN_MOUNT_BIND, RUN_MOUNT_CACHE, RUN_MOUNT_TMPFS, RUN_MOUNT_SECRET };
enum run_mount_sharing { RUN_MOUNT_SHARED, RUN_MOUNT_PRIVATE, RUN_MOUNT_LOCKED };

/* One --mount, its variables expanded. */
struct run_mount {
    enum run_mount_type type;
    char *target; /* absolute, or NULL for a secret that is only in the environment */
    char *source; /* of a bind: "" is all; of a cache: where its first content is */
    char *from;   /* a stage, image or named context; NULL: the context */
    char *id;     /* of a cache or a secret */
    char *env;    /* of a secret: the variable that has it; NULL */
    enum run_mount_sharing sharing;
    bool is_read_only, is_required;
    bool has_mode;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    int64_t size;                   /* of a tmpfs; 0: the kernel's */
    const struct copy_source *tree; /* what `from` means; NULL: none */
    const char *value;              /* of a secret; NULL: it was not given */
};
void run_mount_release(struct run_mount *mount);
/* The value of a --mount flag. `cwd` is where a relative target begins. Docker's messages. */
bool run_mount_parse(const char *text, const char *cwd, struct run_mount *out, struct error *err);
void run_mount_add_to_key(const struct run_mount *mount, struct key *key);

struct run_request {
    struct engine *engine;
    const char *id; /* 64 hexadecimal digits, of nobody else */
    struct strlist argv, env;
    const char *cwd, *user;
    const char *network;            /* "default", "none", "host", or as `docker build --network` has it */
    const struct host_config *host; /* limits, ulimits, extra hosts, shm size, cgroup parent */
    const struct strlist *layers;   /* folders, the topmost first */
    const struct snapshot *base;    /* the same, open */
    const struct run_mount *mounts;
    size_t mount_count;
    const char *script_name, *script; /* a file that the process finds in /dev/pipes; NULL */
    void (*output)(void *context, int stream, const void *data, size_t length); /* 1: stdout, 2: stderr */
    void *context;
    bool (*adopt)(void *context, const char *folder, struct layer_info *layer,
                  struct error *err); /* the upper folder */
    int cancel;                       /* becomes readable when the step is to end */
};
/* *layer is set where the process ended with 0, and belongs to a store that the caller holds. False: it could not be
   run, or ERROR_CANCELLED. Nothing of it is left either way. */
bool run_step(const struct run_request *request, int *exit_code, struct layer_info *layer, struct error *err);

/* The folder of a cache mount. Caller frees. */
char *cache_mount_path(struct engine *engine, const char *id);
