/* Reads a log, with its rotated files, entry by entry. */
#pragma once

#include "engine/log_line.h"
#include "shim/client.h"

struct log_file;
/* Opens the rotated files, oldest first, and the current one. `tail` (entries; -1: all) is found from the end by
   blocks; rotated files that were last written before `since` (0: none) are left out. A log that is not there yet is
   empty. */
struct log_file *log_file_open(enum shim_log_format format, const char *path, int64_t tail, unix_nano since,
                               struct error *err);
void log_file_free(struct log_file *file);
/* The next entry; false at the present end (ask again after it has grown). Follows a rotation to the new file. */
bool log_file_next(struct log_file *file, struct log_line *out);
/* Gives the buffer back while nothing comes. */
void log_file_release_memory(struct log_file *file);
