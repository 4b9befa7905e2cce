/* The numbers of `stats` from an answer of GET /containers/{id}/stats, reckoned as docker does. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct stats_values {
    char *id, *name; /* "" until the engine has said */
    bool is_running;
    double cpu_percent;
    double memory, memory_limit; /* bytes, without the page cache that can go */
    double received, sent, read, written;
    int64_t pids;
};

void stats_values_read(struct stats_values *values, const json_t *answer);
void stats_values_release(struct stats_values *values);
/* A row of the table; a new reference. Without values ("--") where the engine gave none. */
json_t *stats_values_row(const struct stats_values *values, const char *container, bool is_not_truncated,
                         bool is_invalid);
