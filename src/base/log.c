#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/strbuf.h"

static _Atomic enum log_level threshold = LOG_LEVEL_INFO;

static atomic_bool writes_json;

void log_set_json(bool is_json)
{
    writes_json = is_json;
}

void log_set_level(enum log_level level)
{
    threshold = level;
}

static void write_line(enum log_level level, const char *format, va_list arguments)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    if (level > threshold)
        return;
    _cleanup_free_ char *message = xvasprintf(format, arguments);
    char time[TIME_TEXT_SIZE];
    _cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
    bool is_json = writes_json;
    time_format_fixed(clock_now(), time);
    if (is_json)
        strbuf_addf(&line, "{\"level\":\"%s\",\"msg\":\"", names[level]);
    else
        strbuf_addf(&line, "time=\"%s\" level=%s msg=\"", time, names[level]);
    for (const char *c = message; *c; c++)
        if (*c == '\n')
            strbuf_add_string(&line, "\\n");
        else if (is_json && (unsigned char)*c < 0x20)
            strbuf_addf(&line, "\\u%04x", (unsigned)*c);
        else if (*c == '"' || *c == '\\')
            strbuf_addf(&line, "\\%c", *c);
        else
            strbuf_add_char(&line, *c);
    if (is_json)
        strbuf_addf(&line, "\",\"time\":\"%s\"}\n", time);
    else
        strbuf_add_string(&line, "\"\n");
    /* One write, so that lines of several threads and processes do not mix. A lost log has nowhere to be reported. */
    (void)!write(STDERR_FILENO, line.data, line.length);
}

#define DEFINE_LEVEL(name, level)                                                                                      \
    void name(const char *format, ...)                                                                                 \
    {                                                                                                                  \
        va_list arguments;                                                                                             \
        va_start(arguments, format);                                                                                   \
        write_line(level, format, arguments);                                                                          \
        va_end(arguments);                                                                                             \
    }

DEFINE_LEVEL(log_error, LOG_LEVEL_ERROR)
DEFINE_LEVEL(log_warning, LOG_LEVEL_WARNING)
DEFINE_LEVEL(log_info, LOG_LEVEL_INFO)
DEFINE_LEVEL(log_debug, LOG_LEVEL_DEBUG)

static void write_text(enum log_level level, const char *format, ...) _printf_(2, 3);
static void write_text(enum log_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(level, format, arguments);
    va_end(arguments);
}

void log_and_release(enum log_level level, struct error *err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *what = xvasprintf(format, arguments);
    va_end(arguments);
    write_text(level, "%s: %s", what, error_message(err));
    error_release(err);
}
