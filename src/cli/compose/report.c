#include "cli/compose/report.h"

#include <string.h>
#include <sys/ioctl.h>

#include "base/memory.h"

static double seconds_between(const struct timespec *from, const struct timespec *to)
{
    return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

static void draw(struct report *report)
{
    struct winsize size = {0};
    ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    size_t width = size.ws_col ? size.ws_col : 80, most = size.ws_row > 3 ? size.ws_row - 2U : 20, ended = 0;
    for (size_t i = 0; i < report->count; i++)
        ended += report->rows[i].is_end;
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    if (report->shown > 0)
        strbuf_addf(&out, "\033[%zuA", report->shown);
    strbuf_addf(&out, "\r\033[K[+] %s %zu/%zu\n", report->title, ended, report->count);
    report->shown = 1;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    /* What does not fit is left out from the top, where things have ended. */
    for (size_t i = report->count > most ? report->count - most : 0; i < report->count; i++) {
        const struct report_row *row = &report->rows[i];
        const char *mark = row->has_failed ? "\033[31m✘" : row->is_end ? "\033[32m✔" : "\033[33m⠿";
        _cleanup_free_ char *text = xasprintf("%s %s  %s", row->kind, row->name, row->status),
                            *time = xasprintf("%.1fs", seconds_between(&row->begun, row->is_end ? &row->ended : &now));
        size_t room = width > strlen(time) + 6 ? width - strlen(time) - 6 : 1;
        strbuf_addf(&out, "\r\033[K %s\033[0m %-*.*s %s\n", mark, (int)room, (int)room, text, time);
        report->shown++;
    }
    fputs(strbuf_text(&out), stderr);
    fflush(stderr);
}

static struct report_row *find_row(struct report *report, const char *kind, const char *name)
{
    for (size_t i = 0; i < report->count; i++)
        if (strcmp(report->rows[i].kind, kind) == 0 && strcmp(report->rows[i].name, name) == 0)
            return &report->rows[i];
    struct report_row *row = APPEND(report->rows, report->count);
    row->kind = xstrdup(kind);
    row->name = xstrdup(name);
    clock_gettime(CLOCK_MONOTONIC, &row->begun);
    return row;
}

static void report_change(void *context, const char *kind, const char *name, const char *status, bool is_end)
{
    struct report *report = context;
    pthread_mutex_lock(&report->lock);
    if (report->is_live) {
        struct report_row *row = find_row(report, kind, name);
        string_replace(&row->status, status);
        row->is_end = is_end;
        row->has_failed = string_equal(status, "Error");
        clock_gettime(CLOCK_MONOTONIC, &row->ended);
        draw(report);
    } else if (!report->is_quiet) {
        fprintf(stderr, " %s %s  %s\n", kind, name, status);
    }
    pthread_mutex_unlock(&report->lock);
}

static void report_text(void *context, const char *text)
{
    struct report *report = context;
    pthread_mutex_lock(&report->lock);
    fprintf(stderr, "%s\n", text);
    report->shown = 0;
    pthread_mutex_unlock(&report->lock);
}

void report_begin(struct report *report, const struct command_call *call, const char *title)
{
    const struct compose_flags *flags = compose_flags_of(call);
    bool can_move = isatty(STDERR_FILENO) || string_equal(flags->ansi, "always");
    bool is_auto = !flags->progress || string_equal(flags->progress, "auto");
    *report = (struct report){
        .reporter = {report_change, report_text, NULL},
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .is_quiet = string_equal(flags->progress, "quiet"),
        .is_live = string_equal(flags->progress, "tty") || (is_auto && can_move && !string_equal(flags->ansi, "never")),
        .title = title,
    };
    report->reporter.report_context = report;
}

void report_end(struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        free(report->rows[i].kind);
        free(report->rows[i].name);
        free(report->rows[i].status);
    }
    free(report->rows);
    report->rows = NULL;
    report->count = 0;
}
