/* HostConfig.LogConfig: what a container's log driver was told. */
#pragma once

#include "base/error.h"
#include "model/container.h"

/* At create: the driver, the names of its options, and the delivery mode. Values are read at the start, as Docker does.
 */
bool log_config_check(const struct log_config *log, struct error *err);

/* The values of the json-file driver. */
struct json_file_options {
    int64_t max_size;  /* bytes; 0: the file is not rotated */
    int64_t max_files; /* kept files, at least 1 */
    bool compresses;
};
/* ERROR_INTERNAL in Docker's words, without what it says first ("failed to initialize logging driver"). */
bool log_config_read(const struct log_config *log, struct json_file_options *out, struct error *err);

/* "10m", "1.5 GB": decimal units, as go-units' FromHumanSize. Bytes, not negative. */
bool human_size_parse(const char *text, int64_t *out, struct error *err);
