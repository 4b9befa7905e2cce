/* Quoted constants and characters. Internal to cli/template. */
#pragma once

#include <stdint.h>

#include "base/strbuf.h"

/* Go's strconv.Unquote of a "…", '…' or `…` constant that is closed; false for bad escapes. */
bool literal_unquote(const char *text, struct strbuf *out);
/* Adds a character as UTF-8; what is none becomes U+FFFD. */
void add_rune(uint64_t code, struct strbuf *out);
