/* The gelf driver (Graylog's GELF 1.1): over UDP compressed and in chunks, over TCP each message ended by a NUL. */
#include <isa-l/igzip_lib.h>
#include <string.h>
#include <sys/random.h>

#include "base/json_escape.h"
#include "base/memory.h"
#include "base/text.h"
#include "logger/driver.h"
#include "logger/transport.h"

#define CHUNK_SIZE   ((size_t)1420) /* of a datagram, go-gelf's choice for common MTUs */
#define CHUNK_HEADER ((size_t)12)
#define MAX_CHUNKS   128

static struct {
    bool is_tcp;
    int compression;                         /* IGZIP_GZIP, IGZIP_ZLIB, or -1: none */
    unsigned level;                          /* ISA-L's */
    int64_t max_reconnects, reconnect_delay; /* seconds */
    char *host, *port;
    struct transport_address address;
    struct transport *transport;
    struct strbuf constant; /* the additional fields */
} state;

static void add_string(struct strbuf *out, const char *text, size_t length)
{
    strbuf_add_char(out, '"');
    json_escape(out, text, length, JSON_LETTERS_LOG);
    strbuf_add_char(out, '"');
}

static void add_attributes(const struct logger_settings *settings, struct strbuf *out)
{
    char created[TIME_TEXT_SIZE];
    _cleanup_strmap_ struct strmap fields = {0};
    strmap_set(&fields, "_command", string_or_empty(settings->command));
    strmap_set(&fields, "_container_id", settings->id);
    strmap_set(&fields, "_container_name", settings->name);
    strmap_set(&fields, "_created", time_format(settings->created, created));
    strmap_set(&fields, "_image_id", string_or_empty(settings->image_id));
    strmap_set(&fields, "_image_name", string_or_empty(settings->image_name));
    strmap_set(&fields, "_tag", settings->tag);
    for (size_t i = 0; i < settings->attributes.count; i++) {
        const struct strpair *pair = &settings->attributes.items[i];
        _cleanup_free_ char *key = xasprintf("%s%s", pair->key[0] == '_' ? "" : "_", pair->key);
        strmap_set(&fields, key, pair->value);
    }
    for (size_t i = 0; i < fields.count; i++) {
        strbuf_add_char(out, ',');
        add_string(out, fields.items[i].key, strlen(fields.items[i].key));
        strbuf_add_char(out, ':');
        add_string(out, fields.items[i].value, strlen(fields.items[i].value));
    }
}

static void read_compression(const struct logger_settings *settings)
{
    const char *type = setting(settings, "gelf-compression-type");
    int64_t level = 1;
    state.compression = string_equal(type, "none") ? -1 : string_equal(type, "zlib") ? IGZIP_ZLIB : IGZIP_GZIP;
    parse_int64(setting(settings, "gelf-compression-level"), &level);
    /* ISA-L's level 3 is what deflate's calls 6. */
    state.level = level <= 1 ? 0 : level <= 4 ? 1 : level <= 6 ? 2 : 3;
}

static bool open_gelf(const struct logger_settings *settings, struct error *err)
{
    const char *text = setting(settings, "gelf-address"), *rest = strstr(text, "://") + 3;
    _cleanup_free_ char *authority = xstrndup(rest, strcspn(rest, "/"));
    state.is_tcp = string_starts_with(text, "tcp:");
    state.max_reconnects = 3;
    state.reconnect_delay = 1;
    parse_int64(setting(settings, "gelf-tcp-max-reconnect"), &state.max_reconnects);
    parse_int64(setting(settings, "gelf-tcp-reconnect-delay"), &state.reconnect_delay);
    read_compression(settings);
    transport_split(authority, "12201", &state.host, &state.port);
    state.address =
        (struct transport_address){.network = state.is_tcp ? "tcp" : "udp", .host = state.host, .port = state.port};
    add_attributes(settings, &state.constant);
    struct error why = ERROR_INIT;
    state.transport = transport_open(&state.address, &why);
    if (!state.transport)
        error_set(err, ERROR_INTERNAL, "gelf: cannot connect to GELF endpoint: %s %s", authority, error_message(&why));
    error_release(&why);
    return state.transport != NULL;
}

static bool compress_text(const struct strbuf *text, struct strbuf *out)
{
    static struct isal_zstream stream;
    static const uint32_t level_sizes[] = {ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT,
                                           ISAL_DEF_LVL3_DEFAULT};
    uint32_t level_size = level_sizes[state.level];
    _cleanup_free_ uint8_t *level_buffer = level_size ? xmalloc(level_size) : NULL;
    isal_deflate_stateless_init(&stream);
    stream.gzip_flag = (uint16_t)state.compression;
    stream.level = state.level;
    stream.level_buf = level_buffer;
    stream.level_buf_size = level_size;
    stream.end_of_stream = 1;
    size_t room = text->length + text->length / 8 + 256;
    if (!strbuf_reserve(out, room))
        return false;
    stream.next_in = (uint8_t *)text->data;
    stream.avail_in = (uint32_t)text->length;
    stream.next_out = (uint8_t *)out->data;
    stream.avail_out = (uint32_t)room;
    if (isal_deflate_stateless(&stream) != COMP_OK)
        return false;
    out->length = stream.total_out;
    out->data[out->length] = '\0';
    return true;
}

static void send_datagrams(const char *data, size_t length)
{
    if (length <= CHUNK_SIZE) {
        transport_write(state.transport, data, length);
        return;
    }
    size_t piece = CHUNK_SIZE - CHUNK_HEADER, count = (length + piece - 1) / piece;
    char chunk[CHUNK_SIZE] = {0x1e, 0x0f};
    if (count > MAX_CHUNKS || getrandom(chunk + 2, 8, 0) != 8)
        return; /* GELF has no form for it */
    chunk[11] = (char)count;
    for (size_t i = 0; i < count; i++) {
        size_t size = MIN(piece, length - i * piece);
        chunk[10] = (char)i;
        memcpy(chunk + CHUNK_HEADER, data + i * piece, size);
        transport_write(state.transport, chunk, CHUNK_HEADER + size);
    }
}

static void send_tcp(const struct strbuf *text)
{
    /* With the NUL that every string of ours has. */
    for (int64_t attempt = 0;; attempt++) {
        if (state.transport && transport_write(state.transport, text->data, text->length + 1))
            return;
        transport_close(TAKE_PTR(state.transport));
        if (attempt >= state.max_reconnects || logger_is_ending())
            return;
        if (attempt > 0)
            logger_sleep(state.reconnect_delay * 1000);
        state.transport = transport_open(&state.address, NULL);
    }
}

static void write_gelf(const struct logger_settings *settings, const struct log_message *message)
{
    static struct strbuf text, packed;
    const struct logger_head *head = &message->head;
    int64_t milliseconds = head->time / 1000000;
    strbuf_truncate(&text, 0);
    strbuf_truncate(&packed, 0);
    strbuf_add_string(&text, "{\"version\":\"1.1\",\"host\":");
    add_string(&text, settings->hostname, strlen(settings->hostname));
    strbuf_add_string(&text, ",\"short_message\":");
    add_string(&text, message->data, message->length);
    strbuf_addf(&text, ",\"timestamp\":%lld.%03d,\"level\":%d", (long long)(milliseconds / 1000),
                (int)(milliseconds % 1000), head->is_stderr ? 3 : 6);
    strbuf_add(&text, state.constant.data, state.constant.length);
    strbuf_add_char(&text, '}');
    if (state.is_tcp)
        send_tcp(&text);
    else if (state.compression < 0)
        send_datagrams(text.data, text.length);
    else if (compress_text(&text, &packed))
        send_datagrams(packed.data, packed.length);
}

const struct log_driver gelf_driver = {"gelf", open_gelf, write_gelf, NULL};
