/* What stop and restart have in common: the signal and the time until the process is killed. */
#pragma once

#include "cli/command.h"

struct stop_options {
    char *signal;
    struct opt_int64 timeout; /* seconds */
};

#define STOP_OPTION_ROWS                                                                                               \
    {                                                                                                                  \
        {"signal",      's',                                                                                           \
         OPTION_STRING, offsetof(struct stop_options, signal),                                                         \
         "string",      "Signal to send to the container"},                                                            \
            {"time",                                                                                                   \
             0,                                                                                                        \
             OPTION_OPT_INT64,                                                                                         \
             offsetof(struct stop_options, timeout),                                                                   \
             "int",                                                                                                    \
             "Seconds to wait before killing the container",                                                           \
             .is_hidden = true},                                                                                       \
            {"timeout",                                                                                                \
             't',                                                                                                      \
             OPTION_OPT_INT64,                                                                                         \
             offsetof(struct stop_options, timeout),                                                                   \
             "int",                                                                                                    \
             "Seconds to wait before killing the container"},                                                          \
    }

/* POST /containers/<name><action>?signal=…&t=… */
bool stop_request(struct command_call *call, const char *name, const char *action, struct error *err);
