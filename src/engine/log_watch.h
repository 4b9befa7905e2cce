/* Who follows a log is told when something happens in its folder: one inotify instance for the whole engine, because a
   user has few of them, served by the supervisor's thread. */
#pragma once

#include "engine/container.h"

struct log_follower {
    struct log_follower *next;
    int wd;
    int event; /* eventfd: readable after a change */
};

struct log_watches {
    pthread_mutex_t lock;
    struct watch watch; /* of the inotify instance, in the supervisor's set; open while there are followers */
    struct log_follower *followers;
};

void log_watches_init(struct log_watches *watches);
void log_watches_release(struct log_watches *watches);
/* Called by the supervisor. */
void log_watches_handle(struct log_watches *watches);

/* NULL with err on failure. */
struct log_follower *log_follower_new(struct engine *engine, const char *folder, struct error *err);
void log_follower_free(struct engine *engine, struct log_follower *follower);
