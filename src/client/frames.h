/* The multiplexed stream of attach, exec and logs without a terminal: frames of a header of 8 bytes (stream, three zero
   bytes, length as big-endian 32 bits) and the payload (Engine API, "Attach to a container"). */
#pragma once

#include <stdint.h>

#include "base/error.h"

enum frame_stream {
    FRAME_STDIN = 0,
    FRAME_STDOUT = 1,
    FRAME_STDERR = 2,
    FRAME_SYSTEM_ERROR = 3, /* the daemon's own message: ends the stream as an error */
};

/* Takes payload as it comes, possibly in several pieces a frame; false (with err) stops the decoding. */
typedef bool (*frame_sink)(void *context, enum frame_stream stream, const void *data, size_t length, struct error *err);

/* Zeroed at the start; holds no memory. */
struct frame_decoder {
    uint8_t header[8];
    size_t header_length;
    uint32_t left; /* payload bytes of this frame still to come */
};

/* Decodes any piece of the stream. */
bool frames_decode(struct frame_decoder *decoder, const void *data, size_t length, frame_sink sink, void *context,
                   struct error *err);
/* True between frames: where a stream may end. */
bool frames_at_boundary(const struct frame_decoder *decoder);
