/* Work that depends on other work, done by a bounded number of threads, each with a connection of its own. */
#pragma once

#include "client/client.h"

struct task {
    bool (*run)(void *context, void *subject, struct client *client, struct error *err);
    void *subject;
    size_t *after; /* indices of tasks that must have succeeded before; owned */
    size_t after_count;
    /* Used by tasks_run. */
    enum { TASK_WAITING, TASK_RUNNING, TASK_DONE } state;
};

struct task_list {
    struct task *items;
    size_t count;
};
void task_list_release(struct task_list *list);
#define _cleanup_task_list_ _cleanup_(task_list_release)
/* Adds a task and returns its index. */
size_t task_add(struct task_list *list, bool (*run)(void *, void *, struct client *, struct error *), void *subject);
void task_after(struct task_list *list, size_t task, size_t other);

struct workers {
    struct client *(*connect)(void *connect_context, struct error *err); /* called by each thread that is needed */
    void *connect_context;
    size_t limit; /* threads; 0: the default */
};
/* Runs all. After a failure nothing new starts; what runs is waited for. The first error is the error. */
bool tasks_run(const struct workers *workers, struct task_list *list, void *context, struct error *err);
