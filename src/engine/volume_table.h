/* What volume*.c share. */
#pragma once

#include <pthread.h>

#include "base/record.h"
#include "engine/engine.h"

struct volume_record {
    char *name;
    int64_t created; /* unix_nano */
    struct strmap options, labels;
};
extern const struct record_type volume_record_type;

struct volume {
    struct volume_record record; /* fixed once the volume is not busy any more */
    struct strlist holders;      /* ids of the containers that run with it, one for each mount */
    bool is_mounted;             /* what its options say is mounted at its folder */
    bool is_busy;                /* being made, mounted or removed, without the lock */
};

struct volume_table {
    struct engine *engine;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* some volume is not busy any more */
    struct volume **items;  /* by name */
    size_t count;
};
