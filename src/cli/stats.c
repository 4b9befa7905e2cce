/* wherry stats: a table of what containers use, once or live. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "cli/stats_values.h"
#include "json/json_record.h"

#define TABLE_FORMAT                                                                                                   \
    "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}"
#define REFRESH (NANOSECONDS_PER_SECOND / 2)
/* An engine that says nothing for so long has no values for us. */
#define SILENCE (3 * NANOSECONDS_PER_SECOND)

struct stats_options {
    bool wants_all, is_once, is_not_truncated;
    char *format;
};

static const struct listing_column columns[] = {
    {"BlockIO", "BLOCK I/O"}, {"CPUPerc", "CPU %"}, {"Container", "CONTAINER"},
    {"ID", "CONTAINER ID"},   {"MemPerc", "MEM %"}, {"MemUsage", "MEM USAGE / LIMIT"},
    {"Name", "NAME"},         {"NetIO", "NET I/O"}, {"PIDs", "PIDS"},
};
static const struct listing listing = LISTING("*container.statsContext", columns);

/* One container that is followed. */
struct row {
    char *container;              /* as it was asked for */
    struct client_stream *stream; /* NULL once it has ended */
    struct strbuf pending;        /* the line that is still coming */
    size_t samples;
    int64_t heard_at;
    struct stats_values values;
    bool is_listed; /* of all containers: it was in the last list */
};

struct board {
    struct command_call *call;
    const struct stats_options *options;
    struct row *rows;
    size_t count;
};

static void row_release(struct row *row)
{
    client_stream_free(row->stream);
    strbuf_release(&row->pending);
    stats_values_release(&row->values);
    free(row->container);
}

static void board_release(struct board *board)
{
    for (size_t i = 0; i < board->count; i++)
        row_release(&board->rows[i]);
    free(board->rows);
}

/* Even a single look asks for a stream and leaves it after two samples: so that all containers are measured in the same
   second. */
static bool open_row(struct row *row, struct client *client, const char *container, struct error *err)
{
    _cleanup_free_ char *path = client_path("containers", container, "/stats?stream=1");
    row->container = xstrdup(container);
    row->heard_at = clock_monotonic();
    row->stream = client_stream_get(client, path, err);
    return row->stream != NULL;
}

static void take_line(struct row *row, const char *line, size_t length)
{
    _cleanup_json_ json_t *json = json_parse(line, length, NULL);
    if (!json)
        return;
    row->samples++;
    row->heard_at = clock_monotonic();
    stats_values_read(&row->values, json);
}

static void read_row(struct row *row)
{
    char piece[16384];
    ssize_t count = client_stream_read(row->stream, piece, sizeof(piece));
    if (count <= 0) {
        client_stream_free(TAKE_PTR(row->stream));
        return;
    }
    strbuf_add(&row->pending, piece, (size_t)count);
    const char *end;
    while (row->pending.length && (end = memchr(row->pending.data, '\n', row->pending.length))) {
        size_t length = (size_t)(end - row->pending.data);
        take_line(row, row->pending.data, length);
        strbuf_consume(&row->pending, length + 1);
    }
}

/* Has the row what there is to show of it? A container that does not run has one sample alone. */
static bool is_settled(const struct row *row)
{
    return !row->stream || row->samples > 1 || (row->samples == 1 && !row->values.is_running) ||
           clock_monotonic() - row->heard_at > SILENCE;
}

/* Reads what comes until `deadline`, or (with `settles`) until every row has its values. */
static bool follow(struct board *board, int64_t deadline, bool settles, struct error *err)
{
    _cleanup_free_ struct pollfd *fds = xcalloc(board->count + 1, sizeof(*fds));
    _cleanup_free_ size_t *indices = xcalloc(board->count + 1, sizeof(*indices));
    for (;;) {
        nfds_t count = 0;
        bool is_waiting = false;
        for (size_t i = 0; i < board->count; i++) {
            is_waiting |= !is_settled(&board->rows[i]);
            if (!board->rows[i].stream)
                continue;
            indices[count] = i;
            fds[count++] = (struct pollfd){.fd = client_stream_fd(board->rows[i].stream), .events = POLLIN};
        }
        int64_t left = deadline - clock_monotonic();
        if (left <= 0 || (settles && !is_waiting))
            return true;
        if (poll(fds, count, (int)(MIN(left, NANOSECONDS_PER_SECOND) / 1000000) + 1) < 0 && errno != EINTR)
            return error_errno(err, "poll");
        for (nfds_t i = 0; i < count; i++)
            if (fds[i].revents)
                read_row(&board->rows[indices[i]]);
    }
}

static void remove_row(struct board *board, size_t index)
{
    row_release(&board->rows[index]);
    memmove(&board->rows[index], &board->rows[index + 1], (board->count - index - 1) * sizeof(struct row));
    board->count--;
}

static struct row *find_row(struct board *board, const char *container)
{
    for (size_t i = 0; i < board->count; i++)
        if (string_equal(board->rows[i].container, container))
            return &board->rows[i];
    return NULL;
}

/* The rows of all containers, in the order of the list. */
static bool list_containers(struct board *board, struct error *err)
{
    const char *path = board->options->wants_all ? "/containers/json?all=1&limit=0" : "/containers/json?limit=0";
    _cleanup_json_ json_t *list = client_get_json(board->call->client, path, err);
    if (!list)
        return false;
    for (size_t i = 0; i < board->count; i++)
        board->rows[i].is_listed = false;
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const char *id = string_or_empty(json_string_value(json_object_get(item, "Id")));
        struct row *row = find_row(board, id);
        if (!row) {
            struct row added = {0};
            /* One that has gone since the list was made is no error. */
            if (!open_row(&added, board->call->client, id, NULL)) {
                row_release(&added);
                continue;
            }
            row = APPEND(board->rows, board->count);
            *row = added;
        }
        row->is_listed = true;
    }
    for (size_t k = board->count; k-- > 0;)
        if (!board->rows[k].is_listed)
            remove_row(board, k);
    return true;
}

static bool open_named(struct board *board, struct error *err)
{
    _cleanup_strbuf_ struct strbuf failures = STRBUF_INIT;
    for (size_t i = 0; i < board->call->argument_count; i++) {
        const char *name = board->call->arguments[i];
        _cleanup_error_ struct error why = ERROR_INIT;
        if (find_row(board, name))
            continue;
        if (!open_row(APPEND(board->rows, board->count), board->call->client, name, &why))
            strbuf_addf(&failures, "%s%s", failures.length ? "\n" : "", error_message(&why));
    }
    return failures.length == 0 || error_set(err, ERROR_INTERNAL, "%s", strbuf_text(&failures));
}

static json_t *make_rows(struct board *board, bool is_all)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < board->count; i++) {
        const struct row *row = &board->rows[i];
        if (row->samples == 0 && !is_all)
            continue;
        bool is_silent = row->stream && clock_monotonic() - row->heard_at > SILENCE;
        _cleanup_free_ char *shown = is_all ? short_id(row->container) : xstrdup(row->container);
        json_array_append_new(rows, stats_values_row(&row->values, shown, board->options->is_not_truncated,
                                                     is_silent || row->samples == 0));
    }
    return rows;
}

static bool print_board(struct board *board, const char *format, bool is_all, struct error *err)
{
    _cleanup_json_ json_t *rows = make_rows(board, is_all);
    if (board->options->is_once)
        return listing_print(&listing, format, rows, err);
    return listing_print_screen(&listing, format, rows, err);
}

static bool run_board(struct board *board, const char *format, struct error *err)
{
    bool is_all = board->call->argument_count == 0;
    if (is_all ? !list_containers(board, err) : !open_named(board, err))
        return false;
    int64_t now = clock_monotonic();
    if (!follow(board, now + 2 * SILENCE, true, err))
        return false;
    for (;;) {
        if (!print_board(board, format, is_all, err))
            return false;
        if (board->options->is_once || fflush(stdout) != 0)
            return true;
        bool is_left = is_all;
        for (size_t i = 0; i < board->count; i++)
            is_left |= board->rows[i].stream != NULL;
        if (!is_left)
            return true; /* all that were asked for are gone */
        if (!follow(board, clock_monotonic() + REFRESH, false, err) || (is_all && !list_containers(board, err)))
            return false;
    }
}

static bool stats_run(struct command_call *call, struct error *err)
{
    const struct stats_options *options = call->values;
    struct board board = {.call = call, .options = options};
    _cleanup_free_ char *format = listing_format(call, options->format, "statsFormat");
    bool is_done = run_board(&board, string_equal(format, "table") ? TABLE_FORMAT : format, err);
    board_release(&board);
    return is_done;
}

#define AT(member) offsetof(struct stats_options, member)
static const struct option rows[] = {
    {"all", 'a', OPTION_BOOL, AT(wants_all), NULL, "Show all containers (default shows just running)"},
    {"format", 0, OPTION_STRING, AT(format), "string", FORMAT_HELP},
    {"no-stream", 0, OPTION_BOOL, AT(is_once), NULL, "Disable streaming stats and only pull the first result"},
    {"no-trunc", 0, OPTION_BOOL, AT(is_not_truncated), NULL, "Do not truncate output"},
};

const struct command stats_command = {
    .paths = {"container stats", "stats"},
    .usage = "[OPTIONS] [CONTAINER...]",
    .help = "Display a live stream of container(s) resource usage statistics",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct stats_options),
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = stats_run,
};
