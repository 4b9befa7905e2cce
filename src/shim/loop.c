#include "shim/loop.h"

#include <errno.h>
#include <sys/mman.h>

bool loop_open(struct loop *loop, struct error *err)
{
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return loop->epoll_fd >= 0 || error_errno(err, "epoll_create1");
}

void source_watch(struct source *source, struct loop *loop, uint32_t events)
{
    if (source->fd < 0 || (source->loop && source->events == events))
        return;
    struct epoll_event event = {.events = events, .data.ptr = source};
    /* Fails for what cannot be waited for (a regular file) and for too little kernel memory alone: such a source is
       never served. */
    epoll_ctl(loop->epoll_fd, source->loop ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, source->fd, &event);
    source->loop = loop;
    source->events = events;
}

void source_ignore(struct source *source)
{
    if (source->loop)
        epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    source->loop = NULL;
}

void source_close(struct source *source)
{
    source_ignore(source);
    source->fd = close_fd(source->fd);
}

bool loop_handle_one(struct loop *loop, int timeout)
{
    struct epoll_event event;
    int count = epoll_wait(loop->epoll_fd, &event, 1, timeout);
    if (count < 0)
        return errno == EINTR;
    if (count == 0)
        return false;
    struct source *source = event.data.ptr;
    source->handle(source, event.events);
    return true;
}

char *loop_scratch(struct loop *loop)
{
    if (!loop->scratch) {
        void *memory = mmap(NULL, LOOP_SCRATCH_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            abort();
        loop->scratch = memory;
    }
    return loop->scratch;
}

void loop_release_memory(struct loop *loop)
{
    if (loop->scratch)
        munmap(loop->scratch, LOOP_SCRATCH_SIZE);
    loop->scratch = NULL;
}
