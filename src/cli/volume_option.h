/* -v: "[source:]target[:options]", read as docker's compose loader reads it. */
#pragma once

#include "base/error.h"
#include "base/text.h"

/* Adds to `binds` ("source:target[:options]", a relative source made absolute) or, where there is no source, to
   `anonymous`. */
bool volume_option_parse(const char *value, struct strlist *binds, struct strlist *anonymous, struct error *err);
