/* --docker of context create and update: "host=tcp://x:2376,ca=…,cert=…,key=…,skip-tls-verify=true" or "from=name". */
#pragma once

#include "cli/command.h"

/* Adds to a struct strmap; for an OPTION_CUSTOM row. */
bool context_option_parse(void *place, const char *value, struct error *err);
/* Puts the endpoint into the context and copies its TLS files into the store. */
bool context_option_apply(const struct command_call *call, const struct strmap *endpoint, json_t *context,
                          struct error *err);
/* A context as the store keeps it, also for "default". NULL with err. */
json_t *context_get(const struct command_call *call, const char *name, struct error *err);
/* Copies the TLS files of one context (also "default") to another. */
bool context_copy_tls(const struct command_call *call, const char *from, const char *to, struct error *err);

/* The lines that --help of both shows. */
#define CONTEXT_OPTION_HELP(title, verb, example)                                                                      \
    title "\n\nDocker endpoint config:\n\n"                                                                            \
          "NAME                DESCRIPTION\n"                                                                          \
          "from                Copy named context's Docker endpoint configuration\n"                                   \
          "host                Docker endpoint on which to connect\n"                                                  \
          "ca                  Trust certs signed only by this CA\n"                                                   \
          "cert                Path to TLS certificate file\n"                                                         \
          "key                 Path to TLS key file\n"                                                                 \
          "skip-tls-verify     Skip TLS certificate validation\n\n"                                                    \
          "Example:\n\n$ wherry context " verb " my-context --description \"some description\" --docker " example
