/* The verbs on images that have to know of containers. */
#pragma once

#include <jansson.h>

#include "engine/engine.h"

/* `rmi`. *removals is the caller's: image_removals_free. */
bool engine_image_remove(struct engine *engine, const char *reference, bool is_forced, bool keeps_parents,
                         struct image_removal **removals, size_t *count, struct error *err);

struct image_prune_report {
    struct image_removal *removals;
    size_t count;
    int64_t space; /* bytes */
};
/* Removes what nothing refers to: dangling images, or with {"dangling":["false"]} all that no container uses. Others:
   until, label, label!. */
bool engine_image_prune(struct engine *engine, const json_t *filters, struct image_prune_report *report,
                        struct error *err);
