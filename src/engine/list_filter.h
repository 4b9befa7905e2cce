/* The filters of `ps`. */
#pragma once

#include "engine/container.h"

struct list_filter;
/* `json` is the decoded filters parameter (NULL: none) and must outlive the filter. Docker's errors for unknown names
   and bad values. */
struct list_filter *list_filter_new(struct engine *engine, const json_t *json, struct error *err);
void list_filter_free(struct list_filter *filter);
/* Does a filter (status, exited, id, …) widen the list to containers that do not run? */
bool list_filter_wants_all(const struct list_filter *filter);
/* With the container's lock held. */
bool list_filter_matches(const struct list_filter *filter, const struct container *container);
