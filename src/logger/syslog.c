/* The syslog driver: Docker's formats (unix's own by default, RFC 3164, RFC 5424) over unix, udp, tcp and tcp+tls. */
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "base/text.h"
#include "logger/driver.h"
#include "logger/transport.h"

enum format { FORMAT_UNIX, FORMAT_RFC3164, FORMAT_RFC5424, FORMAT_RFC5424_MICRO };

/* RFC 5424's numbers. */
enum { SEVERITY_ERROR = 3, SEVERITY_INFO = 6, FACILITY_DAEMON = 3 };

static struct {
    enum format format;
    bool counts_octets; /* RFC 5425: a message's length before it */
    int facility;
    char *host, *port;
    struct transport_tls tls;
    struct transport_address address; /* network NULL: the local syslog, wherever it listens */
    struct transport *transport;
} state;

static int read_facility(const char *text)
{
    static const char *const names[] = {"kern", "user", "mail", "daemon", "auth",     "syslog",
                                        "lpr",  "news", "uucp", "cron",   "authpriv", "ftp"};
    int64_t number;
    if (parse_int64(text, &number))
        return (int)number;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (string_equal(text, names[i]))
            return (int)i;
    return string_starts_with(text, "local") ? 16 + (text[5] - '0') : FACILITY_DAEMON;
}

static struct transport *connect_local(struct error *err)
{
    static const char *const paths[] = {"/dev/log", "/var/run/syslog", "/var/run/log"};
    for (int is_stream = 0; is_stream < 2; is_stream++)
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
            struct transport_address address = {.network = is_stream ? "unix" : "unixgram", .host = paths[i]};
            struct transport *transport = transport_open(&address, NULL);
            if (transport)
                return transport;
        }
    error_set(err, ERROR_INTERNAL, "Unix syslog delivery error");
    return NULL;
}

/* "unix" is whichever kind of socket listens there. */
static bool reconnect(struct error *err)
{
    transport_close(TAKE_PTR(state.transport));
    state.transport = state.address.network ? transport_open(&state.address, err) : connect_local(err);
    if (!state.transport && string_equal(state.address.network, "unix")) {
        struct transport_address datagram = state.address;
        datagram.network = "unixgram";
        state.transport = transport_open(&datagram, NULL);
    }
    return state.transport != NULL;
}

static bool open_syslog(const struct logger_settings *settings, struct error *err)
{
    const char *format = setting(settings, "syslog-format"), *text = setting(settings, "syslog-address");
    state.format = string_equal(format, "rfc3164")        ? FORMAT_RFC3164
                   : string_equal(format, "rfc5424")      ? FORMAT_RFC5424
                   : string_equal(format, "rfc5424micro") ? FORMAT_RFC5424_MICRO
                                                          : FORMAT_UNIX;
    const char *facility = setting(settings, "syslog-facility");
    state.facility = *facility ? read_facility(facility) : FACILITY_DAEMON;
    const char *rest = strstr(text, "://");
    if (!rest)
        return reconnect(err);
    rest += 3;
    if (string_starts_with(text, "unix")) {
        state.host = xstrdup(rest);
        state.address = (struct transport_address){.network = text[4] == 'g' ? "unixgram" : "unix", .host = state.host};
        return reconnect(err);
    }
    _cleanup_free_ char *authority = xstrndup(rest, strcspn(rest, "/"));
    transport_split(authority, "514", &state.host, &state.port);
    bool is_secure = string_starts_with(text, "tcp+tls:");
    state.address =
        (struct transport_address){.network = text[0] == 'u' ? "udp" : "tcp", .host = state.host, .port = state.port};
    if (is_secure) {
        state.tls = (struct transport_tls){.ca_cert = setting(settings, "syslog-tls-ca-cert"),
                                           .cert = setting(settings, "syslog-tls-cert"),
                                           .key = setting(settings, "syslog-tls-key"),
                                           /* Docker takes the mere presence of the option for consent. */
                                           .skips_verification = *setting(settings, "syslog-tls-skip-verify") != 0};
        state.address.tls = &state.tls;
        state.counts_octets = state.format >= FORMAT_RFC5424;
    }
    return reconnect(err);
}

static void add_time(struct strbuf *out, const char *format, unix_nano time, struct tm *local)
{
    char text[64];
    time_t seconds = (time_t)(time / NANOSECONDS_PER_SECOND);
    localtime_r(&seconds, local);
    strftime(text, sizeof(text), format, local);
    strbuf_add_string(out, text);
}

static void add_zone(struct strbuf *out, const struct tm *local)
{
    long minutes = local->tm_gmtoff / 60;
    if (minutes == 0) {
        strbuf_add_char(out, 'Z');
        return;
    }
    strbuf_addf(out, "%c%02ld:%02ld", minutes < 0 ? '-' : '+', labs(minutes) / 60, labs(minutes) % 60);
}

static void add_head(const struct logger_settings *settings, const struct log_message *message, struct strbuf *out)
{
    int severity = message->head.is_stderr ? SEVERITY_ERROR : SEVERITY_INFO;
    unix_nano now = clock_now();
    struct tm local;
    int pid = (int)getpid();
    strbuf_addf(out, "<%d>", state.facility << 3 | severity);
    if (state.format < FORMAT_RFC5424) {
        add_time(out, "%b %e %H:%M:%S ", now, &local);
        if (state.format == FORMAT_RFC3164)
            strbuf_addf(out, "%s ", settings->hostname);
        strbuf_addf(out, "%s[%d]: ", settings->tag, pid);
        return;
    }
    strbuf_add_string(out, "1 ");
    add_time(out, "%Y-%m-%dT%H:%M:%S", now, &local);
    if (state.format == FORMAT_RFC5424_MICRO)
        strbuf_addf(out, ".%06d", (int)(now % NANOSECONDS_PER_SECOND / 1000));
    add_zone(out, &local);
    strbuf_addf(out, " %s %s %d %s - ", settings->hostname, settings->tag, pid, settings->tag);
}

static void write_syslog(const struct logger_settings *settings, const struct log_message *message)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT, framed = STRBUF_INIT;
    add_head(settings, message, &text);
    strbuf_add(&text, message->data, message->length);
    if (!message->length || message->data[message->length - 1] != '\n')
        strbuf_add_char(&text, '\n');
    if (state.counts_octets)
        strbuf_addf(&framed, "%zu ", text.length);
    strbuf_add(&framed, text.data, text.length);
    /* As Docker's: once more on a new connection, then the message is lost. */
    for (int attempt = 0; attempt < 2; attempt++) {
        if ((state.transport || reconnect(NULL)) && transport_write(state.transport, framed.data, framed.length))
            return;
        transport_close(TAKE_PTR(state.transport));
    }
}

const struct log_driver syslog_driver = {"syslog", open_syslog, write_syslog, NULL};
