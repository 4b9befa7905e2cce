/* The container that this process holds, its execs, and who watches them. */
#pragma once

#include "shim/protocol.h"
#include "shim/session.h"

/* Where the end of a process stands. A process that others share the output with is given two seconds to be drained, as
   Docker does; an exec then waits for the engine to have recorded its exit (protocol.h). */
enum process_phase { PROCESS_RUNNING, PROCESS_DRAINING, PROCESS_REPORTED, PROCESS_OVER };

struct process {
    pid_t pid;
    enum process_phase phase;
    int64_t deadline; /* of the phase, on the monotonic clock */
    struct shim_exit exit;
    struct session session;
};

struct exec {
    struct shim *shim;
    struct exec *next;
    char *id;
    char *description;
    struct source watch; /* the engine's connection; -1: it has gone */
    bool is_told;        /* the engine knows of the exit */
    bool is_orphan;      /* ended while there was no engine, and its client waits for the next */
    struct process process;
};

/* One that has ended, for an engine that is started again and asks. */
#define ENDED_EXECS 32

/* A connection to shim.sock, or the channel of the start. */
struct connection {
    struct shim *shim;
    struct connection *next;
    struct source source;
    bool is_watch;
};

struct shim {
    struct loop loop;
    struct source children; /* an eventfd that the SIGCHLD handler writes to */
    struct source listener;
    struct shim_options options;
    bool has_own_pids; /* all of the container's processes end with the first */
    char *cgroups_path;
    int64_t oom_score_adj; /* of the container: for its execs */
    unix_nano started_at;
    int resolver[2];        /* UDP and TCP sockets of 127.0.0.11 in the container; -1: none */
    size_t interface_count; /* that were ever made: the number of the next one's name */
    struct process container;
    struct exec *execs;
    struct shim_exec_list ended_execs; /* the last of them, the oldest first */
    struct connection *connections;
};

/* --- container.c --- */
/* Starts the container of a START message that was read. On failure nothing is left. */
bool shim_start(struct shim *shim, struct shim_start *start, struct message *message, struct strlist *warnings,
                struct error *err);
/* Sets the shim up to be told of the end of children. */
bool shim_watch_children(struct shim *shim, struct error *err);
/* Moves the ends of processes forward; returns the milliseconds until it wants to be called again, -1: no hurry. */
int shim_advance(struct shim *shim);
bool shim_is_over(const struct shim *shim);

/* --- network.c --- */
/* Opens the sockets of the resolver before the container's program runs. */
bool network_open_resolver(struct shim *shim, pid_t container, struct error *err);
/* NETWORK and RESOLVER, with their answers. */
bool network_take_change(struct shim *shim, struct message *message, struct error *err);
void network_send_resolver(struct shim *shim, int connection);

/* --- exec.c --- */
/* Starts one more process, answers on the connection, which becomes the exec's watch. */
void exec_begin(struct shim *shim, struct message *message, int connection);
struct exec *exec_find(struct shim *shim, const char *id);
void exec_free(struct exec *exec);
/* Keeps what is to be known of one that has ended. */
void exec_remember(struct exec *exec);
/* Makes the connection the watch of one that runs, or whose client waits for an engine; answers on it. */
bool exec_watch(struct shim *shim, const char *id, int connection, struct error *err);
/* All that run and that have ended, in a memfd; the ended ones are known from now on. */
int exec_list(struct shim *shim, struct error *err);

/* --- server.c --- */
/* Listens on <directory>/shim.sock. */
bool server_open(struct shim *shim, struct error *err);
/* Takes the connection: one more that asks, or that watches already. */
void server_add(struct shim *shim, int fd, bool is_watch);
/* Tells all watchers, ends the service. */
void server_close(struct shim *shim, bool has_exited);
/* The container's process as the engine asks for it. */
struct shim_status shim_current_status(const struct shim *shim);
