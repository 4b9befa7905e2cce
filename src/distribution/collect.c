/* Garbage: when what nothing refers to is removed. Pushes go on meanwhile: what they have sent, or asked for, is
   younger than the grace until their manifest refers to it. */
#include "base/log.h"
#include "distribution/distribution.h"

/* A question about a blob within this time is not noted (ledger_blobs.c). */
#define NOT_NOTED (60 * NANOSECONDS_PER_SECOND)

static void remove_blob(void *context, const char *digest)
{
    content_remove_blob(context, digest);
}

/* A file that got its name, whose row was lost in a crash. */
static bool remove_stray(void *context, const char *digest)
{
    struct distribution *distribution = context;
    ledger_collect_stray(distribution->ledger, digest, remove_blob, distribution->content, NULL);
    return true;
}

bool distribution_collect(struct distribution *distribution, int64_t grace, bool includes_untagged,
                          struct collected *out, struct error *err)
{
    unix_nano before = clock_now() - grace - (grace > 0 ? NOT_NOTED : 0);
    *out = (struct collected){0};
    if (includes_untagged && !ledger_collect_manifests(distribution->ledger, before, out, err))
        return false;
    if (!ledger_collect_blobs(distribution->ledger, before, remove_blob, distribution->content, out, err) ||
        !ledger_collect_repositories(distribution->ledger, err))
        return false;
    if (!content_each_blob(distribution->content, before, remove_stray, distribution, err))
        return false;
    count_add(&distribution->counters.collected_blobs, out->blobs);
    count_add(&distribution->counters.collected_bytes, out->bytes);
    log_info("Collected %lld manifests, %lld links, %lld blobs of %lld bytes", (long long)out->manifests,
             (long long)out->links, (long long)out->blobs, (long long)out->bytes);
    return true;
}
