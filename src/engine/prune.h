/* What every prune has in common: its filters, its report, and that only one of a kind runs at a time. */
#pragma once

#include <jansson.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/engine.h"

struct prune_report {
    struct strlist deleted; /* ids or names */
    int64_t space;          /* bytes that are free now */
};
void prune_report_release(struct prune_report *report);
#define _cleanup_prune_report_ _cleanup_(prune_report_release)

struct prune_filter {
    unix_nano until;           /* only what is older; 0: any */
    struct strlist labels;     /* "key" or "key=value": all of them */
    struct strlist not_labels; /* not what has all of these */
};
/* Are all filters of these names (up to a NULL)? "invalid filter 'x'". `filters` may be NULL. */
bool filter_names_check(const json_t *filters, const char *const *known, struct error *err);
/* `filters` is the decoded filters parameter ({"until":["24h"]}; may be NULL). `known` are the names that this kind
   accepts, up to a NULL: what is not `until`, `label` or `label!` the caller reads himself with filter_values. Docker's
   errors: "invalid filter 'x'", "more than one until filter specified". */
bool prune_filter_parse(const json_t *filters, const char *const *known, struct prune_filter *out, struct error *err);
void prune_filter_release(struct prune_filter *filter);
#define _cleanup_prune_filter_ _cleanup_(prune_filter_release)
bool prune_filter_matches(const struct prune_filter *filter, unix_nano created, const struct strmap *labels);

/* The values of one filter, in either of the forms that clients send: ["a"] or {"a": true}. */
void filter_values(const json_t *filters, const char *name, struct strlist *out);
/* Does the map have every one of the wanted ("key" or "key=value")? */
bool labels_match(const struct strlist *wanted, const struct strmap *labels);

/* `is_running` is one flag for each kind. False, with Docker's "a prune operation is already running". */
bool prune_begin(atomic_bool *is_running, struct error *err);
void prune_end(atomic_bool *is_running);
/* The event that Docker tells after a prune: type "container", "image", "network" or "volume". */
void prune_event(struct engine *engine, const char *type, int64_t space);
