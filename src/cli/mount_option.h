/* --mount: "type=bind,src=/a,dst=/b,ro". */
#pragma once

#include <jansson.h>

#include "base/error.h"

/* An element of HostConfig.Mounts; a new reference, or NULL. */
json_t *mount_parse(const char *value, struct error *err);
/* For the option table. */
bool check_mount(void *place, const char *value, struct error *err);
/* A relative path ("./a", ".") made absolute by the working folder; others as they are. Caller frees. */
char *path_absolute_if_relative(const char *path);
