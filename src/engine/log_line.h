/* One entry of a log as `logs` shows it, and the two forms that it has in files: a line of the json-file log, and a
   message of the local log (shim/json_log.h, shim/local_log.h). */
#pragma once

#include "base/clock.h"
#include "base/strbuf.h"

struct log_line {
    struct strbuf text; /* with its newline, where there is one */
    bool is_stderr;
    unix_nano time;
    struct strbuf attributes; /* "key=value,key=value", sorted and escaped as a URL's query */

    /* What the last line had, because the next one mostly has the same. */
    struct strbuf raw_attributes;
    char second_text[20];
    int64_t second;
};
void log_line_release(struct log_line *line);
/* A line of the file, without its newline. Lines that a crash cut short are refused. */
bool log_line_parse_json(const char *text, size_t length, struct log_line *out);
/* A message, without the lengths around it. */
bool log_line_parse_local(const char *data, size_t length, struct log_line *out);
