/* The build on a terminal: a part of the screen that is drawn again and again. A line for each step, with its time at
   the right, and below those that run the last lines of what they write:

       [+] Building 3.4s (5/7)
        => CACHED [build 1/3] FROM busybox                                                                    0.0s
        => [build 2/3] RUN make                                                                               2.9s
        => => # cc -c main.c

   When there are more steps than rows, those that ended first are left out. The width is asked for at each picture, so
   a terminal may change its size at any time. */
#include <ctype.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/build_view.h"
#include "cli/human.h"

#define INTERVAL (NANOSECONDS_PER_SECOND / 10)
/* So many lines of a step's output are shown. */
#define TAIL_SHOWN 6

static const char red[] = "\x1b[31m", yellow[] = "\x1b[33m", blue[] = "\x1b[34m", normal[] = "\x1b[0m";

static void find_size(const struct build_view *view, size_t *width, size_t *height)
{
    struct winsize size = {0};
    bool is_known = ioctl(fileno(view->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
    *width = is_known ? MAX(size.ws_col, 20) : 80;
    *height = is_known ? MAX(size.ws_row, 4) : 24;
}

/* Characters, as most fonts have them: a column each. */
static size_t columns_of(const char *text)
{
    size_t columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

/* Without what moves the cursor: what stands behind the last return, and no control characters. */
static char *printable(const char *line)
{
    const char *start = strrchr(line, '\r');
    struct strbuf out = STRBUF_INIT;
    for (const char *at = start ? start + 1 : line; *at; at++) {
        if (*at == '\x1b' && at[1] == '[') {
            at += 2;
            while (*at && !isalpha((unsigned char)*at))
                at++;
            if (!*at)
                break;
        } else if (*at == '\t') {
            strbuf_add_string(&out, "    ");
        } else if ((unsigned char)*at >= ' ' && *at != 0x7f) {
            strbuf_add_char(&out, *at);
        }
    }
    return strbuf_take(&out);
}

static void add_step(const struct build_view *view, const struct build_step *step, size_t width, struct strlist *lines)
{
    static const struct {
        const char *word, *colour;
    } looks[] = {[STEP_RUNNING] = {"", ""},
                 [STEP_DONE] = {"", blue},
                 [STEP_CACHED] = {"CACHED ", blue},
                 [STEP_FAILED] = {"ERROR ", red},
                 [STEP_CANCELLED] = {"CANCELED ", yellow}};
    const char *colour = view->has_colours ? looks[step->state].colour : "";
    _cleanup_free_ char *time = xasprintf("%.1fs", build_step_seconds(step));
    _cleanup_free_ char *whole = xasprintf(" => %s%s", looks[step->state].word, step->name);
    _cleanup_free_ char *clean = printable(whole);
    size_t room = width - strlen(time) - 1;
    _cleanup_free_ char *name = ellipsis(clean, room);
    size_t used = columns_of(name);
    strlist_addf(lines, "%s%s%*s%s%s", colour, name, (int)(room - MIN(used, room) + 1), "", time,
                 *colour ? normal : "");
}

static void add_details(const struct build_step *step, size_t width, struct strlist *lines)
{
    for (size_t i = 0; i < step->notes.count; i++) {
        _cleanup_free_ char *shown = ellipsis(step->notes.items[i], width - 7);
        strlist_addf(lines, " => => %s", shown);
    }
    if (step->state != STEP_RUNNING)
        return;
    _cleanup_free_ char *count = build_step_count(step);
    if (count)
        strlist_addf(lines, " => => %.*s", (int)width - 7, count);
    size_t first = step->tail.count > TAIL_SHOWN ? step->tail.count - TAIL_SHOWN : 0;
    for (size_t i = first; i < step->tail.count; i++) {
        /* The time before it is for reports. */
        const char *line = strchr(step->tail.items[i], ' ');
        _cleanup_free_ char *clean = printable(line ? line + 1 : "");
        _cleanup_free_ char *shown = ellipsis(clean, width - 9);
        strlist_addf(lines, " => => # %s", shown);
    }
}

static size_t count_over(const struct build_view *view)
{
    size_t over = 0;
    for (size_t i = 0; i < view->count; i++)
        over += view->steps[i]->state != STEP_RUNNING;
    return over;
}

/* All lines of the picture; with is_last every step, as what stays on the screen. */
static void compose(const struct build_view *view, size_t width, size_t height, bool is_last, struct strlist *lines)
{
    size_t over = count_over(view), rows = view->count, skipped = 0;
    for (size_t i = 0; i < view->count; i++) {
        struct strlist details = {0};
        add_details(view->steps[i], width, &details);
        rows += details.count;
        strlist_release(&details);
    }
    size_t room = height - 2, to_skip = !is_last && rows > room ? rows - room : 0;
    strlist_addf(lines, "[+] Building %.1fs (%zu/%zu)%s",
                 (double)(clock_monotonic() - view->started) / (double)NANOSECONDS_PER_SECOND, over, view->count,
                 is_last ? " FINISHED" : "");
    for (size_t i = 0; i < view->count; i++) {
        const struct build_step *step = view->steps[i];
        if (skipped < to_skip && (step->state == STEP_DONE || step->state == STEP_CACHED)) {
            skipped++;
            continue;
        }
        add_step(view, step, width, lines);
        add_details(step, width, lines);
    }
    while (!is_last && lines->count > height - 1)
        strlist_remove(lines, lines->count - 1);
}

/* Rows that a line takes on a screen of this width: it was made for another one, perhaps. */
static size_t rows_of(const char *line, size_t width)
{
    _cleanup_free_ char *plain = printable(line);
    size_t columns = columns_of(plain);
    return columns == 0 ? 1 : (columns + width - 1) / width;
}

static void draw(struct build_view *view, bool is_last)
{
    size_t width, height, rows = 0;
    find_size(view, &width, &height);
    _cleanup_strlist_ struct strlist lines = {0};
    compose(view, width - 1, height, is_last, &lines);
    for (size_t i = 0; i < view->drawn.count; i++)
        rows += rows_of(view->drawn.items[i], width);
    if (rows > 0)
        fprintf(view->out, "\x1b[%zuA", MIN(rows, height - 1));
    fputs("\r", view->out);
    for (size_t i = 0; i < lines.count; i++)
        fprintf(view->out, "%s\x1b[K\n", lines.items[i]);
    fputs("\x1b[J", view->out);
    fflush(view->out);
    strlist_copy(&view->drawn, &lines);
    view->drawn_at = clock_monotonic();
}

static void draw_sometimes(struct build_view *view)
{
    if (view->count > 0 && clock_monotonic() - view->drawn_at >= INTERVAL)
        draw(view, false);
}

static void begin(struct build_view *view, struct build_step *step _unused_)
{
    draw_sometimes(view);
}

static void line(struct build_view *view, struct build_step *step _unused_, const char *text _unused_)
{
    draw_sometimes(view);
}

static void progress(struct build_view *view, struct build_step *step _unused_)
{
    draw_sometimes(view);
}

static void end(struct build_view *view, struct build_step *step _unused_, const char *message _unused_)
{
    draw_sometimes(view);
}

static void tick(struct build_view *view, bool is_last)
{
    if (is_last && view->count > 0)
        draw(view, true);
    else
        draw_sometimes(view);
}

const struct build_display build_screen_display = {begin, line, progress, end, tick};
