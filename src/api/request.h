/* What a request says: its query and its JSON body, read as Docker reads them. */
#pragma once

#include "api/call.h"
#include "json/json_record.h"

#define BODY_LIMIT ((size_t)4 << 20)

/* NULL where it is not given. Owned by the call. */
const char *query_text(const struct call *call, const char *key);
/* Docker's idea of a boolean: everything but "", 0, no, false and none is true. */
bool query_bool(const struct call *call, const char *key);
bool query_bool_or(const struct call *call, const char *key, bool when_missing);
/* Go's strconv.Atoi: "strconv.Atoi: parsing \"x\": invalid syntax", of the kind given. */
bool parse_atoi(const char *text, enum error_kind kind, int64_t *out, struct error *err);
/* The `filters` parameter as a map of lists ({"status":["running"]}), also from its older form ({"status":{"running":
   true}}). *out is NULL where there is none. */
bool query_filters(const struct call *call, json_t **out, struct error *err);
/* "1136073600.000000001" to nanoseconds; missing or "" gives 0. */
bool query_time(const struct call *call, const char *key, unix_nano *out, struct error *err);

/* The body as one JSON value. *out is NULL where the body is empty and `may_be_empty`. */
bool request_json(struct call *call, bool may_be_empty, json_t **out, struct error *err);
/* The body as a record, which must be zeroed; it stays so where the body is empty and may be. */
bool request_record(struct call *call, bool may_be_empty, const struct record_type *type, void *record,
                    struct error *err);
/* Decodes with "invalid JSON: " before the error. */
bool record_from_body(const struct record_type *type, const json_t *json, void *record, struct error *err);
/* The body, for functions that read a stream: a stream_read whose context is the call. */
ssize_t request_read(void *call, void *data, size_t length);
/* The answer, for functions that write one: a stream_write whose context is the call. */
bool request_write(void *call, const void *data, size_t length);
/* Docker has no config at all where none of its keys is there, whatever their values. */
bool body_has_config(const json_t *body);
