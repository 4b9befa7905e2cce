/* Cleanup attributes, ownership transfer and the few macros everything uses. None of them hides control flow. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(array)        (sizeof(array) / sizeof((array)[0]))
#define _cleanup_(function_)     __attribute__((cleanup(function_)))
#define _printf_(index_, first_) __attribute__((format(printf, index_, first_)))
#define _unused_                 __attribute__((unused))
#define _must_check_             __attribute__((warn_unused_result))

/* Evaluates to the pointer and leaves NULL behind: ownership moves to whoever reads the value. */
#define TAKE_PTR(pointer)                                                                                              \
    ({                                                                                                                 \
        __typeof__(pointer) taken_ = (pointer);                                                                        \
        (pointer) = NULL;                                                                                              \
        taken_;                                                                                                        \
    })

/* The same for a file descriptor, which leaves -1 behind. */
#define TAKE_FD(fd)                                                                                                    \
    ({                                                                                                                 \
        int taken_ = (fd);                                                                                             \
        (fd) = -1;                                                                                                     \
        taken_;                                                                                                        \
    })

#define MIN(a, b)                                                                                                      \
    ({                                                                                                                 \
        __typeof__(a) a_ = (a);                                                                                        \
        __typeof__(b) b_ = (b);                                                                                        \
        a_ < b_ ? a_ : b_;                                                                                             \
    })
#define MAX(a, b)                                                                                                      \
    ({                                                                                                                 \
        __typeof__(a) a_ = (a);                                                                                        \
        __typeof__(b) b_ = (b);                                                                                        \
        a_ > b_ ? a_ : b_;                                                                                             \
    })

/* Defines `type_freep` for use with _cleanup_ from a `free`-like function that accepts NULL. */
#define DEFINE_CLEANUP(type, function)                                                                                 \
    static inline void function##p(type *pointer)                                                                      \
    {                                                                                                                  \
        if (*pointer)                                                                                                  \
            function(*pointer);                                                                                        \
    }

static inline void freep(void *pointer)
{
    free(*(void **)pointer);
}

/* Closes *fd unless it is negative. errno is kept. */
void closep(int *fd);
/* Closes fd unless it is negative and returns -1: `fd = close_fd(fd)`. errno is kept. */
int close_fd(int fd);
void fclosep(FILE **file);

#define _cleanup_free_   _cleanup_(freep)
#define _cleanup_close_  _cleanup_(closep)
#define _cleanup_fclose_ _cleanup_(fclosep)
