/* The log of wherryd: one line an event on standard error, in dockerd's text form
   (time="…" level=info msg="…"). Thread-safe. Library code returns errors; only daemons and threads' ends log them. */
#pragma once

#include "base/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Messages above the level are dropped. Starts at LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
/* One JSON object a line, in dockerd's form, instead of text. */
void log_set_json(bool is_json);
void log_error(const char *format, ...) _printf_(1, 2);
void log_warning(const char *format, ...) _printf_(1, 2);
void log_info(const char *format, ...) _printf_(1, 2);
void log_debug(const char *format, ...) _printf_(1, 2);
/* Logs "<message of format>: <error>" at the level given, and releases the error. */
void log_and_release(enum log_level level, struct error *err, const char *format, ...) _printf_(3, 4);
