#include "base/memory.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

void closep(int *fd)
{
    close_fd(*fd);
}

int close_fd(int fd)
{
    if (fd >= 0) {
        int saved = errno;
        close(fd);
        errno = saved;
    }
    return -1;
}

void fclosep(FILE **file)
{
    if (*file)
        fclose(*file);
}

static void *checked(void *pointer)
{
    if (!pointer) {
        static const char message[] = "out of memory\n";
        (void)!write(STDERR_FILENO, message, sizeof(message) - 1);
        abort();
    }
    return pointer;
}

void *xmalloc(size_t size)
{
    return checked(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *pointer, size_t count, size_t size)
{
    return checked(reallocarray(pointer, count ? count : 1, size ? size : 1));
}

char *xstrdup(const char *text)
{
    return text ? checked(strdup(text)) : NULL;
}

char *xstrndup(const char *text, size_t length)
{
    return text ? checked(strndup(text, length)) : NULL;
}

void *xmemdup(const void *data, size_t size)
{
    void *copy = xmalloc(size);
    if (size)
        memcpy(copy, data, size);
    return copy;
}

char *xvasprintf(const char *format, va_list arguments)
{
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        checked(NULL);
    return text;
}

char *xasprintf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    return text;
}
