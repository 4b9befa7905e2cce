/* Reads a json-file log, with its rotated files, line by line. */
#pragma once

#include "base/clock.h"
#include "base/strbuf.h"
#include "base/text.h"

struct log_line {
    struct strbuf text; /* with its newline, where there is one */
    bool is_stderr;
    unix_nano time;
    struct strbuf attributes; /* "key=value,key=value" */
};
void log_line_release(struct log_line *line);
/* One line of the file, without its newline. Lines that a crash cut short are refused. */
bool log_line_parse(const char *text, size_t length, struct log_line *out);

struct log_file;
/* Opens the rotated files, oldest first, and the current one. `tail` (lines; -1: all) is found from the end by blocks;
   `since` skips earlier lines. A log that is not there yet is empty. */
struct log_file *log_file_open(const char *path, int64_t tail, struct error *err);
void log_file_free(struct log_file *file);
/* The next line; false at the present end (ask again after it has grown). Follows a rotation to the new file. */
bool log_file_next(struct log_file *file, struct log_line *out);
