/* wherry-shim from the engine's side. The shim of a container listens on <exec-root>/<id>/shim.sock (SOCK_SEQPACKET)
   and outlives wherryd; protocol.h has the messages. Every call below opens a connection of its own, so that none waits
   for another; descriptors travel with SCM_RIGHTS. */
#pragma once

#include <sys/types.h>

#include "base/clock.h"
#include "logger/settings.h"
#include "runtime/launch.h"
#include "runtime/mount_change.h"
#include "runtime/network_change.h"

enum shim_log_format { SHIM_LOG_NONE, SHIM_LOG_JSON, SHIM_LOG_LOCAL };

/* Where the container's output is logged: a file, the process of a log driver, or both. */
struct shim_log {
    int64_t format; /* enum shim_log_format of the file at `path` */
    char *path;
    int64_t max_size;  /* bytes; 0: no rotation */
    int64_t max_files; /* kept files, at least 1 */
    bool compresses;
    char *attributes;     /* SHIM_LOG_JSON: an object that each line has as "attrs"; NULL: none */
    char *logger_program; /* wherry-logger; NULL: the driver needs none */
    bool is_non_blocking;
    int64_t max_buffer; /* bytes that wait for the logger, when non-blocking */
    struct logger_settings settings;
};
extern const struct record_type shim_log_type;

/* What the shim is told at its start, beside the launch. */
struct shim_options {
    char *id;
    char *directory; /* <exec-root>/<id>: shim.sock, and exit (the exit record) when it is over */
    struct shim_log log;
    bool has_stdin;  /* OpenStdin: else standard input is /dev/null (or the tty's is never written) */
    bool stdin_once; /* StdinOnce: closed when the first attached client closes its side */
    bool is_terminal;
    int64_t initial_rows, initial_columns; /* 0: none */
};

/* How a client of attach or exec takes part. */
struct shim_attachment {
    int fd; /* a duplex stream (the hijacked connection); the shim owns it from then on */
    bool wants_stdin, wants_stdout, wants_stderr;
    bool is_framed;    /* output in Docker's 8-byte stream frames: for containers without a tty */
    char *detach_keys; /* the parsed byte sequence, hex-encoded; NULL or "": none. A lone client's typing is searched */
};

/* How a process ended. */
struct shim_exit {
    int exit_code; /* 0-255; 128+n for a signal */
    bool is_oom_killed;
    unix_nano finished_at;
    int signal_number; /* that ended it; 0: none; -1: not known. Of containers only */
};

/* What became of a container whose shim was asked or found. */
struct shim_status {
    pid_t pid;
    unix_nano started_at;
    bool has_exited;
    struct shim_exit exit;
};

/* Starts the shim program, which starts the container, with clients already attached before its first byte. Returns
   when execve has succeeded; on failure nothing is left. *watch is a descriptor that becomes readable when the
   container has exited (then shim_read_exit). The attachments' fds are closed here in every case: by then the shim has
   its own. */
bool shim_launch(const char *program, const struct shim_options *options, const struct launch *launch,
                 struct shim_attachment *attachments, size_t count, pid_t *pid, int *watch, struct strlist *warnings,
                 struct error *err);

/* Finds the shim of a container again, after a restart of the engine: true with status filled in, and *watch unless it
   has exited already (from the exit record). ERROR_NOT_FOUND where there is neither shim nor record. */
bool shim_reconnect(const char *directory, struct shim_status *status, int *watch, struct error *err);

/* A watch has become readable: takes what it says of a client that has detached. False where it says anything else. */
bool shim_take_detached(int watch);
/* Reads the exit of the container after its watch became readable. If the shim itself was killed (no record), the
   container's processes die with it (PR_SET_PDEATHSIG) and the exit code is 137. `watch` may be -1; it stays open. */
void shim_read_exit(int watch, const char *directory, struct shim_exit *out);
/* After the engine has recorded the exit: reaps the shim, which has ended by itself, and removes `directory` with all
   that is in it; after a shim was killed, its cgroup too. */
void shim_forget(const char *directory);

/* The attachment's fd is closed here in every case; so it is by shim_exec. */
bool shim_attach(const char *directory, const struct shim_attachment *attachment, struct error *err);
bool shim_resize(const char *directory, const char *exec_id, int64_t rows, int64_t columns, struct error *err);
/* To the first process, or to every process with is_all. ERROR_NOT_FOUND once it is gone. */
bool shim_kill(const char *directory, int signal_number, bool is_all, struct error *err);

/* One of a container's execs, as the shim remembers it. */
struct shim_exec_status {
    char *id;
    char *description; /* what the engine gave with it */
    pid_t pid;
    bool has_exited;
    bool is_told; /* some engine was told of its exit */
    struct shim_exit exit;
};
extern const struct record_type shim_exec_status_type;
struct shim_exec_list {
    struct record_list execs; /* of struct shim_exec_status */
};
/* Changes the network of the container; the shim gives the new interfaces their names. */
bool shim_change_network(const char *directory, const struct network_change *change, struct error *err);
/* The sockets of the container's resolver (127.0.0.11), UDP and TCP; both -1 where it has none. */
bool shim_resolver(const char *directory, int sockets[2], struct error *err);

/* Starts one more process. With an attachment (fd >= 0) its stdio is that client's; the client's connection is closed
   when the process has ended and all its output was written. *watch becomes readable at its end (shim_read_exec_exit).
   The shim keeps `description` for shim_list_execs; one that is NULL or empty is of no interest after its end. */
bool shim_exec(const char *directory, const char *exec_id, const struct launch_exec *exec, const char *description,
               bool is_terminal, int64_t rows, int64_t columns, const struct shim_attachment *attachment, pid_t *pid,
               int *watch, struct error *err);
/* ERROR_NOT_FOUND once it is gone. */
bool shim_kill_exec(const char *directory, const char *exec_id, int signal_number, struct error *err);
/* After a restart of the engine: the execs that run, and the last ones that have ended. The caller releases the list
   (shim_exec_list_release). */
bool shim_list_execs(const char *directory, struct shim_exec_list *out, struct error *err);
void shim_exec_list_release(struct shim_exec_list *list);
/* A watch of one that runs, as shim_exec gives it. ERROR_NOT_FOUND where it has ended. */
bool shim_watch_exec(const char *directory, const char *exec_id, int *watch, struct error *err);
/* The watch stays open: when it is closed (or a second after the end) the client's stream ends, so nobody sees that and
   then finds the exec still running. */
bool shim_read_exec_exit(int watch, struct shim_exit *out, struct error *err);

/* The files of a container as a descriptor of its root: launch->overlay, or, where it runs, what is at / in its mount
   namespace; and launch->config.mounts on top of it. Nobody else sees the mounts. They last until both descriptors are
   closed; the process that made them has ended. */
struct shim_view {
    int root;
    int namespace;
};
bool shim_view(const char *program, const struct launch *launch, int namespace, struct shim_view *out,
               struct error *err);
void shim_view_close(struct shim_view *view);

/* Mounts that come and go in the mount namespace of a container (runtime/mount_change.h), made by a process that ends
   at once. */
bool shim_change_mounts(const char *program, const struct mount_change *change, int namespace, struct error *err);
