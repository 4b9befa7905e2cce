/* What a log driver is to wherry-logger: it is opened once, takes one message after the other, and may hold some back.
 */
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "logger/settings.h"

struct log_message {
    struct logger_head head;
    const char *data; /* without the newline */
    size_t length;
};

struct log_driver {
    const char *name;
    /* Connects where Docker's driver does so at the start. The error is what the start of the container fails with. */
    bool (*open)(const struct logger_settings *settings, struct error *err);
    /* May take as long as the server does, except for drivers that buffer. Messages that cannot be sent are lost. */
    void (*write)(const struct logger_settings *settings, const struct log_message *message);
    /* Sends what is held back, as far as that goes; returns the milliseconds until it wants to be called again, -1:
       nothing is held back. May be NULL. */
    int (*flush)(void);
};

extern const struct log_driver syslog_driver, journald_driver, fluentd_driver, gelf_driver;

/* The option's value, "" where it is not given. */
const char *setting(const struct logger_settings *settings, const char *key);
bool setting_is_on(const struct logger_settings *settings, const char *key);
/* Nothing more comes: what cannot be sent soon is given up. */
bool logger_is_ending(void);
/* Sleeps, but not beyond the time that an ending logger has. */
void logger_sleep(int64_t milliseconds);
