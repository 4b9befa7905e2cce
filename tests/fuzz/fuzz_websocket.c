/* Feeds broken frames to the WebSocket decoder, whole and in pieces, which must agree.

       fuzz_websocket [rounds [seed]]     the same frames for the same seed; a unit test runs this */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "http/websocket.h"
#include "mutate.h"

static void on_data(void *context, const uint8_t *data, size_t length)
{
    strbuf_add(context, data, length);
}

static void on_control(void *context, enum websocket_opcode opcode, const uint8_t *data, size_t length)
{
    struct strbuf *out = context;
    if (length > WEBSOCKET_CONTROL_MAX)
        abort();
    strbuf_addf(out, "<%d %zu>", (int)opcode, length);
    strbuf_add(out, data, length);
    out->is_overrun = opcode == WEBSOCKET_CLOSE; /* borrowed: the decoder is done */
}

static void describe(const struct strbuf *frames, size_t piece, struct strbuf *out)
{
    struct websocket_decoder decoder = {0};
    const struct websocket_events events = {on_data, on_control, out};
    int code = 0;
    for (size_t at = 0; at < frames->length && !code && !out->is_overrun; at += piece) {
        size_t length = MIN(piece, frames->length - at);
        uint8_t *exact = xmalloc(length); /* so that a sanitizer sees what is read beyond */
        memcpy(exact, frames->data + at, length);
        code = websocket_decode(&decoder, exact, length, &events);
        free(exact);
    }
    out->is_overrun = false;
    strbuf_addf(out, "=%d", code);
}

int main(int argc, char **argv)
{
    static const char *const words[] = {"\x82\x85", "\x89\x80", "\x02\x81", "\x80\x82",
                                        "\x82\xfe", "\x82\xff", "\x88\x82"};
    static const char seed[] =
        "\x82\x85mask.....\x01\x83mask...\x89\x82mask..\x80\x82mask..\x8a\x81mask.\x82\xfe\x01\x01mask"
        "......\x88\x82mask..";
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (unsigned long round = 0; round < rounds; round++) {
        _cleanup_strbuf_ struct strbuf frames = STRBUF_INIT, whole = STRBUF_INIT, pieces = STRBUF_INIT;
        strbuf_add(&frames, seed, sizeof(seed) - 1);
        mutate(&frames, words, ARRAY_SIZE(words));
        describe(&frames, frames.length + 1, &whole);
        describe(&frames, 1 + draw(9), &pieces);
        if (whole.length != pieces.length || memcmp(whole.data, pieces.data, whole.length) != 0) {
            fprintf(stderr, "round %lu: whole and in pieces do not agree\n", round);
            abort();
        }
    }
    return 0;
}
