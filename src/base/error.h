/* Errors are values: a kind for the program and a message for the person.

   Every function that can fail returns bool (or a pointer) and takes `struct error *err` last. On false (or NULL) the
   error is set and all other out-parameters are untouched; on success err is untouched. A caller who does not care
   passes NULL. A function either returns an error or logs it, never both. */
#pragma once

#include <stdarg.h>

#include "base/macros.h"

/* The kinds map to an HTTP status in exactly one place, src/api/respond.c. */
enum error_kind {
    ERROR_NONE = 0,
    ERROR_INVALID,      /* 400: the request is wrong */
    ERROR_UNAUTHORIZED, /* 401 */
    ERROR_DENIED,       /* 403 */
    ERROR_NOT_FOUND,    /* 404 */
    ERROR_CONFLICT,     /* 409: the object is in a state that forbids it */
    ERROR_TOO_LARGE,    /* 413 */
    ERROR_NOT_MODIFIED, /* 304: already so */
    ERROR_INTERNAL,     /* 500 */
    ERROR_UNSUPPORTED,  /* 501: known, and refused */
    ERROR_UNAVAILABLE,  /* 503: try again later */
    ERROR_CANCELLED,    /* the caller left or asked to stop */
};

struct error {
    enum error_kind kind;
    int errno_value; /* where a system call failed, else 0 */
    char *message;   /* owned; NULL while kind is ERROR_NONE */
};

#define ERROR_INIT ((struct error){0})

/* Sets err and returns false, so that `return error_set(err, ERROR_INVALID, "…")` reads well. A set error is replaced.
 */
bool error_set(struct error *err, enum error_kind kind, const char *format, ...) _printf_(3, 4);

/* The same for a failed system call: appends ": <strerror(errno)>" to the message in Go's lower-case wording
   ("no such file or directory"), because Docker's clients match on it. The kind is ERROR_INTERNAL. */
bool error_errno(struct error *err, const char *format, ...) _printf_(2, 3);
bool error_errno_value(struct error *err, int errno_value, const char *format, ...) _printf_(3, 4);

/* Puts "<text>: " before the message of an error that is set, and returns false. */
bool error_prefix(struct error *err, const char *format, ...) _printf_(2, 3);

/* Moves *from into *into (which may be NULL: then *from is released), and returns false. */
bool error_move(struct error *into, struct error *from);

/* Frees the message and clears the kind; the error can be used again. */
void error_release(struct error *err);

/* The message, or "" while no error is set. Never NULL. */
const char *error_message(const struct error *err);

/* Go's wording of an errno: strerror's text with a lower-case first letter. Static storage per thread. */
const char *errno_text(int errno_value);

#define _cleanup_error_ _cleanup_(error_release)
