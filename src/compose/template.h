/* Variables in text: $NAME, ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:?message}, ${NAME?message},
   ${NAME:+replacement}, ${NAME+replacement}, nested in each other, and $$ for a dollar (Compose Specification,
   "Interpolation"). */
#pragma once

#include "base/error.h"
#include "base/text.h"

struct variables {
    const struct strmap *first;  /* asked first; may be NULL */
    const struct strmap *second; /* may be NULL */
    /* Told of a variable that is nowhere and has no default, once for each use; may be NULL. */
    void (*missing)(void *context, const char *name);
    /* Told of each variable that is used, with its default (or NULL); may be NULL. */
    void (*seen)(void *context, const char *name, const char *fallback, bool is_required);
    void *context;
};

const char *variable_get(const struct variables *variables, const char *name);
/* The text with its variables replaced; caller frees. NULL with err: malformed, or a variable that is required. */
char *template_expand(const char *text, const struct variables *variables, struct error *err);
