/* The exec form: a JSON array of strings, with encoding/json's idea of what JSON is. */
#pragma once

#include "base/text.h"

enum json_array_kind {
    JSON_ARRAY_NONE,    /* not JSON, or not an array: the shell form */
    JSON_ARRAY_MIXED,   /* an array with something else than strings in it */
    JSON_ARRAY_STRINGS, /* *out got them, and is given also when there are none */
};
enum json_array_kind json_array_parse(const char *text, struct strlist *out);
