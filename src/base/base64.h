/* Base64 of RFC 4648 with padding. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The caller frees the text. */
char *base64_encode(const void *data, size_t length);
/* Into `data`, of at least strlen(text) / 4 * 3 bytes; returns the number of bytes, or -1 for what is no base64. */
long base64_decode(const char *text, uint8_t *data);
