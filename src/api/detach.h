/* Detach keys as clients write them: "ctrl-p,ctrl-q", "a", "ctrl-@,x". */
#pragma once

#include "base/error.h"

/* The byte sequence in hex digits, as struct shim_attachment has it (caller frees). "" gives Docker's default. */
bool detach_keys_from_text(const char *text, char **hex, struct error *err);
