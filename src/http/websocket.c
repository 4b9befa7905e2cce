#include "http/websocket.h"

#include "base/memory.h"

#define MASK_LENGTH 4

static bool is_control(enum websocket_opcode opcode)
{
    return opcode >= WEBSOCKET_CLOSE;
}

/* Bytes of the whole head, as far as its first two tell. */
static size_t head_size(const struct websocket_decoder *decoder)
{
    if (decoder->head_length < 2)
        return 2;
    size_t length = decoder->head[1] & 0x7f;
    return 2 + (length == 127 ? 8U : length == 126 ? 2U : 0U) + MASK_LENGTH;
}

/* What the first two bytes already forbid is refused before the rest has come. */
static int check_start(const struct websocket_decoder *decoder)
{
    int opcode = decoder->head[0] & 0xf;
    bool is_last = decoder->head[0] & 0x80, is_masked = decoder->head[1] & 0x80;
    bool is_known = opcode <= WEBSOCKET_BINARY || (opcode >= WEBSOCKET_CLOSE && opcode <= WEBSOCKET_PONG);
    if ((decoder->head[0] & 0x70) || !is_known || !is_masked)
        return WEBSOCKET_CLOSE_PROTOCOL;
    if (is_control((enum websocket_opcode)opcode))
        return is_last && (decoder->head[1] & 0x7f) <= WEBSOCKET_CONTROL_MAX ? 0 : WEBSOCKET_CLOSE_PROTOCOL;
    bool continues = opcode == WEBSOCKET_CONTINUATION;
    return continues == decoder->is_in_message ? 0 : WEBSOCKET_CLOSE_PROTOCOL;
}

static int begin_payload(struct websocket_decoder *decoder)
{
    uint64_t length = decoder->head[1] & 0x7f;
    size_t count = length == 127 ? 8 : length == 126 ? 2 : 0;
    if (count)
        length = 0;
    for (size_t i = 0; i < count; i++)
        length = length << 8 | decoder->head[2 + i];
    if (length > WEBSOCKET_FRAME_MAX)
        return WEBSOCKET_CLOSE_TOO_BIG;
    decoder->opcode = (enum websocket_opcode)(decoder->head[0] & 0xf);
    if (!is_control(decoder->opcode))
        decoder->is_in_message = !(decoder->head[0] & 0x80);
    decoder->left = length;
    decoder->mask_index = 0;
    decoder->control_length = 0;
    decoder->is_in_payload = true;
    return 0;
}

static void unmask(struct websocket_decoder *decoder, uint8_t *data, size_t length)
{
    const uint8_t *mask = decoder->head + decoder->head_length - MASK_LENGTH;
    for (size_t i = 0; i < length; i++)
        data[i] ^= mask[decoder->mask_index++ % MASK_LENGTH];
}

/* The piece of the payload that is there. False where it ended a CLOSE. */
static bool take_payload(struct websocket_decoder *decoder, uint8_t *data, size_t length,
                         const struct websocket_events *events)
{
    unmask(decoder, data, length);
    decoder->left -= length;
    if (is_control(decoder->opcode)) {
        memcpy(decoder->control + decoder->control_length, data, length);
        decoder->control_length += length;
    } else if (length) {
        events->data(events->context, data, length);
    }
    if (decoder->left)
        return true;
    decoder->is_in_payload = false;
    decoder->head_length = 0;
    if (!is_control(decoder->opcode))
        return true;
    events->control(events->context, decoder->opcode, decoder->control, decoder->control_length);
    return decoder->opcode != WEBSOCKET_CLOSE;
}

int websocket_decode(struct websocket_decoder *decoder, uint8_t *data, size_t length,
                     const struct websocket_events *events)
{
    for (size_t at = 0; at < length;) {
        if (!decoder->is_in_payload) {
            decoder->head[decoder->head_length++] = data[at++];
            int code = decoder->head_length == 2                    ? check_start(decoder)
                       : decoder->head_length == head_size(decoder) ? begin_payload(decoder)
                                                                    : 0;
            if (code)
                return code;
            if (!decoder->is_in_payload || decoder->left)
                continue;
        }
        size_t count = (size_t)MIN(decoder->left, (uint64_t)(length - at));
        if (!take_payload(decoder, data + at, count, events))
            return 0;
        at += count;
    }
    return 0;
}

void websocket_add_frame(struct strbuf *out, enum websocket_opcode opcode, const void *data, size_t length)
{
    strbuf_add_char(out, (char)(0x80 | opcode));
    size_t count = length > 0xffff ? 8 : length > 125 ? 2 : 0;
    strbuf_add_char(out, (char)(count == 8 ? 127 : count == 2 ? 126 : length));
    for (size_t i = count; i > 0; i--)
        strbuf_add_char(out, (char)((uint64_t)length >> (8 * (i - 1))));
    strbuf_add(out, data, length);
}

void websocket_add_close(struct strbuf *out, int code)
{
    const char bytes[] = {(char)(code >> 8), (char)code};
    websocket_add_frame(out, WEBSOCKET_CLOSE, bytes, sizeof(bytes));
}
