/* The binary form of a record, for messages between Wherry's own processes of the same build, and for nothing else: it
   has no field names and no versions. Integers are little-endian and fixed in size, strings and lists are preceded by a
   32-bit count (UINT32_MAX: NULL, not given), records are their fields in the order of the table. Needs libc only. */
#pragma once

#include "base/record.h"
#include "base/strbuf.h"

void wire_encode(const struct record_type *type, const void *record, struct strbuf *out);
/* Decodes exactly `length` bytes into *record, which must be zeroed; on failure it is released again. */
bool wire_decode(const struct record_type *type, const void *data, size_t length, void *record, struct error *err);
