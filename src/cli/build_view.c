#include "cli/build_view.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/config_file.h"
#include "cli/human.h"
#include "dockerfile/dockerfile.h"
#include "json/json_record.h"

static const char *text_of(const json_t *json, const char *key)
{
    return string_or_empty(json_string_value(json_object_get(json, key)));
}

static int64_t number_of(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

void build_view_init(struct build_view *view, const char *kind, FILE *out)
{
    *view = (struct build_view){.out = out, .started = clock_monotonic(), .warnings = json_array()};
    bool is_terminal = isatty(fileno(out)) && !string_equal(getenv("TERM"), "dumb");
    if (string_equal(kind, "rawjson"))
        view->is_raw = true;
    else if (string_equal(kind, "tty") || (string_equal(kind, "auto") && is_terminal))
        view->display = &build_screen_display;
    else if (!string_equal(kind, "quiet"))
        view->display = &build_plain_display;
    view->has_colours = is_terminal && !string_is_set(getenv("NO_COLOR"));
}

void build_view_release(struct build_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        struct build_step *step = view->steps[i];
        free(step->name);
        strbuf_release(&step->pending);
        strlist_release(&step->tail);
        strlist_release(&step->notes);
        free(step);
    }
    free(view->steps);
    strlist_release(&view->drawn);
    free(view->image);
    json_decref(view->warnings);
    json_decref(view->detail);
    *view = (struct build_view){0};
}

double build_step_seconds(const struct build_step *step)
{
    if (step->state != STEP_RUNNING)
        return step->seconds;
    return (double)(clock_monotonic() - step->started) / (double)NANOSECONDS_PER_SECOND;
}

char *build_step_count(const struct build_step *step)
{
    if (step->current == 0 && step->total == 0)
        return NULL;
    _cleanup_free_ char *current = human_size((double)step->current, 4);
    _cleanup_free_ char *total = step->total ? human_size((double)step->total, 4) : NULL;
    return xasprintf("%s%s%s%s", string_or_empty(step->unit_text), current, total ? " / " : "", string_or_empty(total));
}

static struct build_step *add_step(struct build_view *view, int64_t id, const char *name)
{
    struct build_step *step = NEW(struct build_step);
    *step = (struct build_step){
        .id = id, .number = (int)view->count + 1, .name = xstrdup(name), .started = clock_monotonic()};
    *APPEND(view->steps, view->count) = step;
    if (view->display)
        view->display->begin(view, step);
    return step;
}

static struct build_step *find_step(const struct build_view *view, int64_t id)
{
    for (size_t i = view->count; id && i > 0; i--)
        if (view->steps[i - 1]->id == id)
            return view->steps[i - 1];
    return NULL;
}

static void take_line(struct build_view *view, struct build_step *step, const char *line)
{
    if (step->tail.count == BUILD_TAIL_LINES)
        strlist_remove(&step->tail, 0);
    strlist_addf(&step->tail, "%.3f %s", build_step_seconds(step), line);
    if (view->display)
        view->display->line(view, step, line);
}

static void take_text(struct build_view *view, struct build_step *step, const char *text)
{
    strbuf_add_string(&step->pending, text);
    for (const char *end; step->pending.data && (end = strchr(step->pending.data, '\n'));) {
        size_t length = (size_t)(end - step->pending.data);
        size_t shown = length > 0 && step->pending.data[length - 1] == '\r' ? length - 1 : length;
        _cleanup_free_ char *line = xstrndup(step->pending.data, shown);
        strbuf_consume(&step->pending, length + 1);
        take_line(view, step, line);
    }
}

static void end_step(struct build_view *view, struct build_step *step, enum build_step_state state, double seconds,
                     const char *message)
{
    if (step->pending.length > 0) {
        char *line = strbuf_take(&step->pending);
        take_line(view, step, line);
        free(line);
    }
    step->seconds = seconds >= 0 ? seconds : build_step_seconds(step);
    step->state = state;
    if (view->display)
        view->display->end(view, step, message);
}

static void take_log(struct build_view *view, const json_t *log)
{
    struct build_step *step = find_step(view, number_of(log, "step"));
    if (step)
        take_text(view, step, text_of(log, "text"));
}

/* Docker's own engine ignores that rows were asked for, and answers with its texts. */
static void take_stream(struct build_view *view, const char *text)
{
    if (!view->unnamed)
        view->unnamed = add_step(view, 0, "[internal] build");
    take_text(view, view->unnamed, text);
}

static void take_step(struct build_view *view, const json_t *row)
{
    static const struct {
        const char *name;
        enum build_step_state state;
    } states[] = {{"done", STEP_DONE}, {"cached", STEP_CACHED}, {"failed", STEP_FAILED}, {"cancelled", STEP_CANCELLED}};
    struct build_step *step = find_step(view, number_of(row, "id"));
    const char *state = text_of(row, "state");
    if (!step)
        step = add_step(view, number_of(row, "id"), text_of(row, "name"));
    const json_t *seconds = json_object_get(row, "seconds");
    for (size_t i = 0; i < ARRAY_SIZE(states); i++)
        if (string_equal(state, states[i].name) && step->state == STEP_RUNNING)
            end_step(view, step, states[i].state, json_is_number(seconds) ? json_number_value(seconds) : -1,
                     text_of(row, "error"));
}

void build_view_row(struct build_view *view, json_t *row)
{
    if (view->is_raw) {
        _cleanup_free_ char *text = json_format(row);
        fprintf(view->out, "%s\n", text);
        fflush(view->out);
    }
    const json_t *step = json_object_get(row, "step"), *log = json_object_get(row, "log");
    const json_t *progress = json_object_get(row, "progress"), *aux = json_object_get(row, "aux");
    json_t *warning = json_object_get(row, "warning"), *detail = json_object_get(row, "errorDetail");
    if (step)
        take_step(view, step);
    if (log)
        take_log(view, log);
    if (*text_of(row, "stream"))
        take_stream(view, text_of(row, "stream"));
    struct build_step *counted = progress ? find_step(view, number_of(progress, "step")) : NULL;
    if (counted) {
        counted->current = number_of(progress, "current");
        counted->total = number_of(progress, "total");
        if (view->display)
            view->display->progress(view, counted);
    }
    if (*text_of(aux, "ID"))
        string_replace(&view->image, text_of(aux, "ID"));
    if (warning)
        json_array_append(view->warnings, warning);
    if (detail) {
        json_decref(view->detail);
        view->detail = json_incref(detail);
    }
}

void build_view_tick(struct build_view *view)
{
    if (view->display)
        view->display->tick(view, false);
}

struct build_step *build_view_begin(struct build_view *view, const char *name)
{
    return add_step(view, 0, name);
}

void build_view_count(struct build_view *view, struct build_step *step, const char *what, int64_t bytes)
{
    step->unit_text = what;
    step->current = bytes;
    if (view->display)
        view->display->progress(view, step);
}

void build_view_end(struct build_view *view, struct build_step *step, enum build_step_state state)
{
    end_step(view, step, state, -1, "");
}

void build_view_image(struct build_view *view, const struct strlist *names)
{
    if (view->unnamed)
        build_view_end(view, view->unnamed, STEP_DONE);
    struct build_step *step = build_view_begin(view, "exporting to image");
    strlist_addf(&step->notes, "writing image %s", view->image);
    for (size_t i = 0; i < names->count; i++)
        strlist_addf(&step->notes, "naming to %s", names->items[i]);
    build_view_end(view, step, STEP_DONE);
}

void build_view_finish(struct build_view *view)
{
    /* What the engine did not come to say. */
    for (size_t i = 0; i < view->count; i++)
        if (view->steps[i]->state == STEP_RUNNING)
            end_step(view, view->steps[i], view->steps[i] == view->unnamed ? STEP_FAILED : STEP_CANCELLED, -1, "");
    if (view->display)
        view->display->tick(view, true);
}

void build_view_report(const struct build_view *view)
{
    const struct build_step *step = find_step(view, number_of(view->detail, "step"));
    const char *excerpt = text_of(view->detail, "excerpt"), *debug = text_of(view->detail, "debug");
    if (view->is_raw)
        return;
    if (step && step->tail.count > 0) {
        fprintf(view->out, "------\n > %s:\n", step->name);
        for (size_t i = 0; i < step->tail.count; i++)
            fprintf(view->out, "%s\n", step->tail.items[i]);
        fprintf(view->out, "------\n");
    }
    size_t hidden = view->hidden_name ? strlen(view->hidden_name) : 0;
    bool is_hidden = hidden && strncmp(excerpt, view->hidden_name, hidden) == 0;
    if (*excerpt)
        fprintf(view->out, "%s%s%s", is_hidden ? "Dockerfile" : "", excerpt + (is_hidden ? hidden : 0),
                string_ends_with(excerpt, "\n") ? "" : "\n");
    if (*debug)
        fprintf(view->out, "To look around where it failed: %s\n", debug);
    fflush(view->out);
}

void build_view_warnings(const struct build_view *view, bool is_check, const struct dockerfile *file)
{
    size_t count = json_array_size(view->warnings), i;
    json_t *warning;
    if (view->is_raw || (!is_check && (count == 0 || !view->display)))
        return;
    FILE *out = is_check ? stdout : view->out;
    if (is_check && count == 0)
        fprintf(out, "Check complete, no warnings found.\n");
    else if (is_check)
        fprintf(out, "Check complete, %zu warning%s been found!\n", count, count == 1 ? " has" : "s have");
    else
        fprintf(out, "\n %zu warning%s found (use --check to expand):\n", count, count == 1 ? "" : "s");
    json_array_foreach(view->warnings, i, warning)
    {
        _cleanup_free_ char *excerpt =
            file ? dockerfile_excerpt(file, (int)number_of(warning, "line"), (int)number_of(warning, "last_line"))
                 : NULL;
        long long line = (long long)number_of(warning, "line");
        if (!is_check)
            fprintf(out, " - %s: %s (line %lld)\n", text_of(warning, "rule"), text_of(warning, "detail"), line);
        else
            fprintf(out, "\nWARNING: %s - %s\n%s\n%s", text_of(warning, "rule"), text_of(warning, "url"),
                    text_of(warning, "detail"), string_or_empty(excerpt));
        if (is_check && !string_is_set(excerpt))
            fprintf(out, "Dockerfile:%lld\n", line);
    }
    fflush(out);
}
