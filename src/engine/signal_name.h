/* Signals as users write them: "9", "KILL", "SIGKILL", "RTMIN+3". */
#pragma once

#include "base/error.h"

/* The number, or -1: "invalid signal: X" (ERROR_INVALID). */
int signal_parse(const char *text, struct error *err);
/* "SIGTERM"; NULL for a number that is none. The caller frees. */
char *signal_name_of(int number);
