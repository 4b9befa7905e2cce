/* --storage-max: what containers take, what could be freed, and how it stands. */
#pragma once

#include <jansson.h>

#include "engine/engine.h"

/* Gives the store its limit. */
void storage_begin(struct engine *engine);
/* {"Max", "Used", "Images", "Containers"} in bytes, for `system df`; a new reference, NULL without a limit. */
json_t *storage_describe(struct engine *engine);
