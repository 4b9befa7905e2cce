/* What happened, told to whoever asks: GET /events. An event is kept in a bounded history, so that it can be asked for
   afterwards, and put into the queue of every subscription whose filters it passes. Neither ever waits for a reader:
   one that leaves too much unread is cut off. */
#pragma once

#include <jansson.h>

#include "base/clock.h"
#include "engine/engine.h"

struct container;

/* `type` is "container", "image", "network", "volume", "daemon" …; `id` is the actor's. The attributes are emptied;
   NULL: none. Callable from every thread, with any lock of the engine held. */
void event_emit(struct engine *engine, const char *type, const char *action, const char *id, struct strmap *attributes);
/* The same with the attributes as pairs of key and value, up to NULL. A pair whose value is NULL is left out. */
void event_emit_pairs(struct engine *engine, const char *type, const char *action, const char *id, ...)
    __attribute__((sentinel));
/* An event of a container: to the pairs (key, value, …, NULL) come its labels, image and name. Without its lock. */
void container_event(struct container *container, const char *action, ...) __attribute__((sentinel));
/* An event of an image, with the labels of its config where it still is there, and the name where it is not NULL. */
void image_event(struct engine *engine, const char *action, const char *image_id, const char *name);
/* tag: the name as it was given, completed as tagging did. */
void image_event_tag(struct engine *engine, const char *repository, const char *tag);

struct event_query {
    bool has_since, has_until;
    unix_nano since, until;
    json_t *filters; /* map of lists, or NULL; a reference is taken */
};
struct event_subscription;
/* What the history has (with since or until) comes first. Where `client` (a socket, or -1) does not read what the
   subscription has for it, it is shut down. */
struct event_subscription *events_subscribe(struct engine *engine, const struct event_query *query, int client);
/* The next event as the API has it: a new reference. NULL at the end: `until` has come, the client has left or was cut
   off. */
json_t *events_next(struct event_subscription *subscription);
void events_unsubscribe(struct event_subscription *subscription);
size_t events_subscriber_count(struct engine *engine);

/* Private to the engine. */
struct event_hub;
struct event_hub *event_hub_new(void);
void event_hub_free(struct event_hub *hub);
