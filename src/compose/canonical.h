/* Short and long syntaxes made one: after this a document has each thing in its long form, paths are absolute, numbers
   that stand for text are text, sizes are bytes and durations are Go's. */
#pragma once

#include "compose/element.h"
#include "compose/template.h"

/* `directory` is what relative paths start from. The document must have passed schema_check. */
bool canonical_make(struct element *document, const char *directory, struct error *err);

/* short_forms.c: entries of ports (possibly several of a range), volumes and devices. */
bool port_expand(const struct element *entry, const char *path, struct element *ports, struct error *err);
struct element *volume_expand(const struct element *entry, const char *directory, const char *path, struct error *err);
struct element *device_expand(const struct element *entry, const char *path, struct error *err);

/* words.c: a command line as a shell splits it, without its other features. NULL with err where a quote is open. */
struct element *words_split(const struct element *text, const char *path, struct error *err);
/* The text of a scalar as Go prints the value; "" of null; caller frees. */
char *scalar_text(const struct element *scalar);
/* A path from a file: "~" is the home, relative ones start from the directory; cleaned; caller frees. */
char *path_absolute(const char *path, const char *directory);
