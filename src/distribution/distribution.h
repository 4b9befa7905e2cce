/* The registry: a handler of requests over a ledger and its content. What each request means is in serve_*.c. */
#pragma once

#include "distribution/access.h"
#include "distribution/content.h"
#include "distribution/ledger.h"
#include "distribution/settings.h"
#include "http/server.h"

struct upstream;

/* Counted since the start; changed with __atomic_fetch_add. */
struct counters {
    int64_t requests[6];    /* by the first digit of the status */
    int64_t received, sent; /* bytes of blobs and manifests */
    int64_t uploads_finished, uploads_failed;
    int64_t cache_hits, cache_misses;
    int64_t collected_blobs, collected_bytes;
};

struct distribution {
    const struct settings *settings;
    struct ledger *ledger;
    struct content *content;
    struct access *access;     /* NULL: everybody may do everything */
    struct upstream *upstream; /* NULL: not a cache */
    struct counters counters;
};

/* Answers any request; the context is a struct distribution. */
void distribution_handle(struct http_exchange *exchange, void *context);
/* Removes what nothing refers to (collect.c). Thread-safe, also while requests run. */
bool distribution_collect(struct distribution *distribution, int64_t grace, bool includes_untagged,
                          struct collected *out, struct error *err);
/* Prometheus' text (metrics.c). */
void distribution_metrics(struct distribution *distribution, struct strbuf *out);
static inline void count_add(int64_t *counter, int64_t amount)
{
    __atomic_fetch_add(counter, amount, __ATOMIC_RELAXED);
}
