/* Finds the detach sequence in what a client types, across the borders of reads. */
#pragma once

#include <stdint.h>

#include "base/strbuf.h"

#define DETACH_KEYS_MAX 32

struct detach_keys {
    uint8_t sequence[DETACH_KEYS_MAX];
    uint8_t length;  /* 0: nothing is searched */
    uint8_t matched; /* keys of the sequence that were typed and are held back */
};

/* From pairs of hex digits; NULL and "" give the empty sequence. False for anything else, or too long a sequence. */
bool detach_keys_parse(const char *hex, struct detach_keys *out);
/* Appends to `out` what is to be passed on. True when the sequence was completed; what comes after it is dropped. */
bool detach_keys_filter(struct detach_keys *keys, const uint8_t *data, size_t length, struct strbuf *out);
