/* What all inspect commands share: objects are fetched by name and shown as indented JSON, as compact JSON, or through
   a template, exactly as the daemon sent them. */
#pragma once

#include "cli/command.h"
#include "cli/template/value.h"

struct inspected {
    struct strbuf json;            /* the daemon's own bytes */
    const struct value_type *type; /* for templates; NULL: none, the template sees plain JSON */
};

/* Fetches one object. */
typedef bool (*inspect_fetch)(struct command_call *call, const char *name, struct inspected *out, struct error *err);

/* Shows every name that there is, then fails with a line for each that there is not. `format` may be NULL. */
bool inspect_print(struct command_call *call, const char *format, inspect_fetch fetch, struct error *err);

/* GET of "/<collection>/<name><rest>" into *out: the fetch of most commands. */
bool inspect_get(struct command_call *call, const char *collection, const char *name, const char *rest,
                 const struct value_type *type, struct inspected *out, struct error *err);
