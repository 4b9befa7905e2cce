#include "base/error.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/memory.h"

static bool set_va(struct error *err, enum error_kind kind, int errno_value, const char *format, va_list arguments)
{
    if (!err)
        return false;
    char *message = xvasprintf(format, arguments);
    if (errno_value) {
        char *whole = xasprintf("%s: %s", message, errno_text(errno_value));
        free(message);
        message = whole;
    }
    free(err->message);
    *err = (struct error){.kind = kind, .errno_value = errno_value, .message = message};
    return false;
}

bool error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_va(err, kind, 0, format, arguments);
    va_end(arguments);
    return false;
}

bool error_errno(struct error *err, const char *format, ...)
{
    int saved = errno;
    va_list arguments;
    va_start(arguments, format);
    set_va(err, ERROR_INTERNAL, saved, format, arguments);
    va_end(arguments);
    errno = saved;
    return false;
}

bool error_errno_value(struct error *err, int errno_value, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_va(err, ERROR_INTERNAL, errno_value, format, arguments);
    va_end(arguments);
    return false;
}

bool error_prefix(struct error *err, const char *format, ...)
{
    if (!err || !err->message)
        return false;
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *prefix = xvasprintf(format, arguments);
    va_end(arguments);
    char *whole = xasprintf("%s: %s", prefix, err->message);
    free(err->message);
    err->message = whole;
    return false;
}

bool error_move(struct error *into, struct error *from)
{
    if (!into) {
        error_release(from);
        return false;
    }
    free(into->message);
    *into = *from;
    *from = ERROR_INIT;
    return false;
}

void error_release(struct error *err)
{
    free(err->message);
    *err = ERROR_INIT;
}

const char *error_message(const struct error *err)
{
    return err->message ? err->message : "";
}

const char *errno_text(int errno_value)
{
    static __thread char text[128];
    const char *source = strerrordesc_np(errno_value);
    snprintf(text, sizeof(text), "%s", source ? source : "unknown error");
    if (text[0] && !(isupper((unsigned char)text[1])))
        text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}
