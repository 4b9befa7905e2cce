#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "build/internal.h"

#define SLOTS_MIN 2

struct builder *builder_new(struct engine *engine)
{
    struct builder *builder = NEW(struct builder);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    builder->engine = engine;
    builder->memory = path_join(engine_options(engine)->exec_root, "build");
    tree_remove(AT_FDCWD, builder->memory, NULL); /* of an engine that was killed */
    builder->slots = (unsigned)MAX(cores, SLOTS_MIN);
    pthread_mutex_init(&builder->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&builder->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return builder;
}

void builder_free(struct builder *builder)
{
    if (!builder)
        return;
    pthread_mutex_lock(&builder->lock);
    while (builder->jobs)
        pthread_cond_wait(&builder->changed, &builder->lock);
    pthread_mutex_unlock(&builder->lock);
    pthread_mutex_destroy(&builder->lock);
    pthread_cond_destroy(&builder->changed);
    strlist_release(&builder->flights);
    tree_remove(AT_FDCWD, builder->memory, NULL);
    free(builder->memory);
    free(builder);
}

/* With the lock held. A build that is cancelled elsewhere is seen a tenth of a second later at most. */
static bool wait_changed(struct build *build, struct error *err)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 100000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    if (build_is_cancelled(build))
        return error_set(err, ERROR_CANCELLED, "context canceled");
    pthread_cond_timedwait(&build->builder->changed, &build->builder->lock, &until);
    return true;
}

bool builder_take_slot(struct build *build, struct error *err)
{
    struct builder *builder = build->builder;
    bool is_good = true;
    pthread_mutex_lock(&builder->lock);
    while (is_good && !builder->slots)
        is_good = wait_changed(build, err);
    if (is_good)
        builder->slots--;
    pthread_mutex_unlock(&builder->lock);
    return is_good;
}

void builder_give_slot(struct build *build)
{
    struct builder *builder = build->builder;
    pthread_mutex_lock(&builder->lock);
    builder->slots++;
    pthread_cond_broadcast(&builder->changed);
    pthread_mutex_unlock(&builder->lock);
}

bool builder_begin(struct build *build, const char *key, bool *is_mine, struct error *err)
{
    struct builder *builder = build->builder;
    bool is_good = true, has_waited = false;
    pthread_mutex_lock(&builder->lock);
    while (is_good && strlist_contains(&builder->flights, key)) {
        has_waited = true;
        is_good = wait_changed(build, err);
    }
    if (is_good && !has_waited)
        strlist_add(&builder->flights, key);
    pthread_mutex_unlock(&builder->lock);
    *is_mine = !has_waited;
    return is_good;
}

void builder_end(struct build *build, const char *key)
{
    struct builder *builder = build->builder;
    pthread_mutex_lock(&builder->lock);
    for (size_t i = 0; i < builder->flights.count; i++)
        if (strcmp(builder->flights.items[i], key) == 0) {
            strlist_remove(&builder->flights, i);
            break;
        }
    pthread_cond_broadcast(&builder->changed);
    pthread_mutex_unlock(&builder->lock);
}

/* --- what is left of a build takes time to remove, and nobody waits for it --- */

struct tidying {
    struct builder *builder;
    struct context context;
};

static void *tidy(void *argument)
{
    struct tidying *tidying = argument;
    struct builder *builder = tidying->builder;
    context_release(&tidying->context);
    free(tidying);
    pthread_mutex_lock(&builder->lock);
    builder->jobs--;
    pthread_cond_broadcast(&builder->changed);
    pthread_mutex_unlock(&builder->lock);
    return NULL;
}

void builder_drop_context(struct builder *builder, struct context *context)
{
    struct tidying *tidying = NEW(struct tidying);
    *tidying = (struct tidying){builder, *context};
    *context = (struct context){0};
    pthread_mutex_lock(&builder->lock);
    builder->jobs++;
    pthread_mutex_unlock(&builder->lock);
    pthread_t thread;
    if (pthread_create(&thread, NULL, tidy, tidying) == 0)
        pthread_detach(thread);
    else
        tidy(tidying);
}
