/* Go's text/template over JSON, with docker's functions: what --format takes.

   Errors are in Go's words, without docker's "template parsing error: " before them: "template: :1: unclosed action",
   "template: :1:2: executing \"\" at <.X>: map has no entry for key \"X\"". */
#pragma once

#include "cli/template/value.h"

struct template;

/* NULL with ERROR_INVALID where the text is no template. */
struct template *template_parse(const char *text, struct error *err);
/* The same with the name that errors tell; template_parse's is "". */
struct template *template_parse_named(const char *name, const char *text, struct error *err);
void template_free(struct template *template);
DEFINE_CLEANUP(struct template *, template_free)

enum template_flags {
    TEMPLATE_MISSING_KEY_FAILS = 1 << 0, /* an absent key of a map is an error, not "<no value>" */
    TEMPLATE_HEADER = 1 << 1,            /* json, title, upper, lower and truncate give back what they get */
};

/* What was written before an error stays in *out. */
bool template_execute(const struct template *template, struct value data, unsigned flags, struct strbuf *out,
                      struct error *err);
