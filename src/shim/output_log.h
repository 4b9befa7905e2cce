/* Where a container's output is logged: a file that the engine reads, a process that sends it away (wherry-logger), or
   both. A line longer than 16 KiB is logged in pieces that share one time, only the last of which ends it; so is the
   rest without a newline at the end of the output. */
#pragma once

#include "shim/client.h"
#include "shim/log_piece.h"
#include "shim/loop.h"

struct output_log;

/* Opens the file, starts the logger and waits until it is ready. *out is NULL where nothing is logged. `ready` is
   called when a log that was congested is so no longer. */
bool output_log_open(const struct shim_log *options, struct loop *loop, void (*ready)(void *context), void *context,
                     struct output_log **out, struct error *err);
/* Logs a piece of output as it came; whole lines are in the file before this returns. */
void output_log_add(struct output_log *log, enum output_stream stream, const char *data, size_t length);
/* The logger does not keep up and the container is to wait for it. */
bool output_log_is_congested(const struct output_log *log);
/* Logs what is left and closes the file. The logger may not yet have taken all: output_log_is_flushing. */
void output_log_finish(struct output_log *log);
bool output_log_is_flushing(const struct output_log *log);
/* Drops what the logger has not taken; gives it a moment to end, so that it is reaped here. */
void output_log_free(struct output_log *log);
/* Frees buffers that hold nothing. */
void output_log_release_memory(struct output_log *log);
/* Tells that a child was reaped: a compressor or the logger perhaps. */
void output_log_child_ended(struct output_log *log, pid_t pid);
