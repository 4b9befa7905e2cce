/* JSON to records and back, by their field tables (base/record.h), over jansson.

   Decoding follows Go's encoding/json, because Docker's clients were written against it: keys match without regard to
   case, unknown keys are ignored, null leaves a field empty, and a value of the wrong type is an error that names the
   path: `json: cannot unmarshal string into Go struct field HostConfig.Memory of type int64`. */
#pragma once

#include <jansson.h>

#include "base/record.h"
#include "base/strbuf.h"

/* Limits on what comes from outside. */
#define JSON_MAX_DEPTH 64

/* Parses text (need not be NUL-terminated) of at most `length` bytes; the caller owns the result. Errors are
   ERROR_INVALID in the wording of Go's decoder. */
json_t *json_parse(const char *text, size_t length, struct error *err);
/* The elements of an array one after the other, so that a long list is never a tree as a whole. `element` is borrowed.
   Text that is no array is an error; elements before the place that is wrong have been taken. */
bool json_parse_elements(const char *text, size_t length, void (*take)(void *context, const json_t *element),
                         void *context, struct error *err);
static inline void json_freep(json_t **value)
{
    json_decref(*value);
}
#define _cleanup_json_ _cleanup_(json_freep)

/* Decodes a JSON object into *record, which must be zeroed; on failure it is released again. */
bool record_from_json(const struct record_type *type, const json_t *json, void *record, struct error *err);
/* The same from text. */
bool record_parse(const struct record_type *type, const char *text, size_t length, void *record, struct error *err);

/* A new reference. Fields are written in the order of the table. */
json_t *record_to_json(const struct record_type *type, const void *record);
/* JSON text of the record; the caller frees. */
char *record_format(const struct record_type *type, const void *record);
/* Compact text of any JSON value, in Go's escaping of <, > and &; the caller frees. */
char *json_format(const json_t *json);
/* The same with <, > and & as they are. */
char *json_format_plain(const json_t *json);
/* The same indented by four spaces, as `docker inspect` prints it; not escaped for HTML. */
char *json_format_indented(const json_t *json);

/* Arrays of records: RECORDS from a bare JSON array. */
json_t *record_list_to_json(const struct record_type *type, const struct record_list *list);
bool record_list_from_json(const struct record_type *type, const json_t *json, struct record_list *list,
                           struct error *err);
