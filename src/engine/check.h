/* What database, disk and kernel disagree on, and its repair: ours beyond Docker (docs/api.md). */
#pragma once

#include <jansson.h>

#include "engine/engine.h"

/* {"Findings": […], "Partial": bool}, a new reference. With `repairs` what can be repaired safely is: nothing of a
   container that runs, and no data of a volume, is ever removed. One at a time: ERROR_CONFLICT. */
json_t *engine_check(struct engine *engine, bool repairs, struct error *err);

/* --- parts, each appending to a list of struct finding (store/check.h) --- */

/* volume.c */
void volumes_check(struct engine *engine, bool repairs, struct record_list *findings);
