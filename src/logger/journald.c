/* The journald driver: systemd's native protocol (systemd's docs/JOURNAL_NATIVE_PROTOCOL.md) on a datagram socket. A
   field is KEY=value\n, or with a newline in the value KEY\n, its length in 64 bits, the value and \n. What does not
   fit into a datagram goes as a sealed memfd. */
#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/file.h"
#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"
#include "logger/driver.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SHORT_ID       12

static struct {
    int fd;
    struct sockaddr_un address;
    struct strbuf constant; /* the fields that every message has */
    uint64_t ordinal;
} state;

static void add_field(struct strbuf *out, const char *key, const char *value, size_t length)
{
    strbuf_add_string(out, key);
    if (memchr(value, '\n', length)) {
        uint64_t count = htole64(length);
        strbuf_add_char(out, '\n');
        strbuf_add(out, &count, sizeof(count));
    } else {
        strbuf_add_char(out, '=');
    }
    strbuf_add(out, value, length);
    strbuf_add_char(out, '\n');
}

static void add_text(struct strbuf *out, const char *key, const char *value)
{
    add_field(out, key, string_or_empty(value), strlen(string_or_empty(value)));
}

/* Upper-case letters, digits and underscores, none at the start. */
static void add_attribute(struct strbuf *out, const struct strpair *pair)
{
    _cleanup_strbuf_ struct strbuf key = STRBUF_INIT;
    for (const char *c = pair->key; *c; c++) {
        char upper = (char)toupper((unsigned char)*c);
        bool is_kept = (upper >= 'A' && upper <= 'Z') || (upper >= '0' && upper <= '9');
        if (is_kept || key.length)
            strbuf_add_char(&key, is_kept ? upper : '_');
    }
    if (key.length)
        add_text(out, strbuf_text(&key), pair->value);
}

static bool open_journald(const struct logger_settings *settings, struct error *err)
{
    struct strbuf *out = &state.constant;
    char epoch[ID_LENGTH + 1];
    state.address = (struct sockaddr_un){.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
    if (access(JOURNAL_SOCKET, F_OK) < 0)
        return error_set(err, ERROR_INTERNAL, "journald is not enabled on this host");
    state.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (state.fd < 0)
        return error_errno(err, "socket");
    id_generate(epoch);
    _cleanup_free_ char *id = xstrndup(settings->id, SHORT_ID);
    add_text(out, "CONTAINER_ID", id);
    add_text(out, "CONTAINER_ID_FULL", settings->id);
    add_text(out, "CONTAINER_NAME", settings->name);
    add_text(out, "CONTAINER_TAG", settings->tag);
    add_text(out, "IMAGE_NAME", settings->image_name);
    add_text(out, "SYSLOG_IDENTIFIER", settings->tag);
    add_text(out, "CONTAINER_LOG_EPOCH", epoch);
    for (size_t i = 0; i < settings->attributes.count; i++)
        add_attribute(out, &settings->attributes.items[i]);
    return true;
}

static void add_number(struct strbuf *out, const char *key, uint64_t number)
{
    strbuf_addf(out, "%s=%llu\n", key, (unsigned long long)number);
}

static void send_memfd(const struct strbuf *fields)
{
    _cleanup_close_ int fd = memfd_create("journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || write_full(fd, fields->data, fields->length) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        return;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = "";
    struct msghdr message = {.msg_name = &state.address,
                             .msg_namelen = sizeof(state.address),
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    sendmsg(state.fd, &message, MSG_NOSIGNAL);
}

static void write_journald(const struct logger_settings *settings, const struct log_message *message)
{
    static struct strbuf fields;
    char time[TIME_TEXT_SIZE];
    const struct logger_head *head = &message->head;
    strbuf_truncate(&fields, 0);
    add_text(&fields, "PRIORITY", head->is_stderr ? "3" : "6");
    strbuf_add(&fields, state.constant.data, state.constant.length);
    add_number(&fields, "CONTAINER_LOG_ORDINAL", ++state.ordinal);
    add_text(&fields, "SYSLOG_TIMESTAMP", time_format(head->time, time));
    if (head->is_partial) {
        add_field(&fields, "CONTAINER_PARTIAL_ID", head->partial_id, sizeof(head->partial_id));
        add_number(&fields, "CONTAINER_PARTIAL_ORDINAL", head->ordinal);
        add_text(&fields, "CONTAINER_PARTIAL_LAST", head->is_last ? "true" : "false");
        if (!head->is_last)
            add_text(&fields, "CONTAINER_PARTIAL_MESSAGE", "true");
    }
    add_field(&fields, "MESSAGE", message->data, message->length);
    ssize_t sent;
    while ((sent = sendto(state.fd, fields.data, fields.length, MSG_NOSIGNAL, (struct sockaddr *)&state.address,
                          sizeof(state.address))) < 0 &&
           errno == EINTR) {
    }
    if (sent < 0 && (errno == EMSGSIZE || errno == ENOBUFS))
        send_memfd(&fields);
}

const struct log_driver journald_driver = {"journald", open_journald, write_journald, NULL};
