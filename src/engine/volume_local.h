/* The options of the `local` volume driver: type, o and device, as mount(8) has them. */
#pragma once

#include "base/error.h"
#include "base/text.h"

bool local_options_check(const struct strmap *options, struct error *err);
/* Does a volume with these options have to be mounted? */
bool local_needs_mount(const struct strmap *options);
/* Mounts on the folder, in the namespace of the engine. A password among the options is not told. */
bool local_mount(const struct strmap *options, const char *folder, struct error *err);
void local_unmount(const char *folder);
/* The folders below `root` on which something is mounted. */
void local_mounted_folders(const char *root, struct strlist *out);
