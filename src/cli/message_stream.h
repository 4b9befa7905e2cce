/* An answer that is one JSON object after another: pull, push, load, import, build. */
#pragma once

#include <jansson.h>

#include "client/client.h"

struct message_stream {
    struct client_stream *stream; /* borrowed */
    struct strbuf buffer;
};
void message_stream_release(struct message_stream *messages);
#define _cleanup_message_stream_ _cleanup_(message_stream_release)

/* The next object as a new reference, NULL at the end. Blocks unless message_stream_is_ready or the stream's descriptor
   is readable; then, too, when what comes is not all of an object. */
bool message_stream_next(struct message_stream *messages, json_t **message, struct error *err);
/* Reads once, and takes an object if there is a whole one: NULL with *is_over false where there is none yet. */
bool message_stream_poll(struct message_stream *messages, json_t **message, bool *is_over, struct error *err);
bool message_stream_is_ready(const struct message_stream *messages);
