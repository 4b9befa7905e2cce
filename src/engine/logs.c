#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/log_file.h"
#include "engine/wait.h"

/* What is written to the client at a time. */
#define OUTPUT_SIZE ((size_t)65536)

struct container_logs {
    struct container *container;
    struct log_file *file;
    struct logs_options options;
    bool is_framed;
    struct log_follower *follower; /* NULL unless it is followed */
    struct container_wait *exit;   /* NULL unless it is followed */
    struct strbuf out;
    int64_t second; /* whose text second_text is */
    char second_text[TIME_TEXT_SIZE];
};

static void logs_free(struct container_logs *logs)
{
    if (!logs)
        return;
    log_file_free(logs->file);
    container_wait_free(logs->exit);
    log_follower_free(logs->container->engine, logs->follower);
    strbuf_release(&logs->out);
    container_unref(logs->container);
    free(logs);
}

/* Watches before the file is read, so that nothing is missed between. What is followed is the present run: as with
   Docker its end is the end, also of one that will be started again, and a container that does not run is not followed.
 */
static bool begin_following(struct container_logs *logs, const char *path, struct error *err)
{
    struct container *container = logs->container;
    container_lock(container);
    bool is_running = status_has_process(container->status);
    if (is_running)
        logs->exit = container_wait_add(container, WAIT_NEXT_EXIT, err);
    container_unlock(container);
    if (!is_running) {
        logs->options.follows = false;
        return true;
    }
    if (!logs->exit)
        return false;
    _cleanup_free_ char *folder = xstrndup(path, (size_t)(path_base(path) - path));
    logs->follower = log_follower_new(container->engine, folder, err);
    return logs->follower != NULL;
}

struct container_logs *container_logs_open(struct engine *engine, const char *reference,
                                           const struct logs_options *options, bool *is_terminal, struct error *err)
{
    if (!options->wants_stdout && !options->wants_stderr) {
        error_set(err, ERROR_INVALID, "Bad parameters: you must choose at least one stream");
        return NULL;
    }
    struct container *container = container_find(engine, reference, err);
    if (!container)
        return NULL;
    struct container_logs *logs = NEW(struct container_logs);
    logs->container = container;
    logs->options = *options;
    logs->is_framed = !container->record.config.tty && !options->is_raw;
    logs->second = -1;
    _cleanup_free_ char *path = NULL;
    enum shim_log_format format = container_log_file(container, &path);
    bool is_good = format != SHIM_LOG_NONE ||
                   error_set(err, ERROR_UNSUPPORTED, "configured logging driver does not support reading");
    is_good = is_good && (!options->follows || begin_following(logs, path, err));
    if (is_good) {
        logs->file = log_file_open(format, path, options->tail, options->since, err);
        is_good = logs->file != NULL;
    }
    if (!is_good) {
        logs_free(logs);
        return NULL;
    }
    *is_terminal = container->record.config.tty;
    return logs;
}

/* "2024-01-02T03:04:05.678000000Z "; the second's text is kept, because formatting it is what costs. */
static void add_time(struct container_logs *logs, unix_nano time)
{
    int64_t second = time / NANOSECONDS_PER_SECOND, fraction = time % NANOSECONDS_PER_SECOND;
    if (second != logs->second) {
        time_format_fixed(second * NANOSECONDS_PER_SECOND, logs->second_text);
        logs->second = second;
    }
    char digits[] = "000000000Z ";
    for (int i = 8; i >= 0; i--, fraction /= 10)
        digits[i] = (char)('0' + fraction % 10);
    strbuf_add(&logs->out, logs->second_text, 20); /* with the point */
    strbuf_add(&logs->out, digits, sizeof(digits) - 1);
}

static void add_line(struct container_logs *logs, const struct log_line *line)
{
    struct strbuf *out = &logs->out;
    size_t head = out->length;
    if (logs->is_framed) {
        const char frame[8] = {line->is_stderr ? 2 : 1};
        strbuf_add(out, frame, sizeof(frame));
    }
    if (logs->options.wants_timestamps)
        add_time(logs, line->time);
    if (logs->options.wants_details) {
        strbuf_add(out, strbuf_text(&line->attributes), line->attributes.length);
        strbuf_add_char(out, ' ');
    }
    strbuf_add(out, strbuf_text(&line->text), line->text.length);
    if (logs->is_framed) {
        size_t length = out->length - head - 8;
        for (unsigned i = 0; i < 4; i++)
            out->data[head + 4 + i] = (char)(length >> (24 - 8 * i));
    }
}

/* Everything that is there; false where the client does not take it. *is_past tells that `until` was reached. */
static bool drain(struct container_logs *logs, stream_write write, void *context, bool *is_past)
{
    struct log_line line = {0};
    bool is_taken = true;
    while (is_taken && !*is_past && log_file_next(logs->file, &line)) {
        if (logs->options.until && line.time > logs->options.until) {
            *is_past = true;
            break;
        }
        bool is_wanted = line.is_stderr ? logs->options.wants_stderr : logs->options.wants_stdout;
        if (!is_wanted || (logs->options.since && line.time < logs->options.since))
            continue;
        add_line(logs, &line);
        if (logs->out.length >= OUTPUT_SIZE) {
            is_taken = write(context, logs->out.data, logs->out.length);
            strbuf_truncate(&logs->out, 0);
        }
    }
    log_line_release(&line);
    if (is_taken && logs->out.length) {
        is_taken = write(context, logs->out.data, logs->out.length);
        strbuf_truncate(&logs->out, 0);
    }
    return is_taken;
}

/* Blocks until there may be more; *is_over once the container has ended, false where the client has left. */
static bool wait_for_more(struct container_logs *logs, int client, bool *is_over)
{
    struct pollfd events[] = {{.fd = logs->follower->event, .events = POLLIN},
                              {.fd = logs->exit->event, .events = POLLIN},
                              {.fd = client, .events = POLLRDHUP}};
    int timeout = -1;
    log_file_release_memory(logs->file);
    strbuf_release(&logs->out);
    if (logs->options.until) {
        int64_t left = (logs->options.until - clock_now()) / 1000000 + 1;
        timeout = left < 0 ? 0 : (int)MIN(left, 60000);
    }
    if (poll(events, 3, timeout) < 0 && errno != EINTR)
        return false;
    eventfd_t ignored;
    if (events[0].revents)
        eventfd_read(logs->follower->event, &ignored);
    *is_over = events[1].revents != 0 || (logs->options.until && clock_now() > logs->options.until);
    return !events[2].revents;
}

bool container_logs_stream(struct container_logs *logs, stream_write write, void *context, int client,
                           struct error *err)
{
    bool is_past = false, is_over = !logs->options.follows, is_taken;
    while ((is_taken = drain(logs, write, context, &is_past)) && !is_past && !is_over)
        if (!wait_for_more(logs, client, &is_over)) {
            is_taken = false;
            break;
        }
    /* The exit was seen: what the container wrote last is there by now. */
    if (is_taken && !is_past && logs->options.follows)
        is_taken = drain(logs, write, context, &is_past);
    logs_free(logs);
    return is_taken || error_set(err, ERROR_CANCELLED, "the client has left");
}
