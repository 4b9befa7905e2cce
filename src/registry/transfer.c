#include "registry/transfer.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

#define POLL_MILLISECONDS 100
#define BUFFER_LIMIT      ((size_t)1 << 20) /* bytes that wait for the reader before the sender is held back */
#define RECEIVE_SIZE      ((long)256 << 10)
#define CONNECT_TIMEOUT   30L /* seconds */
#define STALL_TIMEOUT     60L /* seconds without a byte */
#define MAX_REDIRECTS     10L

struct transport {
    CURLM *multi;
    bool (*is_cancelled)(void *context);
    void *context;
};

struct transfer {
    struct transport *transport;
    CURL *easy;
    struct curl_slist *headers;
    char *method;
    char *url;
    const struct transfer_request *request; /* while it is being sent */
    size_t sent;
    struct strbuf body; /* what has come and is not read yet, from `offset` on */
    size_t offset;
    bool is_paused;
    bool is_added;
    bool is_done;
    CURLcode result;
    char *status_text;
    struct strmap answer; /* headers of the last answer; names in lower case */
    char reason[CURL_ERROR_SIZE];
};

struct transport *transport_new(bool (*is_cancelled)(void *context), void *context)
{
    struct transport *transport = NEW(struct transport);
    transport->multi = curl_multi_init();
    transport->is_cancelled = is_cancelled;
    transport->context = context;
    curl_multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, 4L);
    return transport;
}

void transport_free(struct transport *transport)
{
    if (!transport)
        return;
    curl_multi_cleanup(transport->multi);
    free(transport);
}

/* --- what libcurl calls --- */

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t length = size * count;
    _cleanup_free_ char *line = xstrndup(data, length);
    line[strcspn(line, "\r\n")] = '\0';
    if (string_starts_with(line, "HTTP/")) {
        strmap_release(&transfer->answer); /* of a redirection, or a 100 */
        const char *space = strchr(line, ' ');
        string_replace(&transfer->status_text, space ? space + 1 : "");
    }
    char *colon = strchr(line, ':');
    if (!colon)
        return length;
    *colon = '\0';
    for (char *at = line; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    const char *before = strmap_get(&transfer->answer, line);
    _cleanup_free_ char *joined = before ? xasprintf("%s, %s", before, value) : xstrdup(value);
    strmap_set(&transfer->answer, line, joined);
    return length;
}

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    if (transfer->body.length - transfer->offset >= BUFFER_LIMIT) {
        transfer->is_paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (transfer->offset == transfer->body.length) {
        strbuf_truncate(&transfer->body, 0);
        transfer->offset = 0;
    }
    return strbuf_add(&transfer->body, data, size * count) ? size * count : 0;
}

static size_t on_upload(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    const struct transfer_request *request = transfer->request;
    size_t wanted = MIN(size * count, request->length - transfer->sent);
    if (request->has_file) {
        ssize_t n = wanted ? pread(request->fd, data, wanted, (off_t)(request->offset + (int64_t)transfer->sent)) : 0;
        if (n < 0 || (n == 0 && wanted > 0))
            return CURL_READFUNC_ABORT;
        wanted = (size_t)n;
    } else if (wanted) {
        memcpy(data, (const char *)request->data + transfer->sent, wanted);
    }
    transfer->sent += wanted;
    if (request->sent)
        request->sent(request->sent_context, (int64_t)transfer->sent);
    return wanted;
}

static int on_seek(void *context, curl_off_t offset, int origin)
{
    struct transfer *transfer = context;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > transfer->request->length)
        return CURL_SEEKFUNC_CANTSEEK;
    transfer->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* --- errors, in Go's words --- */

static char *address_of(const struct transfer *transfer)
{
    char *ip = NULL;
    long port = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &ip);
    curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_PORT, &port);
    if (string_is_set(ip))
        return xasprintf(strchr(ip, ':') ? "[%s]:%ld" : "%s:%ld", ip, port);
    const char *host = strstr(transfer->url, "://");
    host = host ? host + 3 : transfer->url;
    char *text = xstrndup(host, strcspn(host, "/?"));
    const char *end = strchr(text, ']');
    if (strchr(end ? end : text, ':'))
        return text;
    char *whole = xasprintf("%s:%s", text, string_starts_with(transfer->url, "https:") ? "443" : "80");
    free(text);
    return whole;
}

static char *reason_of(const struct transfer *transfer)
{
    long code = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &code);
    _cleanup_free_ char *address = address_of(transfer);
    const char *text = *transfer->reason ? transfer->reason : curl_easy_strerror(transfer->result);
    switch (transfer->result) {
    case CURLE_COULDNT_RESOLVE_HOST: {
        _cleanup_free_ char *host = xstrndup(address, strcspn(address, ":"));
        return xasprintf("dial tcp: lookup %s: no such host", host);
    }
    case CURLE_COULDNT_CONNECT:
        return xasprintf("dial tcp %s: connect: %s", address, code ? errno_text((int)code) : text);
    case CURLE_OPERATION_TIMEDOUT:
        return xasprintf("dial tcp %s: i/o timeout", address);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return xasprintf("tls: failed to verify certificate: %s", text);
    case CURLE_SSL_CONNECT_ERROR:
        if (strstr(text, "wrong version number") || strstr(text, "packet length too long"))
            return xstrdup("http: server gave HTTP response to HTTPS client");
        return xasprintf("tls: %s", text);
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
        return xstrdup("unexpected EOF");
    default:
        return xstrdup(text);
    }
}

static bool fail(const struct transfer *transfer, struct error *err)
{
    _cleanup_free_ char *reason = reason_of(transfer);
    _cleanup_free_ char *verb = xstrdup(transfer->method);
    for (char *at = verb + 1; *verb && *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return error_set(err, ERROR_INTERNAL, "%s \"%s\": %s", verb, transfer->url, reason);
}

/* --- the exchange --- */

static void set_proxy(CURL *easy, const char *url)
{
    /* As Go: what is on this machine needs no proxy. */
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    if (string_starts_with(host, "localhost") || string_starts_with(host, "127.") || string_starts_with(host, "[::1]"))
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
}

static void set_body(struct transfer *transfer, const struct transfer_request *request)
{
    CURL *easy = transfer->easy;
    bool has_body = request->data || request->has_file;
    if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (has_body) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
        curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->length);
        curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, RECEIVE_SIZE);
    } else if (strcmp(request->method, "GET") != 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
    /* What changes something is not sent again somewhere else. */
    bool may_redirect = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, may_redirect ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
}

static void set_certificates(CURL *easy, const struct endpoint *endpoint)
{
    if (!endpoint)
        return;
    if (!endpoint->is_verified) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (endpoint->authorities.length > 0) {
        struct curl_blob blob = {
            .data = endpoint->authorities.data, .len = endpoint->authorities.length, .flags = CURL_BLOB_COPY};
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
    }
    if (endpoint->certificate) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, endpoint->certificate);
        curl_easy_setopt(easy, CURLOPT_SSLKEY, endpoint->key);
    }
}

static void set_options(struct transfer *transfer, const struct transfer_request *request)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALL_TIMEOUT);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_SIZE);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "docker/28.2.2 wherry/" WHERRY_VERSION);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reason);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    transfer->headers = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; i < request->headers.count; i++)
        transfer->headers = curl_slist_append(transfer->headers, request->headers.items[i]);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    set_proxy(easy, request->url);
    set_body(transfer, request);
    set_certificates(easy, request->endpoint);
}

static bool step(struct transfer *transfer, struct error *err)
{
    struct transport *transport = transfer->transport;
    if (transport->is_cancelled && transport->is_cancelled(transport->context))
        return error_set(err, ERROR_CANCELLED, "context canceled");
    int running = 0, left = 0;
    curl_multi_perform(transport->multi, &running);
    CURLMsg *message;
    while ((message = curl_multi_info_read(transport->multi, &left))) {
        if (message->msg != CURLMSG_DONE || message->easy_handle != transfer->easy)
            continue;
        transfer->is_done = true;
        transfer->result = message->data.result;
    }
    if (!transfer->is_done && transfer->offset == transfer->body.length)
        curl_multi_poll(transport->multi, NULL, 0, POLL_MILLISECONDS, NULL);
    return true;
}

struct transfer *transfer_open(struct transport *transport, const struct transfer_request *request, struct error *err)
{
    _cleanup_(transfer_closep) struct transfer *transfer = NEW(struct transfer);
    transfer->transport = transport;
    transfer->method = xstrdup(request->method);
    transfer->url = xstrdup(request->url);
    transfer->request = request;
    transfer->body.limit = 4 * BUFFER_LIMIT;
    transfer->easy = curl_easy_init();
    if (!transfer->easy) {
        error_set(err, ERROR_INTERNAL, "cannot start a transfer");
        return NULL;
    }
    set_options(transfer, request);
    curl_multi_add_handle(transport->multi, transfer->easy);
    transfer->is_added = true;
    while (!transfer->is_done && transfer->body.length == 0)
        if (!step(transfer, err))
            return NULL;
    transfer->request = NULL;
    /* What came before it broke off is read first. */
    if (transfer->is_done && transfer->result != CURLE_OK && transfer->body.length == 0) {
        fail(transfer, err);
        return NULL;
    }
    return TAKE_PTR(transfer);
}

void transfer_close(struct transfer *transfer)
{
    if (!transfer)
        return;
    if (transfer->is_added)
        curl_multi_remove_handle(transfer->transport->multi, transfer->easy);
    if (transfer->easy)
        curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    strmap_release(&transfer->answer);
    strbuf_release(&transfer->body);
    free(transfer->status_text);
    free(transfer->method);
    free(transfer->url);
    free(transfer);
}

int transfer_status(const struct transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

const char *transfer_status_text(const struct transfer *transfer)
{
    return string_or_empty(transfer->status_text);
}

const char *transfer_header(const struct transfer *transfer, const char *name)
{
    return strmap_get(&transfer->answer, name);
}

const char *transfer_url(const struct transfer *transfer)
{
    char *url = NULL;
    curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &url);
    return url ? url : transfer->url;
}

ssize_t transfer_read(struct transfer *transfer, void *data, size_t length, struct error *err)
{
    while (transfer->offset == transfer->body.length) {
        if (transfer->is_done && transfer->result != CURLE_OK) {
            fail(transfer, err);
            return -1;
        }
        if (transfer->is_done)
            return 0;
        if (transfer->is_paused) {
            transfer->is_paused = false;
            curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
        }
        if (transfer->offset == transfer->body.length && !step(transfer, err))
            return -1;
    }
    size_t count = MIN(length, transfer->body.length - transfer->offset);
    memcpy(data, transfer->body.data + transfer->offset, count);
    transfer->offset += count;
    return (ssize_t)count;
}

bool transfer_read_all(struct transfer *transfer, size_t limit, struct strbuf *out, struct error *err)
{
    char piece[16 << 10];
    ssize_t count;
    while ((count = transfer_read(transfer, piece, sizeof(piece), err)) > 0)
        if (out->length + (size_t)count > limit || !strbuf_add(out, piece, (size_t)count))
            return error_set(err, ERROR_TOO_LARGE, "the answer of %s is larger than %zu bytes", transfer->url, limit);
    return count == 0;
}
