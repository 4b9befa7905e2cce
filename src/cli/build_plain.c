/* The build as lines, in the form of BuildKit's plain progress: "#3 [2/4] RUN make", "#3 0.512 cc -c main.c", "#3 DONE
   1.2s". A step's name comes again where another one's lines stood between. */
#include "base/memory.h"
#include "cli/build_view.h"

static void switch_to(struct build_view *view, struct build_step *step)
{
    if (view->shown == step)
        return;
    if (view->shown && view->shown->state == STEP_RUNNING)
        fprintf(view->out, "#%d ...\n", view->shown->number);
    fprintf(view->out, "%s#%d %s\n", view->shown ? "\n" : "", step->number, step->name);
    view->shown = step;
}

/* Steps that begin while another one is shown wait with their name until they have something to say. */
static void begin(struct build_view *view, struct build_step *step)
{
    if (!view->shown || view->shown->state != STEP_RUNNING)
        switch_to(view, step);
    fflush(view->out);
}

static void line(struct build_view *view, struct build_step *step, const char *text)
{
    switch_to(view, step);
    fprintf(view->out, "#%d %.3f %s\n", step->number, build_step_seconds(step), text);
    fflush(view->out);
}

static void progress(struct build_view *view _unused_, struct build_step *step _unused_)
{
    /* What is counted is told once, at the end. */
}

static void end(struct build_view *view, struct build_step *step, const char *message)
{
    switch_to(view, step);
    _cleanup_free_ char *count = build_step_count(step);
    if (count && step->state == STEP_DONE)
        fprintf(view->out, "#%d %s done\n", step->number, count);
    for (size_t i = 0; i < step->notes.count; i++)
        fprintf(view->out, "#%d %s done\n", step->number, step->notes.items[i]);
    if (step->state == STEP_DONE)
        fprintf(view->out, "#%d DONE %.1fs\n", step->number, step->seconds);
    else if (step->state == STEP_CACHED)
        fprintf(view->out, "#%d CACHED\n", step->number);
    else if (step->state == STEP_CANCELLED)
        fprintf(view->out, "#%d CANCELED\n", step->number);
    else
        fprintf(view->out, "#%d ERROR%s%s\n", step->number, *message ? ": " : "", message);
    fflush(view->out);
}

static void tick(struct build_view *view _unused_, bool is_last _unused_)
{
}

const struct build_display build_plain_display = {begin, line, progress, end, tick};
