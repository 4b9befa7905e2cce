/* A log file that is rotated as Docker rotates them: one that has reached max_size becomes <path>.1, and that .2, up to
   max_files files in all; with compression they are <path>.1.gz and so on. A write that fails loses its lines: the
   container goes on, as with Docker. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strbuf.h"

struct rotating_file {
    char *path;
    int64_t max_size, max_files; /* bytes, 0: not rotated; files, at least 1 */
    bool compresses;
    int fd;
    int64_t size;          /* of the file, with what is pending */
    struct strbuf pending; /* encoded, not yet written */
    pid_t compressor;      /* the gzip that works on <path>.1, or -1 */
};

/* Opens (or makes, mode 0640) the file for appending. */
bool rotating_file_open(struct rotating_file *file, const char *path, int64_t max_size, int64_t max_files,
                        bool compresses, struct error *err);
/* An entry is put at the end of `pending` between these two. */
void rotating_file_begin(struct rotating_file *file);
void rotating_file_end(struct rotating_file *file, size_t length);
void rotating_file_flush(struct rotating_file *file);
/* Writes what is pending and closes; does not wait for the compression. */
void rotating_file_close(struct rotating_file *file);
