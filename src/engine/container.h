/* One container as the engine holds it: the record that is kept in the database, and what belongs to this process.

   Locks, in the order in which they are taken; none is held while waiting for a process, a client or the disk of a
   layer:
     1. the container's operation (container_begin … container_end): one change of its life at a time. It is held by
        start, pause, rename, remove and the recording of an exit, never by someone who waits for an exit.
     2. engine->table_lock: which containers and exec sessions there are, and their names.
     3. container->lock: the record and everything else below. The fields marked [fixed] never change after creation
        and are read without it.
   The database has its own lock and is called below 3 only by container_save, which formats the record under the lock
   and writes after it. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/id.h"
#include "engine/containers.h"
#include "engine/deadline.h"
#include "engine/lifecycle.h"
#include "shim/client.h"

struct container_record {
    char *id;                /* [fixed] */
    char *name;              /* without '/'; changed only with both table_lock and lock held */
    char *image_id;          /* [fixed] "sha256:…" */
    struct strlist diff_ids; /* [fixed] of the image's layers, the base first: the image itself may be removed */
    int64_t created;         /* [fixed] unix_nano */
    char *path;              /* [fixed] the program: entrypoint[0] or cmd[0] */
    struct strlist args;
    struct container_config config; /* [fixed] merged with the image's */
    struct host_config host_config; /* [fixed] but for what *update.c and links.c change, in the operation, locked */
    struct record_map endpoints;    /* of struct endpoint_settings, by network name: requested at create, shown now */
    struct record_map ports;        /* lists map of struct port_binding, by "80/tcp": what is bound while it runs */
    struct record_list mounts;      /* of struct container_mount; changed in the operation, locked */
    char *status;                   /* as text, only for the database: set by container_save */
    int64_t pid;
    int64_t exit_code;
    char *error;
    bool is_oom_killed;
    int64_t started_at, finished_at; /* unix_nano, 0: never */
    int64_t restart_count;
    bool is_stopped_by_user;
    char *cgroups_path;    /* of the present or last run */
    char *exit_reason;     /* "exit", "signal", "oom", "unknown" */
    char *exit_by;         /* "user", "engine", "health", or NULL: the process itself, or someone outside */
    int64_t exit_signal;   /* 0: none */
    struct health *health; /* from the first start on, where there is a health check */
};
extern const struct record_type container_record_type;

/* A mount that the user, the image or another container asked for. */
struct container_mount {
    struct mount_point point;                    /* as inspect shows it; point.source is the folder on the host */
    bool is_anonymous;                           /* a volume that goes with `rm -v` */
    bool is_source_made;                         /* -v: a missing source is created as a folder */
    bool wants_copy;                             /* a volume that is filled from the image while it is empty */
    bool is_not_recursive;                       /* bind instead of rbind */
    char *tmpfs_options;                         /* of a tmpfs: "size=…,mode=…" */
    char *subpath;                               /* of a volume or image: the folder or file in it that is mounted */
    struct strmap volume_options, volume_labels; /* for a volume that is not there yet */
    char *image_id;                              /* of an image: as it was when it was asked for */
    struct strlist image_layers;                 /* its diff ids, the base first */
    bool is_only_top_read_only;                  /* a read-only bind whose inner mounts stay writable */
};
extern const struct record_type container_mount_type;

struct exec_session;

/* What the supervisor's epoll set points at. */
enum watch_kind { WATCH_CONTAINER, WATCH_EXEC, WATCH_LOGS, WATCH_HEALTH };
struct watch {
    enum watch_kind kind;
    int fd; /* -1: none */
    void *owner;
};

struct container {
    struct engine *engine;
    atomic_int references;
    struct container_record record;

    pthread_mutex_t lock;
    pthread_cond_t operation_ended;
    bool is_in_operation;
    enum container_status status;
    bool is_removed;                  /* out of the table: who still holds it must not change it */
    struct watch watch;               /* of the running process */
    struct deadline restart_deadline; /* in STATUS_RESTARTING */
    int64_t restart_delay;
    struct deadline health_deadline; /* of the next check, or of the one that runs */
    struct health_probe *probe;      /* the check that runs */
    uint64_t probe_number;
    bool is_health_watched;
    const char *stopper;        /* "user" or "engine", whose stop is under way; NULL: nobody's */
    int user_signal;            /* the last one that a kill has sent in this run */
    bool waits_for_links;       /* its next start by a policy is the engine's first */
    bool is_ended_unhealthy;    /* the engine ends it because of its health, to start it again */
    bool is_being_stopped;      /* by a stop or restart, whose event is told with the exit */
    bool is_restart_wanted_off; /* stop or kill by the user during this run: the policy does not apply */
    struct container_wait *waits;
    atomic_bool is_linked;              /* links.c: some link leads, or has led, to it */
    bool has_volumes;                   /* they are mounted for it: changed in the operation */
    int64_t measured_at, measured_size; /* storage.c: bytes of its folder; 0: not measured */
    bool was_measured_running;
    struct shim_attachment *attachments; /* clients that attached before the start */
    size_t attachment_count;
};

struct container *container_new(struct engine *engine);
struct container *container_ref(struct container *container);
void container_unref(struct container *container);
/* The image's layer folders, topmost first, as an overlay's lower folders. */
void container_lower_folders(const struct container_record *record, const struct store *store, struct strlist *out);
DEFINE_CLEANUP(struct container *, container_unref)
#define _cleanup_container_ _cleanup_(container_unrefp)

/* By name or id prefix; a new reference. ERROR_NOT_FOUND; ERROR_INVALID where a prefix is ambiguous. */
struct container *container_find(struct engine *engine, const char *reference, struct error *err);
/* All of them, oldest first: new references in an array that the caller frees with container_list_release. */
struct container **container_snapshot(struct engine *engine, size_t *count);
void container_snapshot_release(struct container **containers, size_t count);
/* Takes a reference. ERROR_CONFLICT where the name is in use. */
bool container_table_add(struct engine *engine, struct container *container, struct error *err);
void container_table_remove(struct engine *engine, struct container *container);
bool container_table_rename(struct engine *engine, struct container *container, const char *name, struct error *err);
bool container_name_is_taken(struct engine *engine, const char *name);

void container_lock(struct container *container);
void container_unlock(struct container *container);
/* Takes the operation, after whoever has it. False, with "No such container", once the container was removed. */
bool container_begin(struct container *container, const char *reference, struct error *err);
void container_end(struct container *container);

/* Writes the record to the database: see the head of this file. Called without the lock. */
bool container_save(struct container *container, enum durability durability, struct error *err);
/* <data-root>/containers/<id>[/file]; <exec-root>/<id>. Caller frees. */
char *container_path(const struct container *container, const char *file);
char *container_run_path(const struct container *container);
/* Bytes in its writable layer; walks it. */
int64_t container_size(const struct container *container);
/* What `logs` reads; SHIM_LOG_NONE where there is nothing. The caller frees *path. */
enum shim_log_format container_log_file(const struct container *container, char **path);

/* Tells every wait that an exit (or, with is_removal, the removal) has happened. With the lock held. */
void container_wake(struct container *container, bool is_removal);
/* Blocks until the process is gone or `timeout` nanoseconds (-1: for ever) are over; true where it is gone. */
bool container_await_exit(struct container *container, int64_t timeout);

/* create.c: what the config does not say, the image (or, at a commit, the container) does. */
void config_merge(struct container_config *config, const struct container_config *image);
/* start.c: the start itself, in the operation and with the state already checked. */
bool container_run(struct container *container, struct error *err);
/* exit.c */
/* Deadlines' functions. */
void restart_due(struct container *container);
void container_record_exit(struct container *container, const struct shim_exit *exit);
/* remove.c: in the operation, not running. Ends the operation. */
bool container_destroy(struct container *container, bool removes_volumes, struct error *err);
