/* wherry-logger: sends the output of one container to where its log driver says. Started by wherry-shim with the socket
   of settings.h as standard input; ends with it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/wire.h"
#include "logger/driver.h"

/* What is left when the container has ended is tried to be sent for so long. */
#define ENDING_NANOSECONDS (10 * NANOSECONDS_PER_SECOND)
#define READ_SIZE          ((size_t)64 * 1024)

static const struct log_driver *const drivers[] = {&fluentd_driver, &gelf_driver, &journald_driver, &syslog_driver};
static int64_t ending_since; /* on the monotonic clock; 0: not yet */

const char *setting(const struct logger_settings *settings, const char *key)
{
    return string_or_empty(strmap_get(&settings->options, key));
}

bool setting_is_on(const struct logger_settings *settings, const char *key)
{
    const char *text = setting(settings, key);
    return *text && strchr("1tT", *text);
}

/* The end of the stream is seen even while what came before it waits to be sent. */
static bool has_input_ended(void)
{
    struct pollfd polled = {STDIN_FILENO, POLLRDHUP, 0};
    return poll(&polled, 1, 0) > 0 && (polled.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

bool logger_is_ending(void)
{
    if (!ending_since && has_input_ended())
        ending_since = clock_monotonic();
    return ending_since && clock_monotonic() - ending_since > ENDING_NANOSECONDS;
}

void logger_sleep(int64_t milliseconds)
{
    struct timespec step = {.tv_nsec = 20000000};
    for (int64_t waited = 0; waited < milliseconds && !logger_is_ending(); waited += 20)
        nanosleep(&step, NULL);
}

static bool read_settings(struct logger_settings *settings)
{
    uint32_t length;
    if (read_full(STDIN_FILENO, &length, sizeof(length)) != sizeof(length) || length > LOGGER_FRAME_LIMIT)
        return false;
    _cleanup_free_ char *wire = xmalloc(length + 1);
    return read_full(STDIN_FILENO, wire, length) == (ssize_t)length &&
           wire_decode(&logger_settings_type, wire, length, settings, NULL);
}

static bool answer(const char *reason)
{
    uint32_t length = (uint32_t)strlen(reason);
    return write_full(STDIN_FILENO, &length, sizeof(length)) == 0 && write_full(STDIN_FILENO, reason, length) == 0;
}

/* Every whole frame that has come. */
static void write_frames(const struct log_driver *driver, const struct logger_settings *settings, struct strbuf *input)
{
    size_t at = 0;
    uint32_t length;
    while (input->length - at >= sizeof(length)) {
        memcpy(&length, input->data + at, sizeof(length));
        if (length < sizeof(struct logger_head) || input->length - at - sizeof(length) < length)
            break;
        struct log_message message;
        const char *frame = input->data + at + sizeof(length);
        memcpy(&message.head, frame, sizeof(message.head));
        message.data = frame + sizeof(message.head);
        message.length = length - sizeof(message.head);
        if (!logger_is_ending())
            driver->write(settings, &message);
        at += sizeof(length) + length;
    }
    strbuf_consume(input, at);
    if (!input->length)
        strbuf_release(input);
}

static void serve(const struct log_driver *driver, const struct logger_settings *settings)
{
    _cleanup_strbuf_ struct strbuf input = STRBUF_INIT;
    bool is_open = true;
    for (;;) {
        int timeout = driver->flush ? driver->flush() : -1;
        if (!is_open && (timeout < 0 || logger_is_ending()))
            return;
        struct pollfd polled = {is_open ? STDIN_FILENO : -1, POLLIN, 0};
        if (poll(&polled, 1, timeout) <= 0)
            continue;
        strbuf_reserve(&input, READ_SIZE);
        ssize_t count = read(STDIN_FILENO, input.data + input.length, READ_SIZE);
        if (count > 0) {
            input.length += (size_t)count;
            input.data[input.length] = '\0';
            write_frames(driver, settings, &input);
        } else if (count == 0 || errno != EINTR) {
            is_open = false;
            if (!ending_since)
                ending_since = clock_monotonic();
        }
    }
}

int main(int argc, char **argv)
{
    struct logger_settings settings = {0};
    struct error err = ERROR_INIT;
    const struct log_driver *driver = NULL;
    signal(SIGPIPE, SIG_IGN);
    if (!read_settings(&settings)) {
        static const char message[] = "wherry-logger is started by wherry-shim, not by hand\n";
        (void)!write(STDERR_FILENO, message, sizeof(message) - 1);
        return 1;
    }
    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
        if (string_equal(drivers[i]->name, settings.driver))
            driver = drivers[i];
    if (!driver)
        error_set(&err, ERROR_INTERNAL, "wherry-logger has no log driver %s", settings.driver);
    if (!driver || !driver->open(&settings, &err)) {
        answer(error_message(&err));
        error_release(&err);
        record_release(&logger_settings_type, &settings);
        return 1;
    }
    if (answer(""))
        serve(driver, &settings);
    record_release(&logger_settings_type, &settings);
    return 0;
}
