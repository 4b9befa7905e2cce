/* The file that tells others which process is wherryd. */
#pragma once

#include "base/error.h"

/* ERROR_CONFLICT where the process in an existing file still runs; a stale file is replaced. */
bool pidfile_write(const char *path, struct error *err);
