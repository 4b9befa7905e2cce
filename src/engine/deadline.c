#include "engine/deadline.h"

#include "base/clock.h"
#include "base/memory.h"
#include "engine/engine_state.h"

static void put(struct deadline_heap *heap, size_t place, struct deadline *deadline)
{
    heap->items[place - 1] = deadline;
    deadline->place = place;
}

static void move_up(struct deadline_heap *heap, struct deadline *deadline, size_t place)
{
    for (; place > 1 && heap->items[place / 2 - 1]->at > deadline->at; place /= 2)
        put(heap, place, heap->items[place / 2 - 1]);
    put(heap, place, deadline);
}

static void move_down(struct deadline_heap *heap, struct deadline *deadline, size_t place)
{
    for (size_t child; (child = place * 2) <= heap->count; place = child) {
        if (child < heap->count && heap->items[child]->at < heap->items[child - 1]->at)
            child++;
        if (heap->items[child - 1]->at >= deadline->at)
            break;
        put(heap, place, heap->items[child - 1]);
    }
    put(heap, place, deadline);
}

static void take_out(struct deadline_heap *heap, struct deadline *deadline)
{
    size_t place = deadline->place;
    struct deadline *last = heap->items[--heap->count];
    deadline->place = 0;
    if (last == deadline)
        return;
    move_down(heap, last, place);
    move_up(heap, last, last->place);
}

void deadline_set(struct engine *engine, struct deadline *deadline, int64_t at)
{
    struct deadline_heap *heap = &engine->deadlines;
    pthread_mutex_lock(&engine->deadline_lock);
    bool is_new = deadline->place == 0;
    if (!is_new)
        take_out(heap, deadline);
    deadline->at = at;
    struct deadline **place = APPEND(heap->items, heap->count);
    *place = deadline;
    move_up(heap, deadline, heap->count);
    bool is_first = deadline->place == 1;
    pthread_mutex_unlock(&engine->deadline_lock);
    if (is_new)
        container_ref(deadline->container);
    if (is_first)
        supervisor_wake(engine);
}

void deadline_clear(struct engine *engine, struct deadline *deadline)
{
    pthread_mutex_lock(&engine->deadline_lock);
    bool is_set = deadline->place != 0;
    if (is_set)
        take_out(&engine->deadlines, deadline);
    pthread_mutex_unlock(&engine->deadline_lock);
    if (is_set) /* the caller has a reference of his own */
        container_unref(deadline->container);
}

int deadline_run(struct engine *engine)
{
    for (;;) {
        pthread_mutex_lock(&engine->deadline_lock);
        struct deadline *first = engine->deadlines.count ? engine->deadlines.items[0] : NULL;
        int64_t left = first ? first->at - clock_monotonic() : INT64_MAX;
        if (left <= 0)
            take_out(&engine->deadlines, first);
        pthread_mutex_unlock(&engine->deadline_lock);
        if (!first)
            return -1;
        if (left > 0)
            return (int)MIN((left + 999999) / 1000000, INT64_C(3600000));
        first->due(first->container);
        container_unref(first->container);
    }
}

void deadline_release(struct engine *engine)
{
    while (engine->deadlines.count)
        deadline_clear(engine, engine->deadlines.items[0]);
    free(TAKE_PTR(engine->deadlines.items));
}
