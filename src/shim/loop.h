/* One epoll loop for everything that the shim waits for. A source is embedded in what it serves; its handler may remove
   and free any source, itself included, because events are fetched one at a time. */
#pragma once

#include <stdint.h>
#include <sys/epoll.h>

#include "base/error.h"

struct loop {
    int epoll_fd;
    char *scratch; /* see loop_scratch */
};

#define LOOP_SCRATCH_SIZE ((size_t)64 * 1024)

struct source {
    struct loop *loop; /* NULL: not registered */
    int fd;
    uint32_t events;
    void (*handle)(struct source *source, uint32_t events);
};

/* The struct that a source (or another member) is embedded in. */
#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

bool loop_open(struct loop *loop, struct error *err);
/* Registers the source, or changes the events of one that is. With 0 events a hang-up is still reported. */
void source_watch(struct source *source, struct loop *loop, uint32_t events);
/* Takes it out of the loop; its descriptor stays open. */
void source_ignore(struct source *source);
/* The same, and closes its descriptor. */
void source_close(struct source *source);
/* Handles one event, waiting for it at most `timeout` milliseconds (-1: for ever). False when the time is over. */
bool loop_handle_one(struct loop *loop, int timeout);

/* LOOP_SCRATCH_SIZE bytes for use within one event, and its return to the kernel while nothing happens. */
char *loop_scratch(struct loop *loop);
void loop_release_memory(struct loop *loop);
