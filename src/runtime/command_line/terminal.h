/* A foreground process: signals are handed on to it, and its terminal, where it has one, is copied to ours. */
#pragma once

#include <sys/types.h>

#include "base/error.h"

/* Waits for `pid`, our child, to end; its exit code (128+n for a signal). Signals that arrive meanwhile go to it. Our
   own terminal, if there is one, is in raw mode meanwhile. `console` is closed; -1: the process has our own stdio. */
int foreground_wait(pid_t pid, int console);
/* Call it before the process is made: signals wait from then on. */
void foreground_begin(void);
/* Sends the master of a terminal to the unix socket at `path`. */
bool console_send(const char *path, int console, struct error *err);
