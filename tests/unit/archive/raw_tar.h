/* Tars made by hand, a header at a time: also what no program writes. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

static inline void raw_sum(char *header)
{
    unsigned sum = 0;
    memset(header + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)header[i];
    for (int i = 0; i < 6; i++, sum /= 8)
        header[153 - i] = (char)('0' + sum % 8);
    header[154] = '\0';
}

/* Fills the last block up. */
static inline void raw_pad(struct strbuf *tar)
{
    static const char zeroes[512];
    strbuf_add(tar, zeroes, (512 - tar->length % 512) % 512);
}

static inline void raw_member(struct strbuf *tar, const char *name, char type, const char *content, size_t length)
{
    char header[512] = {0};
    snprintf(header, 100, "%s", name);
    memcpy(header + 100, "0000644", 7);
    memcpy(header + 108, "0000001", 7);
    memcpy(header + 116, "0000002", 7);
    for (size_t i = 0, rest = length; i < 11; i++, rest /= 8)
        header[134 - i] = (char)('0' + rest % 8);
    memcpy(header + 136, "07346545000", 11); /* 1000000000 */
    header[156] = type;
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    raw_sum(header);
    strbuf_add(tar, header, sizeof(header));
    strbuf_add(tar, content, length);
    raw_pad(tar);
}

/* "<length> <key>=<value>\n" */
static inline void raw_record(struct strbuf *records, const char *key, const char *value)
{
    size_t rest = strlen(key) + strlen(value) + 3, length = rest + 1;
    while (length != rest + (size_t)snprintf(NULL, 0, "%zu", length))
        length++;
    strbuf_addf(records, "%zu %s=%s\n", length, key, value);
}

static inline void raw_pax(struct strbuf *tar, struct strbuf *records)
{
    raw_member(tar, "pax", 'x', strbuf_text(records), records->length);
    strbuf_truncate(records, 0);
}

static inline void raw_end(struct strbuf *tar)
{
    static const char zeroes[1024];
    strbuf_add(tar, zeroes, sizeof(zeroes));
}
