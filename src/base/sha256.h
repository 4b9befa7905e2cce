/* SHA-256 (FIPS 180-4) of short things, for programs that do not load libcrypto. */
#pragma once

#include <stddef.h>

#define SHA256_HEX_SIZE 65

/* 64 hexadecimal digits and a NUL. */
void sha256_hex(const void *data, size_t length, char out[SHA256_HEX_SIZE]);
