/* How much of the disk is used by what: GET /system/df. */
#pragma once

#include <jansson.h>

#include "engine/engine.h"

enum disk_usage_part { USAGE_CONTAINERS = 1, USAGE_IMAGES = 2, USAGE_VOLUMES = 4, USAGE_BUILD_CACHE = 8 };
#define USAGE_ALL 15

/* The parts that are not asked for are null. Walks the writable layers and the volumes. A new reference. */
json_t *engine_disk_usage(struct engine *engine, unsigned parts, int version, struct error *err);
/* The part of Docker's name: "container", "image", "volume", "build-cache". */
bool disk_usage_part_parse(const char *name, unsigned *part, struct error *err);
