/* Frames of RFC 6455 as a server sees them: what a client sends is decoded as it comes, in pieces of any size, and
   nothing is kept but a control frame's 125 bytes. Nothing here touches a socket. */
#pragma once

#include <stdint.h>

#include "base/strbuf.h"

enum websocket_opcode {
    WEBSOCKET_CONTINUATION = 0,
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10,
};

#define WEBSOCKET_CLOSE_NORMAL   1000
#define WEBSOCKET_CLOSE_PROTOCOL 1002
#define WEBSOCKET_CLOSE_TOO_BIG  1009
#define WEBSOCKET_CONTROL_MAX    125
#define WEBSOCKET_FRAME_MAX      ((uint64_t)32 << 20) /* of data; a longer stream comes in several */

struct websocket_decoder {
    uint8_t head[14]; /* private from here; all zero at the start */
    size_t head_length;
    enum websocket_opcode opcode;
    uint64_t left; /* of the payload */
    size_t mask_index;
    bool is_in_payload;
    bool is_in_message; /* a fragment came that was not the last */
    uint8_t control[WEBSOCKET_CONTROL_MAX];
    size_t control_length;
};

struct websocket_events {
    /* A piece of a message's payload. */
    void (*data)(void *context, const uint8_t *data, size_t length);
    /* A whole CLOSE, PING or PONG. Nothing is decoded after a CLOSE. */
    void (*control)(void *context, enum websocket_opcode opcode, const uint8_t *data, size_t length);
    void *context;
};

/* Decodes `data`, which is unmasked in place. Returns 0, or the code to close with: then, and after a CLOSE, the
   decoder is not to be used any more. */
int websocket_decode(struct websocket_decoder *decoder, uint8_t *data, size_t length,
                     const struct websocket_events *events);

/* One whole frame, not masked, as a server sends it. */
void websocket_add_frame(struct strbuf *out, enum websocket_opcode opcode, const void *data, size_t length);
void websocket_add_close(struct strbuf *out, int code);
