/* The inside of a JSON string as Go's encoder writes it, with its escapes of HTML and of U+2028 and U+2029; each byte
   that is not UTF-8 becomes \ufffd. */
#pragma once

#include "base/strbuf.h"

void json_escape(struct strbuf *out, const char *data, size_t length);
