/* A growable byte buffer with a cap given at its start, always terminated by a NUL that does not count. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "base/macros.h"

struct strbuf {
    char *data; /* NULL until something was added; then data[length] == '\0' */
    size_t length;
    size_t capacity;
    size_t limit;    /* bytes; 0 means STRBUF_DEFAULT_LIMIT */
    bool is_overrun; /* an addition would have passed the limit; it and all later ones were dropped */
};

#define STRBUF_DEFAULT_LIMIT ((size_t)256 << 20)
#define STRBUF_INIT          ((struct strbuf){0})

void strbuf_release(struct strbuf *buffer);
#define _cleanup_strbuf_ _cleanup_(strbuf_release)

/* All additions return false, and set is_overrun, when the limit is passed. */
bool strbuf_add(struct strbuf *buffer, const void *data, size_t length);
bool strbuf_add_string(struct strbuf *buffer, const char *text);
bool strbuf_add_char(struct strbuf *buffer, char character);
bool strbuf_addf(struct strbuf *buffer, const char *format, ...) _printf_(2, 3);
bool strbuf_vaddf(struct strbuf *buffer, const char *format, va_list arguments) _printf_(2, 0);

/* Makes room for at least `extra` more bytes, so that the caller can write at data + length and then add to length
   (and must then write the terminating NUL). False when that passes the limit. */
bool strbuf_reserve(struct strbuf *buffer, size_t extra);
/* Removes `count` bytes from the front. */
void strbuf_consume(struct strbuf *buffer, size_t count);
/* Shortens to `length` bytes, which must not be more than there are. */
void strbuf_truncate(struct strbuf *buffer, size_t length);
/* The text, never NULL; owned by the buffer. */
const char *strbuf_text(const struct strbuf *buffer);
/* Hands the (never NULL) text to the caller and leaves the buffer empty. */
char *strbuf_take(struct strbuf *buffer);
