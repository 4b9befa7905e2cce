/* sha256 for the keys of steps. What is added has its length before it, so that no two lists of texts are the same key.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define KEY_BYTES 32

struct key;
struct key *key_new(void);
void key_free(struct key *key);
DEFINE_CLEANUP(struct key *, key_free)
#define _cleanup_key_ _cleanup_(key_freep)
/* Begins again. */
void key_reset(struct key *key);
void key_add_bytes(struct key *key, const void *data, size_t length);
/* Without a length before it: pieces of one content. */
void key_add_raw(struct key *key, const void *data, size_t length);
/* NULL is not "". */
void key_add(struct key *key, const char *text);
void key_add_number(struct key *key, int64_t number);
void key_add_list(struct key *key, const struct strlist *list);
void key_finish_bytes(struct key *key, unsigned char out[KEY_BYTES]);
/* "sha256:<hex>"; caller frees. */
char *key_finish(struct key *key);
