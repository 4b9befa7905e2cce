/* One layer's way in: streamed into the store while it arrives. Where the connection breaks off it goes on by a range,
   after a pause that grows. Pulls that want a layer which is on its way wait for it instead of fetching it twice. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "registry/registry_internal.h"
#include "store/layer.h"

#define REPORT_INTERVAL (NANOSECONDS_PER_SECOND / 10)

struct download {
    struct session *session;
    struct teller *teller;
    const struct descriptor *descriptor;
    char *id; /* short */
    struct transport *transport;
    struct transfer *transfer;
    struct arrival *arrival;
    int64_t received;
    int64_t attempts; /* since the last byte */
    int64_t reported_at;
    struct error err;
};

/* Skips what an answer without the range that was asked for repeats. */
static bool skip(struct download *download, int64_t count, struct error *err)
{
    char buffer[16 << 10];
    while (count > 0) {
        ssize_t n = transfer_read(download->transfer, buffer, (size_t)MIN(count, (int64_t)sizeof(buffer)), err);
        if (n <= 0)
            return n < 0 ? false : error_set(err, ERROR_UNAVAILABLE, "unexpected EOF");
        count -= n;
    }
    return true;
}

static bool begin(struct download *download, struct error *err)
{
    struct session *session = download->session;
    _cleanup_free_ char *url = session_url(session, "blobs/%s", download->descriptor->digest);
    struct transfer_request request = {.method = "GET", .url = url};
    if (download->received > 0)
        strlist_addf(&request.headers, "Range: bytes=%lld-", (long long)download->received);
    download->transfer = session_send(session, download->transport, &request, err);
    strlist_release(&request.headers);
    if (!download->transfer)
        return false;
    int status = transfer_status(download->transfer);
    if (status == 206 && download->received > 0)
        return true;
    if (status != 200)
        return session_refused(download->transfer, err);
    return download->received == 0 || skip(download, download->received, err);
}

static void end(struct download *download)
{
    transfer_close(TAKE_PTR(download->transfer));
}

/* What a refusal says for good is not asked again. */
static bool is_worth_another_try(const struct download *download, const struct error *why)
{
    int64_t limit = download->session->registry->options.max_attempts;
    bool is_final = why->kind == ERROR_CANCELLED || why->kind == ERROR_NOT_FOUND || why->kind == ERROR_DENIED ||
                    why->kind == ERROR_UNAUTHORIZED || why->kind == ERROR_INVALID;
    return !is_final && download->attempts < limit;
}

/* Takes the error; true where the download may go on. */
static bool recover(struct download *download, struct error *why)
{
    end(download);
    download->attempts++;
    if (!is_worth_another_try(download, why))
        return error_move(&download->err, why);
    error_release(why);
    for (int64_t seconds = download->attempts; seconds > 0; seconds--) {
        _cleanup_free_ char *text = xasprintf("Retrying in %lld second%s", (long long)seconds, seconds == 1 ? "" : "s");
        tell_state(download->teller, download->id, text);
        if (!call_sleep(download->session->call, NANOSECONDS_PER_SECOND))
            return error_set(&download->err, ERROR_CANCELLED, "context canceled");
    }
    return true;
}

static void report(struct download *download)
{
    pthread_mutex_lock(&download->session->registry->lock);
    download->arrival->received = download->received;
    pthread_mutex_unlock(&download->session->registry->lock);
    int64_t now = clock_monotonic();
    if (now - download->reported_at < REPORT_INTERVAL)
        return;
    download->reported_at = now;
    tell_progress(download->teller, download->id, "Downloading", download->received, download->descriptor->size);
}

/* A stream_read. */
static ssize_t download_read(void *context, void *data, size_t length)
{
    struct download *download = context;
    int64_t size = download->descriptor->size;
    while (download->received < size) {
        struct error why = ERROR_INIT;
        ssize_t n = -1;
        if (download->transfer || begin(download, &why))
            n = transfer_read(download->transfer, data, (size_t)MIN((int64_t)length, size - download->received), &why);
        if (n > 0) {
            download->received += n;
            download->attempts = 0;
            report(download);
            return n;
        }
        if (n == 0)
            error_set(&why, ERROR_UNAVAILABLE, "unexpected EOF");
        if (!recover(download, &why)) {
            errno = EIO;
            return -1;
        }
    }
    if (download->transfer) {
        tell_state(download->teller, download->id, "Verifying Checksum");
        tell_state(download->teller, download->id, "Download complete");
        end(download);
    }
    return 0;
}

/* --- one at a time for each layer, and not too many together --- */

static void wait_for_change(struct registry *registry)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 100000000;
    if (until.tv_nsec >= NANOSECONDS_PER_SECOND) {
        until.tv_sec++;
        until.tv_nsec -= NANOSECONDS_PER_SECOND;
    }
    pthread_cond_timedwait(&registry->changed, &registry->lock, &until);
}

static struct arrival *arrival_find(struct registry *registry, const char *diff_id)
{
    struct arrival *arrival = registry->arrivals;
    while (arrival && strcmp(arrival->diff_id, diff_id) != 0)
        arrival = arrival->next;
    return arrival;
}

static void arrival_remove(struct registry *registry, struct arrival *arrival)
{
    struct arrival **place = &registry->arrivals;
    while (*place != arrival)
        place = &(*place)->next;
    *place = arrival->next;
    free(arrival->diff_id);
    free(arrival);
}

/* Waits until nobody else gets the layer and there is room. *arrival is ours, or NULL where the layer has come. */
static bool claim(struct session *session, struct teller *teller, const struct descriptor *descriptor,
                  const char *diff_id, const char *id, struct arrival **arrival, struct error *err)
{
    struct registry *registry = session->registry;
    *arrival = NULL;
    bool is_done = true;
    pthread_mutex_lock(&registry->lock);
    for (;;) {
        struct arrival *other = arrival_find(registry, diff_id);
        int64_t received = other ? other->received : 0;
        if (!other && registry->downloads < registry->options.max_downloads) {
            *arrival = NEW(struct arrival);
            **arrival = (struct arrival){.diff_id = xstrdup(diff_id), .next = registry->arrivals};
            registry->arrivals = *arrival;
            registry->downloads++;
            break;
        }
        wait_for_change(registry);
        pthread_mutex_unlock(&registry->lock);
        if (received > 0)
            tell_progress(teller, id, "Downloading", received, descriptor->size);
        bool is_cancelled = call_is_cancelled(session->call);
        pthread_mutex_lock(&registry->lock);
        if (is_cancelled) {
            is_done = error_set(err, ERROR_CANCELLED, "context canceled");
            break;
        }
    }
    pthread_mutex_unlock(&registry->lock);
    return is_done;
}

static void unclaim(struct registry *registry, struct arrival *arrival)
{
    pthread_mutex_lock(&registry->lock);
    arrival_remove(registry, arrival);
    registry->downloads--;
    pthread_cond_broadcast(&registry->changed);
    pthread_mutex_unlock(&registry->lock);
}

static bool fetch(struct download *download, const char *diff_id, struct error *err)
{
    struct layer_info layer = {0};
    struct store *store = download->session->registry->store;
    if (layer_add_checked(store, download_read, download, diff_id, download->descriptor->digest, &layer, err)) {
        layer_info_release(&layer);
        return true;
    }
    if (download->err.kind != ERROR_NONE)
        return error_move(err, &download->err);
    return false;
}

bool download_layer(struct session *session, struct teller *teller, const struct descriptor *descriptor,
                    const char *diff_id, struct error *err)
{
    struct registry *registry = session->registry;
    _cleanup_free_ char *id = digest_short(descriptor->digest);
    struct arrival *arrival = NULL;
    if (!claim(session, teller, descriptor, diff_id, id, &arrival, err))
        return false;
    bool is_done = true;
    if (layer_exists(registry->store, diff_id)) {
        tell_state(teller, id, "Download complete");
    } else {
        struct download download = {.session = session,
                                    .teller = teller,
                                    .descriptor = descriptor,
                                    .id = id,
                                    .transport = session_transport(session),
                                    .arrival = arrival};
        is_done = fetch(&download, diff_id, err);
        end(&download);
        error_release(&download.err);
        transport_free(download.transport);
        if (is_done)
            tell_progress(teller, id, "Extracting", descriptor->size, descriptor->size);
    }
    unclaim(registry, arrival);
    if (is_done)
        tell_state(teller, id, "Pull complete");
    return is_done;
}
