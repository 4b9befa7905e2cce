/* The json-file log: one JSON object a line of output, byte for byte in the form of Docker's json-file driver
   (daemon/logger/jsonfilelog): {"log":"text\n","stream":"stdout","attrs":{…},"time":"2024-01-02T03:04:05.678Z"}\n. */
#pragma once

#include "shim/log_piece.h"
#include "shim/rotating_file.h"

struct json_log {
    struct rotating_file file;
    char *attributes; /* a JSON object, or NULL */
    time_t second;    /* whose text second_text is */
    char second_text[24];
    unix_nano time;         /* that the tails have */
    struct strbuf tails[2]; /* what comes behind the text, for stdout and stderr */
};

/* `attributes` (may be NULL) is copied. */
bool json_log_open(struct json_log *log, const char *path, int64_t max_size, int64_t max_files, bool compresses,
                   const char *attributes, struct error *err);
void json_log_add(struct json_log *log, const struct log_piece *piece);
void json_log_close(struct json_log *log);
