#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "registry/registry_internal.h"

#define BAR_WIDTH 50

void teller_init(struct teller *teller, const struct registry_call *call)
{
    teller->call = call;
    pthread_mutex_init(&teller->lock, NULL);
}

void teller_release(struct teller *teller)
{
    pthread_mutex_destroy(&teller->lock);
}

void tell(struct teller *teller, json_t *message)
{
    if (!teller->call->progress) {
        json_decref(message);
        return;
    }
    pthread_mutex_lock(&teller->lock);
    teller->call->progress(teller->call->context, message);
    pthread_mutex_unlock(&teller->lock);
}

void tell_message(struct teller *teller, const char *id, const char *status)
{
    json_t *message = json_pack("{s:s}", "status", status);
    if (id)
        json_object_set_new(message, "id", json_string(id));
    tell(teller, message);
}

void tell_state(struct teller *teller, const char *id, const char *status)
{
    tell(teller, json_pack("{s:s, s:{}, s:s}", "status", status, "progressDetail", "id", id));
}

/* docker/go-units' HumanSize. */
static void add_size(struct strbuf *out, int64_t bytes, int width)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double size = (double)bytes;
    size_t unit = 0;
    for (; size >= 1000 && unit + 1 < ARRAY_SIZE(units); unit++)
        size /= 1000;
    _cleanup_free_ char *text = xasprintf("%.4g%s", size, units[unit]);
    strbuf_addf(out, "%*s", width, text);
}

/* What clients of old times print as it is. */
static void add_bar(struct strbuf *out, int64_t current, int64_t total)
{
    int filled = (int)((double)current / (double)total * 100) / 2;
    filled = MIN(filled, BAR_WIDTH);
    strbuf_add_char(out, '[');
    for (int i = 0; i <= BAR_WIDTH; i++)
        strbuf_add_char(out, i < filled ? '=' : i == filled ? '>' : ' ');
    strbuf_add_string(out, "] ");
    add_size(out, current, 8);
    if (current <= total) {
        strbuf_add_char(out, '/');
        add_size(out, total, 0);
    }
}

void tell_progress(struct teller *teller, const char *id, const char *status, int64_t current, int64_t total)
{
    _cleanup_strbuf_ struct strbuf bar = STRBUF_INIT;
    if (total > 0)
        add_bar(&bar, current, total);
    tell(teller, json_pack("{s:s, s:{s:I, s:I}, s:s, s:s*}", "status", status, "progressDetail", "current",
                           (json_int_t)current, "total", (json_int_t)total, "progress", strbuf_text(&bar), "id", id));
}

bool call_is_cancelled(const struct registry_call *call)
{
    return call->is_cancelled && call->is_cancelled(call->context);
}

bool call_sleep(const struct registry_call *call, int64_t nanoseconds)
{
    int64_t end = clock_monotonic() + nanoseconds;
    while (!call_is_cancelled(call)) {
        int64_t left = end - clock_monotonic();
        if (left <= 0)
            return true;
        struct timespec pause = {.tv_nsec = (long)MIN(left, NANOSECONDS_PER_SECOND / 10)};
        nanosleep(&pause, NULL);
    }
    return false;
}
