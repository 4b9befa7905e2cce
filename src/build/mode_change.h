/* --chmod: octal ("0755") or symbolic as chmod(1) has it ("u=rwX,go=rX"). */
#pragma once

#include <sys/stat.h>

#include "base/error.h"

/* NULL: nothing changes. */
bool mode_change_is_valid(const char *text, struct error *err);
/* The permissions of something with st_mode `mode` afterwards. */
mode_t mode_change_apply(const char *text, mode_t mode);
