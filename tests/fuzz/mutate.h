/* What the fuzz programs share: numbers that are the same for the same seed, and mutations of a text. */
#pragma once

#include "base/strbuf.h"

static uint64_t random_state = 1;

static inline size_t draw(size_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(random_state >> 33) % below;
}

/* A few changes: a byte, a piece that goes, a piece that comes twice, a word of the grammar that is put in. */
static inline void mutate(struct strbuf *text, const char *const *words, size_t word_count)
{
    for (size_t i = draw(5); i > 0 && text->length > 0; i--) {
        size_t at = draw(text->length), rest = text->length - at, length = 1 + draw(rest < 16 ? rest : 16);
        _cleanup_strbuf_ struct strbuf changed = STRBUF_INIT;
        strbuf_add(&changed, text->data, at);
        switch (draw(4)) {
        case 0:
            strbuf_add_char(&changed, (char)draw(256));
            length = 1;
            break;
        case 1:
            break;
        case 2:
            strbuf_add(&changed, text->data + at, length);
            length = 0;
            break;
        default:
            strbuf_add_string(&changed, words[draw(word_count)]);
            length = draw(2);
        }
        strbuf_add(&changed, text->data + at + length, rest - length);
        strbuf_truncate(text, 0);
        strbuf_add(text, changed.data, changed.length);
    }
}
