/* The fluentd driver: the forward protocol (Fluentd's Forward Protocol Specification v1), in its Message mode:
   [tag, time, record, option]. Asynchronous, messages are kept up to fluentd-buffer-limit while the server is away, and
   what does not fit is lost, as Docker's client does. */
#include <limits.h>
#include <string.h>

#include "base/base64.h"
#include "base/id.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/text.h"
#include "logger/driver.h"
#include "logger/msgpack.h"
#include "logger/transport.h"

#define BUFFER_LIMIT     (INT64_C(1) << 20)
#define RETRY_WAIT       (NANOSECONDS_PER_SECOND)
#define LONGEST_WAIT     (60 * NANOSECONDS_PER_SECOND)
#define ACK_MILLISECONDS 10000

static struct {
    struct transport_address address;
    struct transport_tls tls;
    struct transport *transport;
    bool is_async, wants_acks, has_sub_seconds;
    int64_t buffer_limit, retry_wait, max_retries;
    struct strbuf queue;                      /* asynchronous: whole messages that were not sent */
    int64_t attempts;                         /* failed ones in a row */
    int64_t next_attempt_at;                  /* on the monotonic clock */
    int64_t connected_at, reconnect_interval; /* asynchronous: a connection is renewed once it is older; 0: never */
} state;

static bool reconnect(struct error *err)
{
    transport_close(TAKE_PTR(state.transport));
    state.transport = transport_open(&state.address, err);
    state.connected_at = clock_monotonic();
    return state.transport != NULL;
}

static void read_address(const char *text)
{
    static char *host, *port;
    const char *separator = strstr(text, "://"), *rest = separator ? separator + 3 : text;
    if (string_starts_with(text, "unix://")) {
        state.address = (struct transport_address){.network = "unix", .host = rest};
        return;
    }
    transport_split(rest, "24224", &host, &port);
    state.address = (struct transport_address){.network = "tcp", .host = *host ? host : "127.0.0.1", .port = port};
    if (string_starts_with(text, "tls://")) {
        state.tls = (struct transport_tls){.ca_cert = "", .cert = "", .key = ""};
        state.address.tls = &state.tls;
    }
}

static bool open_fluentd(const struct logger_settings *settings, struct error *err)
{
    state.buffer_limit = BUFFER_LIMIT;
    state.retry_wait = RETRY_WAIT;
    state.max_retries = INT32_MAX;
    if (*setting(settings, "fluentd-buffer-limit"))
        parse_bytes(setting(settings, "fluentd-buffer-limit"), &state.buffer_limit, NULL);
    if (*setting(settings, "fluentd-retry-wait"))
        parse_duration(setting(settings, "fluentd-retry-wait"), &state.retry_wait, NULL);
    if (*setting(settings, "fluentd-max-retries"))
        parse_int64(setting(settings, "fluentd-max-retries"), &state.max_retries);
    state.is_async = setting_is_on(settings, "fluentd-async") || setting_is_on(settings, "fluentd-async-connect");
    if (state.is_async && *setting(settings, "fluentd-async-reconnect-interval"))
        parse_duration(setting(settings, "fluentd-async-reconnect-interval"), &state.reconnect_interval, NULL);
    state.wants_acks = setting_is_on(settings, "fluentd-request-ack");
    state.has_sub_seconds = setting_is_on(settings, "fluentd-sub-second-precision");
    read_address(setting(settings, "fluentd-address"));
    return state.is_async || reconnect(err);
}

static void add_pair(struct strbuf *out, const char *key, const char *value, size_t length)
{
    msgpack_add_string(out, key, strlen(key));
    msgpack_add_string(out, value, length);
}

static void add_text(struct strbuf *out, const char *key, const char *value)
{
    add_pair(out, key, string_or_empty(value), strlen(string_or_empty(value)));
}

/* Docker's record: an attribute replaces a field of the same name. */
static void add_record(const struct logger_settings *settings, const struct log_message *message, struct strbuf *out)
{
    static const char *const fields[] = {"container_id", "container_name", "source", "log"};
    const struct logger_head *head = &message->head;
    _cleanup_free_ char *name = xasprintf("/%s", settings->name);
    uint32_t count = (uint32_t)(ARRAY_SIZE(fields) + settings->attributes.count + (head->is_partial ? 4 : 0));
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        count -= strmap_get(&settings->attributes, fields[i]) != NULL;
    msgpack_add_map(out, count);
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (strmap_get(&settings->attributes, fields[i]))
            continue;
        switch (i) {
        case 0:
            add_text(out, fields[i], settings->id);
            break;
        case 1:
            add_text(out, fields[i], name);
            break;
        case 2:
            add_text(out, fields[i], head->is_stderr ? "stderr" : "stdout");
            break;
        default:
            add_pair(out, fields[i], message->data, message->length);
        }
    }
    for (size_t i = 0; i < settings->attributes.count; i++)
        add_text(out, settings->attributes.items[i].key, settings->attributes.items[i].value);
    if (head->is_partial) {
        char ordinal[16];
        snprintf(ordinal, sizeof(ordinal), "%u", head->ordinal);
        add_text(out, "partial_message", "true");
        add_pair(out, "partial_id", head->partial_id, sizeof(head->partial_id));
        add_text(out, "partial_ordinal", ordinal);
        add_text(out, "partial_last", head->is_last ? "true" : "false");
    }
}

/* The answer to a chunk is {"ack": its id}: the id is all that has to be found in it. */
static bool await_ack(const char *chunk)
{
    char answer[256];
    long length = transport_read(state.transport, answer, sizeof(answer), ACK_MILLISECONDS);
    return length > 0 && memmem(answer, (size_t)length, chunk, strlen(chunk)) != NULL;
}

static bool send_now(const char *data, size_t length, const char *chunk)
{
    if (state.reconnect_interval && clock_monotonic() - state.connected_at > state.reconnect_interval)
        transport_close(TAKE_PTR(state.transport));
    if ((state.transport || reconnect(NULL)) && transport_write(state.transport, data, length) &&
        (!chunk || await_ack(chunk)))
        return true;
    transport_close(TAKE_PTR(state.transport));
    return false;
}

/* 1.5 times as long after each failure. */
static int64_t wait_after(int64_t attempts)
{
    int64_t wait = state.retry_wait;
    for (int64_t i = 1; i < attempts && wait < LONGEST_WAIT; i++)
        wait += wait / 2;
    return MIN(wait, LONGEST_WAIT);
}

static void send_or_wait(const struct strbuf *message, const char *chunk)
{
    for (int64_t attempt = 1; !send_now(message->data, message->length, chunk); attempt++) {
        if (attempt > state.max_retries || logger_is_ending())
            return;
        logger_sleep(wait_after(attempt) / 1000000);
    }
}

static void write_fluentd(const struct logger_settings *settings, const struct log_message *message)
{
    static struct strbuf out;
    char id[ID_LENGTH + 1] = "";
    const char *chunk = NULL;
    uint32_t seconds = (uint32_t)(message->head.time / NANOSECONDS_PER_SECOND);
    strbuf_truncate(&out, 0);
    msgpack_add_array(&out, 4);
    msgpack_add_string(&out, settings->tag, strlen(settings->tag));
    if (state.has_sub_seconds)
        msgpack_add_event_time(&out, seconds, (uint32_t)(message->head.time % NANOSECONDS_PER_SECOND));
    else
        msgpack_add_integer(&out, seconds);
    add_record(settings, message, &out);
    msgpack_add_map(&out, state.wants_acks);
    if (state.wants_acks) {
        id_generate(id);
        id[32] = '\0';
        chunk = id;
        add_text(&out, "chunk", id);
    }
    /* An acknowledgement is waited for, so nothing is gained by a queue then. */
    if (!state.is_async || state.wants_acks)
        send_or_wait(&out, chunk);
    else if ((int64_t)(state.queue.length + out.length) <= state.buffer_limit)
        strbuf_add(&state.queue, out.data, out.length);
}

static int flush_fluentd(void)
{
    int64_t now = clock_monotonic();
    if (!state.queue.length)
        return -1;
    if (now >= state.next_attempt_at) {
        if (send_now(state.queue.data, state.queue.length, NULL)) {
            strbuf_release(&state.queue);
            state.attempts = 0;
            state.next_attempt_at = 0;
            return -1;
        }
        if (++state.attempts > state.max_retries) {
            strbuf_release(&state.queue);
            state.attempts = 0;
            return -1;
        }
        state.next_attempt_at = clock_monotonic() + wait_after(state.attempts);
    }
    return (int)((state.next_attempt_at - clock_monotonic()) / 1000000) + 1;
}

const struct log_driver fluentd_driver = {"fluentd", open_fluentd, write_fluentd, flush_fluentd};
