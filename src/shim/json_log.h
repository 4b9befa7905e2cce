/* The json-file log: one JSON object a line of output, byte for byte in the form of Docker's json-file driver
   (daemon/logger/jsonfilelog): {"log":"text\n","stream":"stdout","time":"2024-01-02T03:04:05.678Z"}\n.

   A line longer than 16 KiB is written in pieces that share one time, only the last of which ends in \n; so is the rest
   without a newline at the end of the output. Files are rotated as Docker rotates them: a file that has reached
   max_size becomes <path>.1, and that .2, up to max_files files in all; with compression they are <path>.1.gz and so
   on. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/strbuf.h"

enum output_stream { STREAM_STDIN, STREAM_STDOUT, STREAM_STDERR }; /* numbered as in Docker's stream frames */

struct json_log_line {
    struct strbuf text;     /* what came since the last newline */
    unix_nano partial_time; /* of the line that is being written in pieces; 0: none is */
};

struct json_log {
    char *path;
    int64_t max_size, max_files;
    bool compresses;
    int fd;
    int64_t size;                  /* of the file, with what is pending */
    struct strbuf pending;         /* encoded, not yet written */
    struct json_log_line lines[2]; /* stdout, stderr */
    pid_t compressor;              /* the gzip that works on <path>.1, or -1 */
    time_t time_second;            /* whose text time_text is */
    char time_text[24];
};

/* Opens (or makes, mode 0640) the file for appending. */
bool json_log_open(const char *path, int64_t max_size, int64_t max_files, bool compresses, struct json_log **out,
                   struct error *err);
/* Logs a piece of output as it came; whole lines are written before this returns. A write that fails loses its lines:
   the container goes on, as with Docker. */
void json_log_add(struct json_log *log, enum output_stream stream, const char *data, size_t length);
/* Writes what is left, closes, frees. Does not wait for the compression. */
void json_log_free(struct json_log *log);
/* Frees buffers that hold nothing. */
void json_log_release_memory(struct json_log *log);
/* Tells that a child was reaped: the compressor perhaps. */
void json_log_child_ended(struct json_log *log, pid_t pid);

/* Appends the inside of a JSON string as Go's encoder writes it, with its escapes of HTML and of U+2028 and U+2029;
   each byte that is not UTF-8 becomes \ufffd. */
void json_log_escape(struct strbuf *out, const char *data, size_t length);
