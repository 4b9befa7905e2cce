/* The terminal of a process: a pty of the container's own devpts. Called inside the container. */
#pragma once

#include <sys/types.h>

#include "base/error.h"

/* Opens a pair; rows and columns of 0 leave the size alone. */
bool console_open(int rows, int columns, int *master, int *slave, struct error *err);
/* Makes it reachable as /dev/console of the current root. */
bool console_bind(int slave, struct error *err);
/* The calling session's leader gets it as controlling terminal and as descriptors 0, 1, 2. */
bool console_take(int slave, struct error *err);
