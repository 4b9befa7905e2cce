/* daemon.json onto the same table that the command line has. */
#pragma once

#include "base/options.h"

/* A key of the file whose name is not the flag's. */
struct config_key {
    const char *key;
    const char *option;
};

/* Sets *values from the JSON text. A key that no option has, or that was given as a flag too, is an error. */
bool config_file_apply(const struct option_table *table, const struct config_key *renamed, size_t renamed_count,
                       const char *text, size_t length, const struct option_parse *flags, void *values,
                       struct error *err);
