/* Progress on standard error: one live line a resource on a terminal, one line a change elsewhere. */
#pragma once

#include <time.h>

#include "cli/compose/flags.h"
#include "compose/reconcile.h"

struct report_row {
    char *kind, *name, *status;
    bool is_end, has_failed;
    struct timespec begun, ended;
};

struct report {
    struct reporter reporter; /* hand over its address */
    pthread_mutex_t lock;
    bool is_quiet, is_live;
    const char *title; /* "Running" */
    struct report_row *rows;
    size_t count;
    size_t shown; /* lines that stand on the terminal */
};
/* By --progress, --ansi and what standard error is. */
void report_begin(struct report *report, const struct command_call *call, const char *title);
void report_end(struct report *report);
#define _cleanup_report_ _cleanup_(report_end)
