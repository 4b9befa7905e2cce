/* Which events a subscription wants, by Docker's rules (moby's daemon/events/filter.go). */
#pragma once

#include <jansson.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/text.h"

struct event {
    atomic_int references;
    char *type, *action, *id;
    struct strmap attributes; /* in the order of their keys */
    unix_nano time;
};

/* `filters` is a map of lists of strings; NULL: everything passes. Names that are no filters are not looked at. */
bool event_matches(const json_t *filters, const struct event *event);
