/* The keys that leave a terminal session without ending it: "ctrl-p,ctrl-q". */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"

#define DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q"
#define DETACH_KEYS_MAXIMUM 32

struct detach_keys {
    unsigned char keys[DETACH_KEYS_MAXIMUM];
    size_t count;
    size_t matched; /* of the sequence, typed so far and held back */
};
/* Letters, or ctrl- and one of a-z @ [ \ ] ^ _, separated by commas. */
bool detach_keys_parse(const char *text, struct detach_keys *out, struct error *err);
/* Adds what is to be passed on to `out`; true once the whole sequence was typed. */
bool detach_keys_feed(struct detach_keys *keys, const void *data, size_t length, struct strbuf *out);
