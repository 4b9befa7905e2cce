#include "store/ring.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/memory.h"

struct ring {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t count, size;
    unsigned consumers;
    uint8_t *memory;
    size_t *lengths;
    uint64_t produced;                     /* buffers committed so far */
    uint64_t released[RING_CONSUMERS_MAX]; /* buffers each consumer is done with */
    bool has_buffer[RING_CONSUMERS_MAX];   /* the consumer reads buffer number released[] */
    bool is_ended, is_failed, is_given_up;
};

struct ring *ring_new(size_t count, size_t size, unsigned consumers)
{
    /* mmap, so that the memory goes back to the system at once when the layer is done. */
    void *memory = mmap(NULL, count * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    struct ring *ring = NEW(struct ring);
    pthread_mutex_init(&ring->lock, NULL);
    pthread_cond_init(&ring->changed, NULL);
    ring->count = count;
    ring->size = size;
    ring->consumers = consumers;
    ring->memory = memory;
    ring->lengths = xcalloc(count, sizeof(*ring->lengths));
    return ring;
}

void ring_free(struct ring *ring)
{
    if (!ring)
        return;
    munmap(ring->memory, ring->count * ring->size);
    pthread_mutex_destroy(&ring->lock);
    pthread_cond_destroy(&ring->changed);
    free(ring->lengths);
    free(ring);
}

size_t ring_buffer_size(const struct ring *ring)
{
    return ring->size;
}

static bool is_full(const struct ring *ring)
{
    for (unsigned i = 0; i < ring->consumers; i++) {
        if (ring->produced - ring->released[i] >= ring->count)
            return true;
    }
    return false;
}

void *ring_reserve(struct ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    while (is_full(ring) && !ring->is_given_up)
        pthread_cond_wait(&ring->changed, &ring->lock);
    void *buffer = ring->is_given_up ? NULL : ring->memory + ring->produced % ring->count * ring->size;
    pthread_mutex_unlock(&ring->lock);
    return buffer;
}

void ring_commit(struct ring *ring, size_t length)
{
    pthread_mutex_lock(&ring->lock);
    ring->lengths[ring->produced % ring->count] = length;
    ring->produced++;
    pthread_cond_broadcast(&ring->changed);
    pthread_mutex_unlock(&ring->lock);
}

void ring_end(struct ring *ring, bool is_failed)
{
    pthread_mutex_lock(&ring->lock);
    ring->is_ended = true;
    ring->is_failed = is_failed;
    pthread_cond_broadcast(&ring->changed);
    pthread_mutex_unlock(&ring->lock);
}

ssize_t ring_next(struct ring *ring, unsigned consumer, const void **data)
{
    pthread_mutex_lock(&ring->lock);
    if (ring->has_buffer[consumer]) {
        ring->has_buffer[consumer] = false;
        ring->released[consumer]++;
        pthread_cond_broadcast(&ring->changed);
    }
    while (ring->released[consumer] == ring->produced && !ring->is_ended)
        pthread_cond_wait(&ring->changed, &ring->lock);
    ssize_t length = ring->is_failed ? -1 : 0;
    if (length == 0 && ring->released[consumer] < ring->produced) {
        size_t slot = ring->released[consumer] % ring->count;
        *data = ring->memory + slot * ring->size;
        length = (ssize_t)ring->lengths[slot];
        ring->has_buffer[consumer] = true;
    }
    pthread_mutex_unlock(&ring->lock);
    return length;
}

void ring_give_up(struct ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    ring->is_given_up = true;
    pthread_cond_broadcast(&ring->changed);
    pthread_mutex_unlock(&ring->lock);
}
