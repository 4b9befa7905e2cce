#include "engine/wait.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "base/memory.h"

/* As Docker's, the reason why a container could not start is not told to who waited for its removal: the start was
   answered with it. */
static void fill(struct container_wait *wait, bool is_removal)
{
    const struct container_record *record = &wait->container->record;
    wait->is_over = true;
    wait->exit.exit_code = record->exit_code;
    string_replace(&wait->exit.error, string_is_set(record->error) && !is_removal ? record->error : NULL);
    eventfd_write(wait->event, 1);
}

struct container_wait *container_wait_add(struct container *container, enum wait_condition condition, struct error *err)
{
    _cleanup_close_ int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0) {
        error_errno(err, "cannot wait for the container");
        return NULL;
    }
    struct container_wait *wait = NEW(struct container_wait);
    wait->container = container_ref(container);
    wait->condition = condition;
    wait->event = TAKE_FD(event);
    if ((condition == WAIT_NOT_RUNNING && !status_is_running(container->status)) || container->is_removed) {
        fill(wait, container->is_removed);
        return wait;
    }
    wait->next = container->waits;
    container->waits = wait;
    return wait;
}

void container_wait_free(struct container_wait *wait)
{
    if (!wait)
        return;
    container_lock(wait->container);
    for (struct container_wait **place = &wait->container->waits; *place; place = &(*place)->next)
        if (*place == wait) {
            *place = wait->next;
            break;
        }
    container_unlock(wait->container);
    container_unref(wait->container);
    close_fd(wait->event);
    free(wait->exit.error);
    free(wait);
}

void container_wake(struct container *container, bool is_removal)
{
    struct container_wait **place = &container->waits;
    while (*place) {
        struct container_wait *wait = *place;
        bool is_met = is_removal || wait->condition == WAIT_NEXT_EXIT ||
                      (wait->condition == WAIT_NOT_RUNNING && !status_is_running(container->status));
        if (is_met) {
            *place = wait->next;
            wait->next = NULL;
            fill(wait, is_removal);
        } else {
            place = &wait->next;
        }
    }
}

bool container_await_exit(struct container *container, int64_t timeout)
{
    container_lock(container);
    if (!status_is_running(container->status)) {
        container_unlock(container);
        return true;
    }
    /* A container that is to be started again has ended, too: whoever stops it wants no more than this exit. */
    struct container_wait *wait = container_wait_add(container, WAIT_NEXT_EXIT, NULL);
    container_unlock(container);
    if (!wait)
        return false;
    int64_t deadline = timeout < 0 ? -1 : clock_monotonic() + timeout;
    bool is_over = false;
    while (!is_over) {
        int64_t left = deadline < 0 ? -1 : MAX(deadline - clock_monotonic(), 0);
        struct pollfd event = {.fd = wait->event, .events = POLLIN};
        int milliseconds = left < 0 ? -1 : (int)MIN((left + 999999) / 1000000, 3600000);
        int ready = poll(&event, 1, milliseconds);
        is_over = ready > 0;
        if (ready == 0 && deadline >= 0 && clock_monotonic() >= deadline)
            break;
    }
    container_wait_free(wait);
    return is_over;
}

struct container_wait *container_wait_begin(struct engine *engine, const char *reference, enum wait_condition condition,
                                            struct error *err)
{
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    if (!container)
        return NULL;
    container_lock(container);
    struct container_wait *wait = container_wait_add(container, condition, err);
    container_unlock(container);
    return wait;
}

bool container_wait_finish(struct container_wait *wait, int client, struct container_exit *out, struct error *err)
{
    for (;;) {
        struct pollfd events[] = {{.fd = wait->event, .events = POLLIN}, {.fd = client, .events = POLLRDHUP}};
        if (poll(events, client < 0 ? 1 : 2, -1) < 0 && errno != EINTR) {
            container_wait_free(wait);
            return error_errno(err, "cannot wait for the container");
        }
        if (events[0].revents)
            break;
        if (client >= 0 && events[1].revents) {
            container_wait_free(wait);
            return error_set(err, ERROR_CANCELLED, "the client has left");
        }
    }
    container_lock(wait->container);
    *out = (struct container_exit){.exit_code = wait->exit.exit_code, .error = TAKE_PTR(wait->exit.error)};
    container_unlock(wait->container);
    container_wait_free(wait);
    return true;
}
