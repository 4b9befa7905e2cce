/* A bounded ring of buffers between one producing thread and a few consuming ones; every consumer sees every byte. */
#pragma once

#include "base/error.h"

struct ring;

#define RING_CONSUMERS_MAX 2

/* `count` buffers of `size` bytes; their memory is touched only as far as it is used. NULL where there is none. */
struct ring *ring_new(size_t count, size_t size, unsigned consumers);
void ring_free(struct ring *ring);
size_t ring_buffer_size(const struct ring *ring);

/* The producer: waits for a free buffer (NULL when a consumer gave up), fills it, and hands on `length` bytes. */
void *ring_reserve(struct ring *ring);
void ring_commit(struct ring *ring, size_t length);
/* No more bytes. With `is_failed` the consumers must take the stream as broken, not as ended. */
void ring_end(struct ring *ring, bool is_failed);

/* Consumer number `consumer`: gives back its previous buffer and waits for the next. Returns its length; 0 at the end,
   -1 when the producer failed. */
ssize_t ring_next(struct ring *ring, unsigned consumer, const void **data);
/* This consumer wants nothing more: the producer is stopped. */
void ring_give_up(struct ring *ring);
