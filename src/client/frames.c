#include "client/frames.h"

#include <string.h>

bool frames_decode(struct frame_decoder *decoder, const void *data, size_t length, frame_sink sink, void *context,
                   struct error *err)
{
    const uint8_t *bytes = data;
    while (length > 0) {
        if (decoder->header_length < sizeof(decoder->header)) {
            size_t count = MIN(sizeof(decoder->header) - decoder->header_length, length);
            memcpy(decoder->header + decoder->header_length, bytes, count);
            decoder->header_length += count;
            bytes += count;
            length -= count;
            if (decoder->header_length < sizeof(decoder->header))
                return true;
            if (decoder->header[0] > FRAME_SYSTEM_ERROR)
                return error_set(err, ERROR_INTERNAL, "Unrecognized input header: %u", decoder->header[0]);
            const uint8_t *size = decoder->header + 4;
            decoder->left = (uint32_t)size[0] << 24 | (uint32_t)size[1] << 16 | (uint32_t)size[2] << 8 | size[3];
        }
        size_t count = MIN((size_t)decoder->left, length);
        enum frame_stream stream = (enum frame_stream)decoder->header[0];
        if (count > 0 && stream == FRAME_SYSTEM_ERROR)
            return error_set(err, ERROR_INTERNAL, "error from daemon in stream: %.*s", (int)MIN(count, (size_t)4096),
                             (const char *)bytes);
        if (count > 0 && !sink(context, stream, bytes, count, err))
            return false;
        bytes += count;
        length -= count;
        decoder->left -= (uint32_t)count;
        if (decoder->left == 0)
            decoder->header_length = 0;
    }
    return true;
}

bool frames_at_boundary(const struct frame_decoder *decoder)
{
    return decoder->header_length == 0;
}
