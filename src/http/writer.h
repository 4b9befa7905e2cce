/* Writing HTTP/1.1 messages to a socket. Every function returns false when the peer is gone (errno says how). */
#pragma once

#include "base/strbuf.h"
#include "base/text.h"

/* All bytes, without SIGPIPE. */
bool http_send(int fd, const void *data, size_t length);

/* "POST /v1.50/x HTTP/1.1" with the headers as they are given, in one write. No Host or framing header is added. */
bool http_write_request_head(int fd, const char *method, const char *target, const struct strmap *headers);

/* One chunk of a chunked body; nothing for length 0. */
bool http_write_chunk(int fd, const void *data, size_t length);
/* What comes before the bytes of a chunk; "\r\n" comes after them. */
bool http_begin_chunk(int fd, int64_t length);
/* So many bytes of a file, at its position, without their passing through memory where the kernel can do that; zeroes
   in place of those that it does not have any more. */
bool http_send_file(int fd, int file, int64_t length);
bool http_write_last_chunk(int fd);

/* "Not Found"; "" for a status that has no name. */
const char *http_reason(int status);
