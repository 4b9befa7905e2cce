/* The stream of JSON messages that pull, push, load, import and build answer with: {"status": …, "id": …,
   "progressDetail": {…}}, {"stream": …}, {"errorDetail": {"message": …}}, {"aux": …}. */
#pragma once

#include <jansson.h>

#include "client/client.h"

struct progress_options {
    FILE *out;                                                     /* NULL: standard output */
    bool is_plain;                                                 /* no cursor movement and bars, even on a terminal */
    void (*aux)(void *context, const json_t *aux, const char *id); /* may be NULL */
    void *context;
};

/* Shows the stream until its end. An error message in it is the error of the call, word for word. On a terminal each id
   has a line that changes in place; elsewhere only changes of status are printed, as docker does. */
bool progress_show(struct client_stream *stream, const struct progress_options *options, struct error *err);
