/* Shared by content.c and uploads.c. */
#pragma once

#include <pthread.h>

#include "distribution/content.h"

struct content {
    char *root;
    int blobs, uploads; /* folders */
    pthread_mutex_t lock;
    size_t count;        /* of uploads */
    struct upload *list; /* under the lock, as are is_busy and used of each */
};

/* Those that an earlier server has left; what cannot go on is removed. */
bool uploads_find(struct content *content, struct error *err);
void uploads_release(struct content *content);
