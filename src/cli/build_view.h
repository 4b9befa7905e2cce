/* What a build shows while it runs. build_view.c keeps the steps as the engine tells of them (docs/api.md), and hands
   what changes to one of the displays: build_plain.c writes lines, build_screen.c redraws a part of the terminal. */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "base/text.h"

enum build_step_state { STEP_RUNNING, STEP_DONE, STEP_CACHED, STEP_FAILED, STEP_CANCELLED };

/* A step keeps so many of its last lines: for the screen, and for the report when it fails. */
#define BUILD_TAIL_LINES 20

struct build_step {
    int64_t id; /* the engine's; 0: our own */
    int number; /* as it is shown, from 1 */
    char *name; /* "[build 2/4] RUN make" */
    enum build_step_state state;
    int64_t started;       /* CLOCK_MONOTONIC, nanoseconds */
    double seconds;        /* once it is over */
    struct strbuf pending; /* of a line that is not whole yet */
    struct strlist tail;
    int64_t current, total; /* bytes; total 0: unknown */
    const char *unit_text;  /* before the bytes: "transferring context: " */
    struct strlist notes;   /* what it has done, a line each, shown also when it is over */
};

struct build_view;
struct build_display {
    void (*begin)(struct build_view *view, struct build_step *step);
    void (*line)(struct build_view *view, struct build_step *step, const char *line);
    void (*progress)(struct build_view *view, struct build_step *step);
    void (*end)(struct build_view *view, struct build_step *step, const char *message);
    void (*tick)(struct build_view *view, bool is_last);
};
extern const struct build_display build_plain_display, build_screen_display;

struct build_view {
    const struct build_display *display; /* NULL: nothing is shown */
    FILE *out;
    bool is_raw; /* the engine's rows as they come, a line each */
    bool has_colours;
    int64_t started;
    struct build_step **steps;
    size_t count;
    const char *hidden_name;    /* of a Dockerfile, shown as "Dockerfile"; NULL: none */
    struct build_step *unnamed; /* what an engine that knows no rows about steps says */
    struct build_step *shown;   /* plain: whose lines come now */
    struct strlist drawn;       /* screen: the lines that stand there */
    int64_t drawn_at;
    /* What is to be had at the end. */
    char *image; /* "sha256:…" */
    json_t *warnings;
    json_t *detail; /* errorDetail */
};
/* `kind` is --progress, of which "auto" asks whether `out` is a terminal. */
void build_view_init(struct build_view *view, const char *kind, FILE *out);
void build_view_release(struct build_view *view);
#define _cleanup_build_view_ _cleanup_(build_view_release)

/* One row of the engine. */
void build_view_row(struct build_view *view, json_t *row);
/* Time has passed. */
void build_view_tick(struct build_view *view);
/* A step of our own. */
struct build_step *build_view_begin(struct build_view *view, const char *name);
void build_view_count(struct build_view *view, struct build_step *step, const char *what, int64_t bytes);
void build_view_end(struct build_view *view, struct build_step *step, enum build_step_state state);
/* "exporting to image", with the image's id and names. */
void build_view_image(struct build_view *view, const struct strlist *names);
/* Nothing follows: the last picture. */
void build_view_finish(struct build_view *view);
/* Why the build failed: the failed step's last lines, the Dockerfile's lines, and how to look around there. */
void build_view_report(const struct build_view *view);
/* The warnings of the checks: a line each, or with all there is to say and the lines of the Dockerfile (NULL: not
   known). */
struct dockerfile;
void build_view_warnings(const struct build_view *view, bool is_check, const struct dockerfile *file);

/* What the displays share: seconds since it began, or that it took. */
double build_step_seconds(const struct build_step *step);
/* "transferring context: 1.2kB", "1.2MB / 5MB"; NULL where there is nothing to count. Caller frees. */
char *build_step_count(const struct build_step *step);
