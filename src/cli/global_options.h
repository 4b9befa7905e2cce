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
    bool tls, tls_verify;
    bool has_tls, has_tls_verify; /* the flag was given, whatever it says */
    char *tls_ca, *tls_certificate, *tls_key;
};
extern const struct option_table global_options;
/* DOCKER_CONFIG or ~/.docker; caller frees. */
char *config_directory_default(void);
/* The same rows with the defaults that depend on the environment, for help. Lives as long as the program. */
const struct option_table *global_options_with_defaults(void);
