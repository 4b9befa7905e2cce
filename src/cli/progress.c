#include "cli/progress.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/human.h"
#include "cli/message_stream.h"
#include "json/json_record.h"

#define BAR_WIDTH 50

struct progress {
    FILE *out;
    bool is_terminal;
    unsigned columns;
    struct strlist ids; /* in the order of their lines on the terminal */
    const struct progress_options *options;
};

static const char *text_of(const json_t *message, const char *key)
{
    return string_or_empty(json_string_value(json_object_get(message, key)));
}

static int64_t number_of(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

/* "[====>   ]  1.2MB/3.4MB", or "" where there is nothing to show. The caller frees. */
static char *bar(const json_t *detail, unsigned columns)
{
    int64_t current = number_of(detail, "current"), total = number_of(detail, "total");
    const char *units = text_of(detail, "units");
    if (current <= 0 && total <= 0)
        return xstrdup("");
    _cleanup_free_ char *done = human_size((double)current, 4);
    if (total <= 0)
        return *units ? xasprintf("%lld %s", (long long)current, units) : xasprintf("%8s", done);
    struct strbuf text = STRBUF_INIT;
    if (columns > 110) {
        int filled = (int)MIN((double)current / (double)total * BAR_WIDTH, (double)BAR_WIDTH);
        strbuf_add_char(&text, '[');
        for (int i = 0; i < BAR_WIDTH + 1; i++)
            strbuf_add_char(&text, i < filled ? '=' : i == filled ? '>' : ' ');
        strbuf_add_string(&text, "] ");
    }
    bool hides_counts = json_is_true(json_object_get(detail, "hidecounts"));
    _cleanup_free_ char *size = human_size((double)total, 4);
    if (!hides_counts && *units)
        strbuf_addf(&text, current > total ? "%lld %s" : "%lld", (long long)current, current > total ? units : "");
    if (!hides_counts && *units && current <= total)
        strbuf_addf(&text, "/%lld %s", (long long)total, units);
    if (!hides_counts && !*units) {
        strbuf_addf(&text, "%8s", done);
        if (current <= total)
            strbuf_addf(&text, "/%s", size);
    }
    return strbuf_take(&text);
}

static void print_message(struct progress *progress, const json_t *message)
{
    const json_t *detail = json_object_get(message, "progressDetail");
    _cleanup_free_ char *shown = bar(detail, progress->columns);
    const char *id = text_of(message, "id"), *from = text_of(message, "from"), *stream = text_of(message, "stream");
    const char *end = "";
    if (progress->is_terminal && !*stream && detail) {
        fprintf(progress->out, "\x1b[2K\r");
        end = "\r";
    } else if (*shown) {
        return; /* bars are for terminals */
    }
    if (*id)
        fprintf(progress->out, "%s: ", id);
    if (*from)
        fprintf(progress->out, "(from %s) ", from);
    if (detail && progress->is_terminal)
        fprintf(progress->out, "%s %s%s", text_of(message, "status"), shown, end);
    else if (*stream)
        fprintf(progress->out, "%s%s", stream, end);
    else
        fprintf(progress->out, "%s%s\n", text_of(message, "status"), end);
}

/* On a terminal a message about the progress of an id goes to that id's line: up there, and down again. A message of
   another kind starts the lines anew, because it moves them. */
static void place_message(struct progress *progress, const json_t *message)
{
    const char *id = text_of(message, "id");
    size_t distance = 0;
    if (*id && json_object_get(message, "progressDetail")) {
        size_t line = 0;
        while (line < progress->ids.count && strcmp(progress->ids.items[line], id) != 0)
            line++;
        if (line == progress->ids.count) {
            strlist_add(&progress->ids, id);
            if (progress->is_terminal)
                fputc('\n', progress->out);
        }
        distance = progress->ids.count - line;
        if (progress->is_terminal)
            fprintf(progress->out, "\x1b[%zuA", distance);
    } else {
        strlist_release(&progress->ids);
    }
    print_message(progress, message);
    if (*id && progress->is_terminal && distance)
        fprintf(progress->out, "\x1b[%zuB", distance);
}

static bool show_message(struct progress *progress, const json_t *message, struct error *err)
{
    const json_t *detail = json_object_get(message, "errorDetail");
    const char *text = text_of(detail, "message");
    if (!*text)
        text = text_of(message, "error");
    if (*text) {
        if (number_of(detail, "code") == 401)
            return error_set(err, ERROR_UNAUTHORIZED, "authentication is required");
        return error_set(err, ERROR_INTERNAL, "%s", text);
    }
    const json_t *aux = json_object_get(message, "aux");
    if (aux) {
        if (progress->options->aux)
            progress->options->aux(progress->options->context, aux, text_of(message, "id"));
        return true;
    }
    place_message(progress, message);
    fflush(progress->out);
    return true;
}

bool progress_show(struct client_stream *stream, const struct progress_options *options, struct error *err)
{
    static const struct progress_options defaults = {0};
    struct progress progress = {.options = options ? options : &defaults, .columns = 200};
    progress.out = progress.options->out ? progress.options->out : stdout;
    struct winsize size;
    progress.is_terminal = !progress.options->is_plain && isatty(fileno(progress.out));
    if (progress.is_terminal && ioctl(fileno(progress.out), TIOCGWINSZ, &size) == 0 && size.ws_col)
        progress.columns = size.ws_col;
    _cleanup_message_stream_ struct message_stream messages = {.stream = stream};
    bool is_good = true;
    while (is_good) {
        _cleanup_json_ json_t *message = NULL;
        is_good = message_stream_next(&messages, &message, err);
        if (!message)
            break;
        is_good = show_message(&progress, message, err);
    }
    strlist_release(&progress.ids);
    return is_good;
}
