/* JSON text straight into a buffer, without a tree: for answers that are long or asked for often. Escaped as Go's
   encoding/json does (<, > and & too; bytes that are no UTF-8 become U+FFFD). A key is NULL inside of an array and at
   the top. */
#pragma once

#include "base/record.h"
#include "base/strbuf.h"

struct json_writer {
    struct strbuf *out;
    bool needs_comma;
};

/* bracket: '{' and '}', or '[' and ']'. */
void json_writer_begin(struct json_writer *writer, const char *key, char bracket);
void json_writer_end(struct json_writer *writer, char bracket);
/* NULL gives "". */
void json_writer_text(struct json_writer *writer, const char *key, const char *text);
void json_writer_int(struct json_writer *writer, const char *key, int64_t value);
void json_writer_uint(struct json_writer *writer, const char *key, uint64_t value);
void json_writer_bool(struct json_writer *writer, const char *key, bool value);
void json_writer_null(struct json_writer *writer, const char *key);
/* JSON text as it is. */
void json_writer_raw(struct json_writer *writer, const char *key, const char *json);
/* {"a": "b"} in the order of the keys. */
void json_writer_map(struct json_writer *writer, const char *key, const struct strmap *map);
/* As record_to_json has it. */
void json_writer_record(struct json_writer *writer, const char *key, const struct record_type *type,
                        const void *record);
