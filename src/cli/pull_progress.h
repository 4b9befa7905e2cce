/* The stream of JSON messages that a pull answers with. */
#pragma once

#include <stdio.h>

#include "client/client.h"

/* Reads it to its end and shows the steps that are worth a line on `out` (NULL: none). An error in the stream is an
   error. */
bool pull_progress_show(struct client_stream *stream, FILE *out, struct error *err);
