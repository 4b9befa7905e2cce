#include "cli/compose/log_mux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/endpoint.h"
#include "json/json_record.h"

#define LINE_LIMIT ((size_t)1 << 16)

/* Cyan, yellow, green, magenta, blue, and their bright ones: docker compose's. */
static const char *const colours[] = {"36", "33", "32", "35", "34", "36;1", "33;1", "32;1", "35;1", "34;1"};

static void write_line(const struct log_mux *mux, struct log_source *source)
{
    const char *text = strbuf_text(&source->line);
    if (mux->options.has_no_prefix)
        printf("%s\n", text);
    else if (mux->has_colour)
        printf("\033[%sm%-*s  | \033[0m%s\n", colours[source->colour], (int)mux->width, source->name, text);
    else
        printf("%-*s  | %s\n", (int)mux->width, source->name, text);
    strbuf_truncate(&source->line, 0);
}

struct sink {
    struct log_mux *mux;
    struct log_source *source;
};

static bool take(void *context, enum frame_stream stream, const void *data, size_t length, struct error *err)
{
    const struct sink *sink = context;
    const char *text = data;
    for (size_t i = 0; i < length;) {
        const char *newline = memchr(text + i, '\n', length - i);
        size_t count = newline ? (size_t)(newline - text) - i : length - i;
        strbuf_add(&sink->source->line, text + i, count);
        /* A carriage return before the end is a terminal's. */
        if (newline && sink->source->line.length > 0 && sink->source->line.data[sink->source->line.length - 1] == '\r')
            strbuf_truncate(&sink->source->line, sink->source->line.length - 1);
        if (newline || sink->source->line.length > LINE_LIMIT)
            write_line(sink->mux, sink->source);
        i += count + (newline != NULL);
    }
    return true;
}

static void *pump(void *argument)
{
    struct log_source *source = argument;
    struct sink sink = {source->mux, source};
    char piece[32768];
    ssize_t count;
    bool is_good = true;
    while (is_good && (count = client_stream_read(source->stream, piece, sizeof(piece))) > 0) {
        pthread_mutex_lock(&source->mux->lock);
        is_good = source->is_raw ? take(&sink, FRAME_STDOUT, piece, (size_t)count, NULL)
                                 : frames_decode(&source->frames, piece, (size_t)count, take, &sink, NULL);
        fflush(stdout);
        pthread_mutex_unlock(&source->mux->lock);
    }
    pthread_mutex_lock(&source->mux->lock);
    if (source->line.length > 0)
        write_line(source->mux, source);
    fflush(stdout);
    pthread_mutex_unlock(&source->mux->lock);
    write_full(source->mux->ended[1], &source, sizeof(struct log_source *));
    return NULL;
}

bool log_mux_begin(struct log_mux *mux, const struct command_call *call, const struct log_options *options,
                   struct error *err)
{
    const char *ansi = compose_flags_of(call)->ansi;
    bool wants = string_equal(ansi, "always") || (!string_equal(ansi, "never") && isatty(STDOUT_FILENO));
    *mux = (struct log_mux){.call = call,
                            .options = *options,
                            .has_colour = wants && !options->has_no_colour && !getenv("NO_COLOR"),
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .ended = {-1, -1}};
    return pipe2(mux->ended, O_CLOEXEC) == 0 || error_errno(err, "pipe");
}

void log_mux_release(struct log_mux *mux)
{
    for (size_t i = 0; i < mux->count; i++) {
        struct log_source *source = &mux->sources[i];
        if (source->is_open) {
            shutdown(client_stream_fd(source->stream), SHUT_RDWR);
            pthread_join(source->thread, NULL);
        }
        client_stream_free(source->stream);
        client_free(source->client);
        free(source->id);
        free(source->name);
        free(source->service);
        strbuf_release(&source->line);
    }
    free(mux->sources);
    close_fd(mux->ended[0]);
    close_fd(mux->ended[1]);
}

static bool open_source(struct log_mux *mux, struct log_source *source, const char *since, struct error *err)
{
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_addf(&path, "/containers/%s/logs?stdout=1&stderr=1%s%s", source->id, mux->options.follows ? "&follow=1" : "",
                mux->options.has_timestamps ? "&timestamps=1" : "");
    client_query_add(&path, "tail", mux->options.tail);
    client_query_add(&path, "since", since);
    client_query_add(&path, "until", mux->options.until);
    source->opened = clock_now();
    source->frames = (struct frame_decoder){0};
    source->stream = client_stream_get(source->client, strbuf_text(&path), err);
    if (!source->stream)
        return false;
    const char *type = client_stream_header(source->stream, "content-type");
    source->is_raw = string_equal(type, "application/vnd.docker.raw-stream");
    int problem = pthread_create(&source->thread, NULL, pump, source);
    if (problem) {
        client_stream_free(source->stream);
        source->stream = NULL;
        return error_errno_value(err, problem, "starting a thread");
    }
    source->is_open = true;
    return true;
}

void log_mux_add(struct log_mux *mux, const struct compose_container *container, const char *project)
{
    struct log_source *source = APPEND(mux->sources, mux->count);
    size_t length = strlen(project);
    bool has_project = string_starts_with(container->name, project) && container->name[length] == '-';
    source->colour = (int)((mux->count - 1) % ARRAY_SIZE(colours));
    source->id = xstrdup(container->id);
    source->name = xstrdup(container->name + (has_project ? length + 1 : 0));
    source->service = xstrdup(container->service);
    mux->width = MAX(mux->width, strlen(source->name));
}

bool log_mux_start(struct log_mux *mux, struct error *err)
{
    for (size_t i = 0; i < mux->count; i++) {
        struct log_source *source = &mux->sources[i];
        source->mux = mux;
        source->client = endpoint_client(mux->call->globals, mux->call->config_directory, err);
        if (!source->client || !open_source(mux, source, mux->options.since, err))
            return false;
    }
    return true;
}

bool log_mux_reopen(struct log_mux *mux, struct log_source *source, struct error *err)
{
    _cleanup_free_ char *since =
        xasprintf("%lld.%09lld", (long long)source->opened / 1000000000, (long long)source->opened % 1000000000);
    return open_source(mux, source, since, err);
}

size_t log_mux_open_count(const struct log_mux *mux)
{
    size_t open = 0;
    for (size_t i = 0; i < mux->count; i++)
        open += mux->sources[i].is_open;
    return open;
}

bool log_mux_wait(struct log_mux *mux, int extra_fd, struct log_source **ended, struct error *err)
{
    struct pollfd fds[2] = {{.fd = mux->ended[0], .events = POLLIN}, {.fd = extra_fd, .events = POLLIN}};
    *ended = NULL;
    if (poll(fds, 2, -1) < 0)
        return errno == EINTR || error_errno(err, "poll");
    if (!(fds[0].revents & POLLIN))
        return true;
    if (read_full(mux->ended[0], ended, sizeof(struct log_source *)) != (ssize_t)sizeof(struct log_source *))
        return error_set(err, ERROR_INTERNAL, "the end of a container's output was not told");
    pthread_join((*ended)->thread, NULL);
    (*ended)->is_open = false;
    client_stream_free((*ended)->stream);
    (*ended)->stream = NULL;
    return true;
}
