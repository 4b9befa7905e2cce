#include "engine/log_watch.h"

#include <sys/eventfd.h>
#include <sys/inotify.h>

#include "base/memory.h"
#include "engine/engine_state.h"

#define EVENTS (IN_MODIFY | IN_CREATE | IN_MOVED_TO)

void log_watches_init(struct log_watches *watches)
{
    pthread_mutex_init(&watches->lock, NULL);
    watches->watch = (struct watch){.kind = WATCH_LOGS, .fd = -1};
}

void log_watches_release(struct log_watches *watches)
{
    close_fd(watches->watch.fd);
    pthread_mutex_destroy(&watches->lock);
}

void log_watches_handle(struct log_watches *watches)
{
    _Alignas(struct inotify_event) char events[8192];
    ssize_t length;
    pthread_mutex_lock(&watches->lock);
    while ((length = read(watches->watch.fd, events, sizeof(events))) > 0)
        for (char *at = events; at < events + length;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
            at += sizeof(*event) + event->len;
            for (struct log_follower *follower = watches->followers; follower; follower = follower->next)
                if (follower->wd == event->wd || (event->mask & IN_Q_OVERFLOW))
                    eventfd_write(follower->event, 1);
        }
    pthread_mutex_unlock(&watches->lock);
}

static bool open_instance(struct engine *engine, struct error *err)
{
    struct log_watches *watches = &engine->log_watches;
    if (watches->watch.fd >= 0)
        return true;
    watches->watch.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watches->watch.fd < 0)
        return error_errno(err, "inotify_init1");
    supervisor_watch(engine, &watches->watch);
    return true;
}

struct log_follower *log_follower_new(struct engine *engine, const char *folder, struct error *err)
{
    struct log_watches *watches = &engine->log_watches;
    struct log_follower *follower = NEW(struct log_follower);
    follower->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_lock(&watches->lock);
    bool is_open = (follower->event >= 0 || error_errno(err, "eventfd")) && open_instance(engine, err);
    if (is_open) {
        /* The same folder has the same number. */
        follower->wd = inotify_add_watch(watches->watch.fd, folder, EVENTS);
        is_open = follower->wd >= 0 || error_errno(err, "cannot watch the log in %s", folder);
    }
    if (is_open) {
        follower->next = watches->followers;
        watches->followers = follower;
    }
    pthread_mutex_unlock(&watches->lock);
    if (is_open)
        return follower;
    close_fd(follower->event);
    free(follower);
    return NULL;
}

void log_follower_free(struct engine *engine, struct log_follower *follower)
{
    struct log_watches *watches = &engine->log_watches;
    bool is_shared = false;
    if (!follower)
        return;
    pthread_mutex_lock(&watches->lock);
    for (struct log_follower **place = &watches->followers; *place;) {
        if (*place == follower) {
            *place = follower->next;
            continue;
        }
        is_shared |= (*place)->wd == follower->wd;
        place = &(*place)->next;
    }
    if (!watches->followers)
        watches->watch.fd = close_fd(watches->watch.fd);
    else if (!is_shared)
        inotify_rm_watch(watches->watch.fd, follower->wd);
    pthread_mutex_unlock(&watches->lock);
    close_fd(follower->event);
    free(follower);
}
