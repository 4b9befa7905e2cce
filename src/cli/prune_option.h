/* What the prune commands have in common: the filters, the question before, the lines after. */
#pragma once

#include "cli/command.h"

struct prune_options {
    bool is_forced;
    struct strlist filters;
};

/* Adds ?filters=…, with those of config.json ("pruneFilters") that the user's own do not contradict. */
bool prune_filters_add(const struct command_call *call, const struct strlist *filters, struct strbuf *path,
                       struct error *err);
/* The answer's list `key` below its title ("Deleted Containers:"), each a line, and an empty line; nothing where it is
   empty. */
void prune_print_deleted(const json_t *answer, const char *key, const char *title);
/* "Total reclaimed space: 1.2MB" */
void prune_print_space(int64_t bytes);
