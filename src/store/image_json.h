/* Images as the Engine API shows them. `version` is the API version of the client times one hundred: 150 is 1.50. */
#pragma once

#include <jansson.h>

#include "store/store.h"

/* GET /images/{name}/json. A new reference, or NULL with err. */
json_t *image_inspect_json(struct store *store, const char *reference, int version, struct error *err);
/* GET /images/{name}/history: the newest step first. */
json_t *image_history_json(struct store *store, const char *reference, int version, struct error *err);

struct image_list_options {
    bool shows_all;         /* intermediate images too */
    bool wants_shared_size; /* else SharedSize is -1 */
    const char *filters;    /* the JSON of the query parameter; NULL or "": none. dangling, label, before, since, until,
                               reference; any other is refused */
    int version;
    /* How many containers use the image; NULL: Containers is -1. */
    int64_t (*count_containers)(void *context, const char *image_id);
    void *context;
};
/* GET /images/json: newest first. */
json_t *image_list_json(struct store *store, const struct image_list_options *options, struct error *err);
