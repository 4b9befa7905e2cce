#include "engine/events.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/event_filter.h"
#include "oci/reference.h"

#define HISTORY_LENGTH 512
/* So many unread events are kept for a reader; then it is cut off. */
#define QUEUE_LIMIT 4096

struct event_subscription {
    struct event_hub *hub;
    struct event_subscription *next;
    int client;
    int wake; /* eventfd: the queue is not empty */
    json_t *filters;
    bool has_until, is_cut;
    unix_nano until;
    struct event **queue; /* a ring of `capacity`, from `first` on */
    size_t first, count, capacity;
};

struct event_hub {
    pthread_mutex_t lock; /* innermost: nothing else is taken below it */
    struct event *history[HISTORY_LENGTH];
    size_t emitted; /* in all; the last is at (emitted - 1) % HISTORY_LENGTH */
    unix_nano last_time;
    struct event_subscription *subscriptions;
    size_t subscriber_count;
};

struct event_hub *event_hub_new(void)
{
    struct event_hub *hub = NEW(struct event_hub);
    pthread_mutex_init(&hub->lock, NULL);
    return hub;
}

static void event_unref(struct event *event)
{
    if (!event || atomic_fetch_sub(&event->references, 1) > 1)
        return;
    free(event->type);
    free(event->action);
    free(event->id);
    strmap_release(&event->attributes);
    free(event);
}

void event_hub_free(struct event_hub *hub)
{
    if (!hub)
        return;
    for (size_t i = 0; i < HISTORY_LENGTH; i++)
        event_unref(hub->history[i]);
    pthread_mutex_destroy(&hub->lock);
    free(hub);
}

/* --- emitting --- */

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct strpair *)a)->key, ((const struct strpair *)b)->key);
}

static void clear_queue(struct event_subscription *subscription)
{
    for (size_t i = 0; i < subscription->count; i++)
        event_unref(subscription->queue[(subscription->first + i) % subscription->capacity]);
    free(TAKE_PTR(subscription->queue));
    subscription->first = subscription->count = subscription->capacity = 0;
}

static void enqueue(struct event_subscription *subscription, struct event *event)
{
    if (subscription->is_cut)
        return;
    if (subscription->count == QUEUE_LIMIT) {
        clear_queue(subscription);
        subscription->is_cut = true;
        if (subscription->client >= 0)
            shutdown(subscription->client, SHUT_RDWR);
    } else {
        if (subscription->count == subscription->capacity) {
            size_t capacity = subscription->capacity ? subscription->capacity * 2 : 16;
            struct event **queue = xcalloc(capacity, sizeof(struct event *));
            for (size_t i = 0; i < subscription->count; i++)
                queue[i] = subscription->queue[(subscription->first + i) % subscription->capacity];
            free(subscription->queue);
            subscription->queue = queue;
            subscription->capacity = capacity;
            subscription->first = 0;
        }
        atomic_fetch_add(&event->references, 1);
        subscription->queue[(subscription->first + subscription->count++) % subscription->capacity] = event;
    }
    eventfd_write(subscription->wake, 1);
}

void event_emit(struct engine *engine, const char *type, const char *action, const char *id, struct strmap *attributes)
{
    struct event_hub *hub = engine->events;
    struct event *event = NEW(struct event);
    metrics_count(&engine->metrics, METRIC_EVENTS);
    event->references = 1;
    event->type = xstrdup(type);
    event->action = xstrdup(action);
    event->id = xstrdup(string_or_empty(id));
    if (attributes) {
        event->attributes = *attributes;
        *attributes = (struct strmap){0};
    }
    if (event->attributes.count > 1)
        qsort(event->attributes.items, event->attributes.count, sizeof(struct strpair), compare_keys);
    pthread_mutex_lock(&hub->lock);
    /* Times tell the order, even where two fall together. */
    event->time = MAX(clock_now(), hub->last_time + 1);
    hub->last_time = event->time;
    struct event **place = &hub->history[hub->emitted++ % HISTORY_LENGTH];
    event_unref(*place);
    *place = event;
    for (struct event_subscription *one = hub->subscriptions; one; one = one->next)
        if (event_matches(one->filters, event))
            enqueue(one, event);
    pthread_mutex_unlock(&hub->lock);
}

static void add_pairs(struct strmap *attributes, va_list pairs)
{
    const char *key;
    while ((key = va_arg(pairs, const char *))) {
        const char *value = va_arg(pairs, const char *);
        if (value)
            strmap_set(attributes, key, value);
    }
}

void event_emit_pairs(struct engine *engine, const char *type, const char *action, const char *id, ...)
{
    struct strmap attributes = {0};
    va_list pairs;
    va_start(pairs, id);
    add_pairs(&attributes, pairs);
    va_end(pairs);
    event_emit(engine, type, action, id, &attributes);
}

static void add_labels(struct strmap *attributes, const struct strmap *labels)
{
    for (size_t i = 0; i < labels->count; i++)
        strmap_set(attributes, labels->items[i].key, labels->items[i].value);
}

void container_event(struct container *container, const char *action, ...)
{
    struct strmap attributes = {0};
    va_list pairs;
    va_start(pairs, action);
    add_pairs(&attributes, pairs);
    va_end(pairs);
    const struct container_config *config = &container->record.config;
    add_labels(&attributes, &config->labels);
    if (string_is_set(config->image))
        strmap_set(&attributes, "image", config->image);
    container_lock(container);
    strmap_set(&attributes, "name", container->record.name);
    container_unlock(container);
    event_emit(container->engine, "container", action, container->record.id, &attributes);
}

void image_event(struct engine *engine, const char *action, const char *image_id, const char *name)
{
    struct strmap attributes = {0};
    _cleanup_image_ struct image image = {0};
    if (image_get(engine->store, image_id, &image, NULL))
        add_labels(&attributes, &image.parsed.config.labels);
    if (name)
        strmap_set(&attributes, "name", name);
    event_emit(engine, "image", action, image_id, &attributes);
}

void image_event_tag(struct engine *engine, const char *repository, const char *tag)
{
    _cleanup_reference_ struct reference reference = {0};
    if (!reference_parse_name(repository, tag, &reference, NULL))
        return;
    _cleanup_free_ char *name = reference_familiar(&reference);
    _cleanup_image_ struct image image = {0};
    if (image_get(engine->store, name, &image, NULL))
        image_event(engine, "tag", image.id, name);
}

/* --- subscribing --- */

struct event_subscription *events_subscribe(struct engine *engine, const struct event_query *query, int client)
{
    struct event_hub *hub = engine->events;
    struct event_subscription *subscription = NEW(struct event_subscription);
    subscription->hub = hub;
    subscription->client = client;
    subscription->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    subscription->filters = json_incref(query->filters);
    subscription->has_until = query->has_until;
    subscription->until = query->until;
    pthread_mutex_lock(&hub->lock);
    size_t kept = MIN(hub->emitted, (size_t)HISTORY_LENGTH);
    for (size_t i = hub->emitted - kept; i < hub->emitted && (query->has_since || query->has_until); i++) {
        struct event *event = hub->history[i % HISTORY_LENGTH];
        bool is_within =
            (!query->has_since || event->time >= query->since) && (!query->has_until || event->time <= query->until);
        if (is_within && event_matches(query->filters, event))
            enqueue(subscription, event);
    }
    subscription->next = hub->subscriptions;
    hub->subscriptions = subscription;
    hub->subscriber_count++;
    pthread_mutex_unlock(&hub->lock);
    return subscription;
}

void events_unsubscribe(struct event_subscription *subscription)
{
    struct event_hub *hub = subscription->hub;
    pthread_mutex_lock(&hub->lock);
    struct event_subscription **place = &hub->subscriptions;
    while (*place != subscription)
        place = &(*place)->next;
    *place = subscription->next;
    hub->subscriber_count--;
    clear_queue(subscription);
    pthread_mutex_unlock(&hub->lock);
    close_fd(subscription->wake);
    json_decref(subscription->filters);
    free(subscription);
}

size_t events_subscriber_count(struct engine *engine)
{
    pthread_mutex_lock(&engine->events->lock);
    size_t count = engine->events->subscriber_count;
    pthread_mutex_unlock(&engine->events->lock);
    return count;
}

static json_t *text(const char *value)
{
    json_t *json = json_string(value);
    return json ? json : json_string("");
}

/* With the fields that clients before the Actor looked at. */
static json_t *event_json(const struct event *event)
{
    json_t *json = json_object(), *attributes = json_object();
    for (size_t i = 0; i < event->attributes.count; i++)
        json_object_set_new(attributes, event->attributes.items[i].key, text(event->attributes.items[i].value));
    bool is_container = string_equal(event->type, "container");
    if (is_container || string_equal(event->type, "image")) {
        const char *image = is_container ? strmap_get(&event->attributes, "image") : NULL;
        json_object_set_new(json, "status", text(event->action));
        json_object_set_new(json, "id", text(event->id));
        if (image)
            json_object_set_new(json, "from", text(image));
    }
    json_object_set_new(json, "Type", text(event->type));
    json_object_set_new(json, "Action", text(event->action));
    json_object_set_new(json, "Actor", json_pack("{s:o, s:o}", "ID", text(event->id), "Attributes", attributes));
    json_object_set_new(json, "scope", text("local"));
    json_object_set_new(json, "time", json_integer(event->time / NANOSECONDS_PER_SECOND));
    json_object_set_new(json, "timeNano", json_integer(event->time));
    return json;
}

/* The oldest in the queue; NULL where it is empty, or the reader was cut off. */
static json_t *dequeue(struct event_subscription *subscription, bool *is_cut)
{
    struct event *event = NULL;
    pthread_mutex_lock(&subscription->hub->lock);
    *is_cut = subscription->is_cut;
    if (subscription->count > 0) {
        event = subscription->queue[subscription->first];
        subscription->first = (subscription->first + 1) % subscription->capacity;
        subscription->count--;
    }
    pthread_mutex_unlock(&subscription->hub->lock);
    json_t *json = event ? event_json(event) : NULL;
    event_unref(event);
    return json;
}

json_t *events_next(struct event_subscription *subscription)
{
    for (;;) {
        eventfd_t value;
        eventfd_read(subscription->wake, &value);
        bool is_cut;
        json_t *json = dequeue(subscription, &is_cut);
        if (json || is_cut)
            return json;
        int64_t left = subscription->has_until ? subscription->until - clock_now() : -1;
        if (subscription->has_until && left <= 0)
            return NULL;
        struct pollfd waited[] = {{.fd = subscription->wake, .events = POLLIN},
                                  {.fd = subscription->client, .events = POLLRDHUP}};
        int timeout = left < 0 ? -1 : (int)MIN((left + 999999) / 1000000, INT64_C(3600000));
        if (poll(waited, 2, timeout) < 0 && errno != EINTR)
            return NULL;
        if (waited[1].revents)
            return NULL;
    }
}
