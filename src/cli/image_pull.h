/* Pulling, as `pull` does it and `run` for an image that is not there. */
#pragma once

#include "cli/command.h"
#include "oci/reference.h"

struct image_pull {
    const struct reference *reference;
    bool is_all; /* every tag of the name */
    const char *platform;
    FILE *out; /* of the progress; NULL: nobody sees it */
};
bool image_pull(const struct command_call *call, const struct image_pull *pull, struct error *err);
/* Shows a progress stream, or nobody when `out` is NULL. */
bool progress_show_or_hide(struct client_stream *stream, FILE *out, struct error *err);
