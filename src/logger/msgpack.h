/* Writes what fluentd's forward protocol needs of MessagePack. */
#pragma once

#include <stdint.h>

#include "base/strbuf.h"

void msgpack_add_array(struct strbuf *out, uint32_t count);
void msgpack_add_map(struct strbuf *out, uint32_t count);
void msgpack_add_integer(struct strbuf *out, int64_t value);
/* The format "str", as it comes. */
void msgpack_add_string(struct strbuf *out, const char *text, size_t length);
/* fluentd's EventTime: extension type 0 of eight bytes. */
void msgpack_add_event_time(struct strbuf *out, uint32_t seconds, uint32_t nanoseconds);
