/* The flags before the command: `wherry -H … run`. */
#pragma once

#include "base/options.h"

struct global_values {
    char *config;
    char *context;
    bool is_debug;
    struct strlist hosts;
    char *log_level;
    bool wants_version;
};
extern const struct option_table global_options;
