/* The output of several containers in one, each line after its container's name. A thread each: a stream's bytes may
   wait in its connection's buffer, where no poll sees them. */
#pragma once

#include <pthread.h>

#include "cli/compose/engine.h"
#include "client/frames.h"

struct log_mux;

struct log_source {
    struct log_mux *mux;
    char *id, *name; /* name: what stands before its lines */
    char *service;
    struct client *client;
    struct client_stream *stream;
    pthread_t thread;
    bool is_open; /* its thread runs, or has not been joined */
    struct frame_decoder frames;
    struct strbuf line; /* not yet ended */
    bool is_raw;        /* of a terminal: no frames */
    int colour;
    int64_t opened; /* unix nanoseconds: what to go on from, where it runs again */
};

struct log_options {
    bool follows, has_timestamps, has_no_colour, has_no_prefix;
    const char *tail, *since, *until; /* as the API takes them; NULL: none */
};

struct log_mux {
    const struct command_call *call;
    struct log_options options;
    struct log_source *sources;
    size_t count;
    size_t width; /* of the widest name */
    bool has_colour;
    pthread_mutex_t lock; /* of standard output */
    int ended[2];         /* pipe: pointers of sources that have ended */
};
bool log_mux_begin(struct log_mux *mux, const struct command_call *call, const struct log_options *options,
                   struct error *err);
void log_mux_release(struct log_mux *mux);
#define _cleanup_log_mux_ _cleanup_(log_mux_release)
/* All sources are to be added before log_mux_start, so that the names line up. */
void log_mux_add(struct log_mux *mux, const struct compose_container *container, const char *project);
bool log_mux_start(struct log_mux *mux, struct error *err);
/* Waits for the end of a source or for `extra_fd` (-1: none) to be readable. *ended is NULL for the latter. */
bool log_mux_wait(struct log_mux *mux, int extra_fd, struct log_source **ended, struct error *err);
size_t log_mux_open_count(const struct log_mux *mux);
/* Goes on with a container that runs again. */
bool log_mux_reopen(struct log_mux *mux, struct log_source *source, struct error *err);
