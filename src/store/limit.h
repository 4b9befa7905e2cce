/* An upper bound for what images and containers take of the disk. What is counted: the unpacked layers and their blobs,
   from the database; what is coming in just now, byte by byte; and what `others` tells of containers. */
#pragma once

#include "store/store.h"

struct store_limit {
    int64_t maximum; /* bytes; 0: none */
    /* Bytes of containers: their own layers and logs. May be some seconds old; called with no lock of the store held.
     */
    int64_t (*others)(void *context);
    /* What could be done about it, for the error ("…: free space with …"); caller frees. May take its time. */
    char *(*advise)(void *context);
    void *context;
};
/* Before anything else uses the store. */
void store_set_limit(struct store *store, const struct store_limit *limit);

struct store_usage {
    int64_t maximum;            /* 0: none */
    int64_t images, containers; /* bytes; images with what is coming in */
};
bool store_usage(struct store *store, struct store_usage *out, struct error *err);

/* Bytes of layers that nothing but the cache of builds keeps. */
int64_t store_cache_size(struct store *store);

/* ERROR_CONFLICT where so many more bytes would pass it. */
bool store_check_room(struct store *store, int64_t bytes, struct error *err);

/* --- for who writes --- */

/* At the beginning of something that comes in: looks at what there is. */
bool limit_begin(struct store *store, struct error *err);
/* Takes room for what was just written, and adds it to *taken. */
bool limit_take(struct store *store, int64_t bytes, int64_t *taken, struct error *err);
/* It is in the database now, or is not kept. */
void limit_end(struct store *store, int64_t taken);
