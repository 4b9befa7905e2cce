/* The inside of a JSON string as Go's encoder writes it, with its escapes of HTML and of U+2028 and U+2029; each byte
   that is not UTF-8 becomes \ufffd. */
#pragma once

#include "base/strbuf.h"

/* Go before 1.22, and Docker's own encoder of log lines to this day, has no letters for backspace, tab and form feed.
 */
enum json_letters {
    JSON_LETTERS_LOG, /* \n and \r */
    JSON_LETTERS_ALL,
};
void json_escape(struct strbuf *out, const char *data, size_t length, enum json_letters letters);
