/* A file behind a URL, for builds: ADD https://…, and contexts from afar. */
#pragma once

#include "store/store.h"

struct url_answer {
    char *last_modified; /* headers; NULL where there is none */
    char *disposition;
    char *content_type;
};
void url_answer_release(struct url_answer *answer);
/* GET, redirections followed. What comes goes to `write`. Anything but 200 is an error: "invalid response status 404".
 */
bool url_fetch(const char *url, bool (*is_cancelled)(void *context), void *context, stream_write write, void *sink,
               struct url_answer *out, struct error *err);
