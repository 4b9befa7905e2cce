/* Allocation that cannot fail: out of memory ends the process with a message, as git's x-functions do. Sizes that come
   from outside are limited by the caller before they reach these. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "base/macros.h"

void *xmalloc(size_t size) __attribute__((malloc));
/* Zeroed. */
void *xcalloc(size_t count, size_t size) __attribute__((malloc));
void *xrealloc(void *pointer, size_t count, size_t size);
/* NULL gives NULL. */
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);
void *xmemdup(const void *data, size_t size);
char *xasprintf(const char *format, ...) _printf_(1, 2);
char *xvasprintf(const char *format, va_list arguments) _printf_(1, 0);

#define NEW(type) ((type *)xcalloc(1, sizeof(type)))

/* Makes room for one more element in an array that grows by doubling, and returns the place (zeroed). */
#define APPEND(array, count)                                                                                           \
    ({                                                                                                                 \
        if (((count) & ((count)-1)) == 0)                                                                              \
            (array) = xrealloc((array), (count) ? (size_t)(count)*2 : 1, sizeof(*(array)));                            \
        __builtin_memset(&(array)[(count)], 0, sizeof(*(array)));                                                      \
        &(array)[(count)++];                                                                                           \
    })
