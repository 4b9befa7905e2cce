/* The standard streams of one process (the container's first, or an exec's): pipes or a terminal on the one side, the
   log and any number of clients on the other. */
#pragma once

#include "runtime/container.h"
#include "shim/attachment.h"

struct session_output {
    struct source source; /* a pipe's reading end, or the terminal's master; -1: over */
    struct session *session;
    enum output_stream stream;
    int64_t flood_at; /* clock_monotonic of the last read, where that was one of many at the moment; else 0 */
    bool is_widened;  /* the pipe was made longer */
};

struct session {
    struct loop *loop;
    bool is_terminal, has_stdin;
    bool closes_stdin;         /* the end of a client's input is the end of the process's */
    struct source input;       /* a pipe's writing end, or a second descriptor of the master; -1: none, or closed */
    struct strbuf input_queue; /* what the process has not taken; no client is read from meanwhile */
    bool is_input_ending;      /* to be closed when the queue is empty */
    struct session_output outputs[2];
    int terminal_peer;      /* keeps the terminal from hanging up while the process has it closed for a while */
    struct output_log *log; /* NULL: nothing is logged */
    struct attachment *attachments;
    void (*detached)(struct session *session); /* a client has typed its detach keys; may be NULL */
};
#define SESSION_INIT                                                                                                   \
    ((struct session){.input.fd = -1, .outputs = {{.source.fd = -1}, {.source.fd = -1}}, .terminal_peer = -1})

/* Which pipes are made; the others are /dev/null. With a terminal only wants_stdin counts. */
struct session_plan {
    bool is_terminal, wants_stdin, wants_output, closes_stdin;
};
/* Makes the pipes; the ends for the process are put in stdio->fds. */
bool session_open(struct session *session, struct loop *loop, const struct session_plan *plan,
                  struct runtime_stdio *stdio, struct error *err);
/* Closes the ends for the process, takes the console, and begins to read. */
void session_begin(struct session *session, struct runtime_stdio *stdio);
/* Closes the ends for the process and frees all that the session has, its clients' streams included. */
void session_release(struct session *session, struct runtime_stdio *stdio);

/* No output, for terminals that are none, and sizes of 0 are ignored, as Docker does. */
void session_resize(struct session *session, int64_t rows, int64_t columns);

/* The process has ended: reads what is left. Where some other process still holds the output open it goes on being
   read, until session_is_drained or session_cut. */
void session_process_ended(struct session *session);
bool session_is_drained(const struct session *session);
/* Reads no more. */
void session_cut(struct session *session);
/* Closes the log, and every client as soon as it has got all. */
void session_finish(struct session *session);
/* Gives free memory back. */
void session_release_memory(struct session *session);

/* For attachment.c. */
void session_write_input(struct session *session, const char *data, size_t length);
void session_end_input(struct session *session);
void session_update_flow(struct session *session);
