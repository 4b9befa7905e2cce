#include "compose/tasks.h"

#include <pthread.h>

#include "base/memory.h"

#define THREADS_DEFAULT 12

void task_list_release(struct task_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].after);
    free(list->items);
    *list = (struct task_list){0};
}

size_t task_add(struct task_list *list, bool (*run)(void *, void *, struct client *, struct error *), void *subject)
{
    struct task *task = APPEND(list->items, list->count);
    task->run = run;
    task->subject = subject;
    return list->count - 1;
}

void task_after(struct task_list *list, size_t task, size_t other)
{
    *APPEND(list->items[task].after, list->items[task].after_count) = other;
}

struct run {
    const struct workers *workers;
    struct task_list *list;
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t left; /* not yet started */
    size_t running;
    bool has_failed;
    struct error err;
};

/* The next task that may start; NULL: none now. */
static struct task *next(struct run *run)
{
    for (size_t i = 0; i < run->list->count; i++) {
        struct task *task = &run->list->items[i];
        bool is_ready = task->state == TASK_WAITING;
        for (size_t j = 0; is_ready && j < task->after_count; j++)
            is_ready = run->list->items[task->after[j]].state == TASK_DONE;
        if (is_ready)
            return task;
    }
    return NULL;
}

static void *work(void *argument)
{
    struct run *run = argument;
    _cleanup_(client_freep) struct client *client = NULL;
    pthread_mutex_lock(&run->lock);
    while (run->left > 0 && !run->has_failed) {
        struct task *task = next(run);
        if (!task && run->running == 0)
            break;
        if (!task) {
            pthread_cond_wait(&run->changed, &run->lock);
            continue;
        }
        task->state = TASK_RUNNING;
        run->left--;
        run->running++;
        pthread_mutex_unlock(&run->lock);
        struct error cause = ERROR_INIT;
        if (!client)
            client = run->workers->connect(run->workers->connect_context, &cause);
        bool is_good = client && task->run(run->context, task->subject, client, &cause);
        pthread_mutex_lock(&run->lock);
        run->running--;
        if (is_good)
            task->state = TASK_DONE;
        else if (!run->has_failed)
            error_move(&run->err, &cause);
        run->has_failed = run->has_failed || !is_good;
        error_release(&cause);
        pthread_cond_broadcast(&run->changed);
    }
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

bool tasks_run(const struct workers *workers, struct task_list *list, void *context, struct error *err)
{
    struct run run = {.workers = workers,
                      .list = list,
                      .context = context,
                      .lock = PTHREAD_MUTEX_INITIALIZER,
                      .changed = PTHREAD_COND_INITIALIZER,
                      .left = list->count};
    size_t limit = workers->limit ? workers->limit : THREADS_DEFAULT, started = 0;
    pthread_t *threads = xcalloc(limit, sizeof(*threads));
    /* This thread works too. */
    while (started + 1 < MIN(limit, list->count) && pthread_create(&threads[started], NULL, work, &run) == 0)
        started++;
    work(&run);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    return !run.has_failed || error_move(err, &run.err);
}
