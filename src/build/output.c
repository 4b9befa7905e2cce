#include "build/output.h"

#include <stdarg.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

void output_init(struct output *output)
{
    pthread_mutex_init(&output->lock, NULL);
}

void output_add_panes(struct output *output, size_t count)
{
    output->panes = xcalloc(count + 1, sizeof(*output->panes));
    output->count = count;
}

void output_release(struct output *output)
{
    for (size_t i = 0; i < output->count; i++)
        strbuf_release(&output->panes[i].text);
    free(output->panes);
    strbuf_release(&output->quiet);
    pthread_mutex_destroy(&output->lock);
}

static json_t *json_of(const char *text)
{
    _cleanup_free_ char *clean = text_to_utf8(text);
    return json_string(clean);
}

void output_row(struct output *output, json_t *row)
{
    pthread_mutex_lock(&output->lock);
    output->tell(output->context, row);
    pthread_mutex_unlock(&output->lock);
}

/* With the lock held. */
static void say(struct output *output, const char *text)
{
    if (output->is_quiet)
        strbuf_add_string(&output->quiet, text);
    else if (*text)
        output->tell(output->context, json_pack("{s:o}", "stream", json_of(text)));
}

static void put_text(struct output *output, size_t pane, const char *text)
{
    pthread_mutex_lock(&output->lock);
    if (pane <= output->current || pane >= output->count)
        say(output, text);
    else
        strbuf_add_string(&output->panes[pane].text, text);
    pthread_mutex_unlock(&output->lock);
}

void output_text(struct output *output, size_t pane, const char *format, ...)
{
    if (output->has_events)
        return;
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *text = xvasprintf(format, arguments);
    va_end(arguments);
    put_text(output, pane, text);
}

void output_log(struct output *output, size_t pane, size_t step, int stream, const void *data, size_t length)
{
    /* A text ends at a NUL; one that a process writes is no text. */
    _cleanup_free_ char *text = xstrndup(data, length);
    for (size_t i = strlen(text); i < length; i++)
        text[i] = ((const char *)data)[i] ? ((const char *)data)[i] : ' ';
    if (output->has_events) {
        output_row(output, json_pack("{s:{s:I, s:i, s:o}}", "log", "step", (json_int_t)step, "stream", stream, "text",
                                     json_of(text)));
        return;
    }
    _cleanup_free_ char *coloured = stream == 2 ? xasprintf("\033[91m%s\033[0m", text) : NULL;
    put_text(output, pane, coloured ? coloured : text);
}

void output_step(struct output *output, size_t step, const char *stage, const char *name, int line, const char *state,
                 double seconds)
{
    if (!output->has_events)
        return;
    json_t *row = json_pack("{s:I, s:o, s:o, s:i, s:s}", "id", (json_int_t)step, "stage", json_of(stage), "name",
                            json_of(name), "line", line, "state", state);
    if (seconds >= 0)
        json_object_set_new(row, "seconds", json_real(seconds));
    output_row(output, json_pack("{s:o}", "step", row));
}

void output_break_silence(struct output *output)
{
    pthread_mutex_lock(&output->lock);
    if (output->quiet.length)
        output->tell(output->context, json_pack("{s:o}", "stream", json_of(strbuf_text(&output->quiet))));
    strbuf_truncate(&output->quiet, 0);
    pthread_mutex_unlock(&output->lock);
}

void output_end_pane(struct output *output, size_t pane)
{
    pthread_mutex_lock(&output->lock);
    if (pane < output->count)
        output->panes[pane].is_done = true;
    while (output->current < output->count && output->panes[output->current].is_done) {
        if (++output->current < output->count) {
            struct strbuf *text = &output->panes[output->current].text;
            say(output, strbuf_text(text));
            strbuf_truncate(text, 0);
        }
    }
    pthread_mutex_unlock(&output->lock);
}
