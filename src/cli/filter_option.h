/* --filter name=value, as many as there are: {"name": {"value": true}} for the API. */
#pragma once

#include "base/options.h"

/* An OPTION_LIST's parse: "bad format of filter (expected name=value)". */
bool filter_parse(void *list, const char *value, struct error *err);
/* JSON text, or NULL where there are none; the caller frees. */
char *filter_json(const struct strlist *filters);
