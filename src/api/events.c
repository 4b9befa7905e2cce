#include "engine/events.h"

#include "api/request.h"
#include "api/respond.h"

static bool read_time(struct call *call, const char *key, bool *is_given, unix_nano *out, struct error *err)
{
    *is_given = string_is_set(query_text(call, key));
    return query_time(call, key, out, err);
}

bool system_events(struct call *call, struct error *err)
{
    struct event_query query = {0};
    if (!read_time(call, "since", &query.has_since, &query.since, err) ||
        !read_time(call, "until", &query.has_until, &query.until, err))
        return false;
    if (query.has_until && query.has_since && query.until < query.since)
        return error_set(err, ERROR_INVALID, "`since` time (%s) cannot be after `until` time (%s)",
                         query_text(call, "since"), query_text(call, "until"));
    _cleanup_json_ json_t *filters = NULL;
    if (!query_filters(call, &filters, err))
        return false;
    query.filters = filters;
    /* The client may go on as soon as it has the head: what happens then it must be told of. */
    struct event_subscription *subscription = events_subscribe(call->engine, &query, call->exchange->fd);
    http_exchange_may_be_cut(call->exchange);
    bool is_there = http_exchange_begin(call->exchange, 200, "application/json");
    json_t *event;
    while (is_there && (event = events_next(subscription)))
        is_there = respond_line(call, event);
    events_unsubscribe(subscription);
    return true;
}
