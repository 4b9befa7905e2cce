/* Go's fmt over values. Internal to cli/template. */
#pragma once

#include "cli/template/value.h"

/* fmt.Sprintf, with its complaints inside the text ("%!d(string=x)"). */
void print_format(const char *format, const struct value *arguments, size_t count, struct strbuf *out);
/* fmt.Sprint (a space between two operands where neither is a string) and fmt.Sprintln. */
void print_plain(const struct value *arguments, size_t count, struct strbuf *out);
void print_line(const struct value *arguments, size_t count, struct strbuf *out);
/* %v of one value, as a template writes it: pointers are looked through. */
void print_value(struct value value, struct strbuf *out);
/* Go's text of a duration: "1m30s". */
void print_duration(int64_t nanoseconds, struct strbuf *out);
/* Go's text of a time, from RFC 3339: "2026-11-22 04:05:48.95 +0000 UTC". */
void print_time(const char *text, struct strbuf *out);
