/* What a container's own layer changed: found by walking that layer alone, whatever the size of the image. */
#pragma once

#include "engine/container.h"
#include "engine/files.h"

/* Docker's rules (the comparison of two trees): a folder counts as changed with what is in it; the files that every
   start makes (/etc/hosts, /.dockerenv …) do not count. */
bool changes_find(struct container *container, struct change_list *out, struct error *err);
