/* What Prometheus reads. */
#include "distribution/distribution.h"

static int64_t read_counter(const int64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void add(struct strbuf *out, const char *name, const char *type, const char *help, int64_t value)
{
    strbuf_addf(out, "# HELP wherry_registry_%s %s\n# TYPE wherry_registry_%s %s\nwherry_registry_%s %lld\n", name,
                help, name, type, name, (long long)value);
}

void distribution_metrics(struct distribution *distribution, struct strbuf *out)
{
    const struct counters *counters = &distribution->counters;
    struct ledger_counts counts = {0};
    strbuf_add_string(out, "# HELP wherry_registry_requests_total Requests by the class of their status\n"
                           "# TYPE wherry_registry_requests_total counter\n");
    for (int i = 2; i <= 5; i++)
        strbuf_addf(out, "wherry_registry_requests_total{status=\"%dxx\"} %lld\n", i,
                    (long long)read_counter(&counters->requests[i]));
    const struct {
        const char *name, *help;
        const int64_t *counter;
    } rows[] = {
        {"received_bytes_total", "Bytes of request bodies", &counters->received},
        {"sent_bytes_total", "Bytes of blobs and manifests that were sent", &counters->sent},
        {"uploads_finished_total", "Blobs that were pushed", &counters->uploads_finished},
        {"uploads_failed_total", "Blobs whose end was refused", &counters->uploads_failed},
        {"cache_hits_total", "Questions that were answered without the upstream", &counters->cache_hits},
        {"cache_misses_total", "Questions that the upstream was asked", &counters->cache_misses},
        {"collected_blobs_total", "Blobs that were collected", &counters->collected_blobs},
        {"collected_bytes_total", "Bytes of blobs that were collected", &counters->collected_bytes},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        add(out, rows[i].name, "counter", rows[i].help, read_counter(rows[i].counter));
    add(out, "uploads", "gauge", "Uploads under way", (int64_t)uploads_count(distribution->content));
    if (!ledger_count(distribution->ledger, &counts, NULL))
        return;
    add(out, "repositories", "gauge", "Repositories", counts.repositories);
    add(out, "blobs", "gauge", "Blobs, each once", counts.blobs);
    add(out, "manifests", "gauge", "Manifests", counts.manifests);
    add(out, "tags", "gauge", "Tags", counts.tags);
    add(out, "stored_bytes", "gauge", "Bytes of blobs and manifests", counts.bytes);
}
