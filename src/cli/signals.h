/* Signals as something to poll. */
#pragma once

#include <stdbool.h>

/* Blocks the signals of a session and returns a signalfd for them, or -1: with `forwards` all that docker passes on to
   the container, else only those that end us (so that the terminal is restored first); SIGWINCH always. */
int signals_open(bool forwards);
/* "INT" for SIGINT: what the kill call takes. NULL for one that is not forwarded. */
const char *signal_name(int number);
/* Ends this process as the signal would have. */
void signal_die(int number) __attribute__((noreturn));
