/* Files of KEY=VALUE lines: --env-file and --label-file. */
#pragma once

#include "base/error.h"
#include "base/text.h"

/* Adds the lines' assignments. A line that is a name alone takes its value from our environment (`inherits`) or is left
   out, as docker does. */
bool env_file_read(const char *path, bool inherits, struct strlist *out, struct error *err);
/* The same on text; `path` is what messages name. */
bool env_text_read(const char *path, const char *text, bool inherits, struct strlist *out, struct error *err);
