/* What a build tells its client. Each stage has a pane: in Docker's form their texts come one after the other, in the
   order of the file, though they are made at the same time; as events they come as they are. */
#pragma once

#include <jansson.h>
#include <pthread.h>

#include "base/strbuf.h"

struct pane {
    struct strbuf text; /* that waits for its turn */
    bool is_done;
};
struct output {
    pthread_mutex_t lock;
    void (*tell)(void *context, json_t *row);
    void *context;
    bool has_events, is_quiet;
    struct strbuf quiet; /* what is said only where the build fails */
    struct pane *panes;
    size_t count, current;
};
void output_init(struct output *output);
void output_add_panes(struct output *output, size_t count);
void output_release(struct output *output);
/* A row of any kind. Takes the reference. */
void output_row(struct output *output, json_t *row);
/* Docker's form only: a text. */
void output_text(struct output *output, size_t pane, const char *format, ...) _printf_(3, 4);
/* What a process wrote. */
void output_log(struct output *output, size_t pane, size_t step, int stream, const void *data, size_t length);
/* Events only. `seconds` below 0: none. */
void output_step(struct output *output, size_t step, const char *stage, const char *name, int line, const char *state,
                 double seconds);
/* The build has failed: what a quiet one has not said until now. */
void output_break_silence(struct output *output);
/* The stage has nothing more to say. */
void output_end_pane(struct output *output, size_t pane);
