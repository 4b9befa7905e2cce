/* The values that templates work on: JSON seen through the types that Go's programs would have decoded it into.

   A template can tell a struct from a map (an unknown field is an error, a missing key is "<no value>"), a nil pointer
   from an empty struct, an int from a string, and it prints them differently. So a value is a piece of JSON and a type;
   the types of the Engine API's answers are tables (api_types.h). A value without JSON is the zero value of its type.

   Values borrow their JSON: whoever made it keeps it alive for as long as the template runs. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

enum value_kind {
    VALUE_KIND_ANY, /* Go's interface{}: the JSON says what it is */
    VALUE_KIND_BOOL,
    VALUE_KIND_INT,
    VALUE_KIND_UINT, /* JSON integers above INT64_MAX arrive as reals */
    VALUE_KIND_FLOAT,
    VALUE_KIND_STRING,
    VALUE_KIND_NUMBER,   /* json.Number: a string to Go, whose text is the JSON number */
    VALUE_KIND_TIME,     /* RFC 3339 in JSON */
    VALUE_KIND_DURATION, /* nanoseconds in JSON */
    VALUE_KIND_LIST,
    VALUE_KIND_MAP,
    VALUE_KIND_STRUCT,
    VALUE_KIND_POINTER,
    VALUE_KIND_ROW, /* a line of a listing: an object whose keys are read like fields and written in order */
};

enum value_field_flags {
    VALUE_OMIT_EMPTY = 1 << 0, /* `json:",omitempty"` */
    VALUE_EMBEDDED = 1 << 1,   /* its fields are read as if they were the struct's own */
    VALUE_HIDDEN = 1 << 2,     /* `json:"-"` */
};

struct value_type;
struct value_field {
    const char *name; /* Go's name, which templates use */
    const char *key;  /* JSON's, where it differs; else NULL */
    const struct value_type *type;
    unsigned flags;
};

struct value {
    const struct value_type *type; /* NULL: Go's invalid value, printed "<no value>" */
    json_t *json;                  /* borrowed */
};

/* A method with one string argument (.Label "x"); the answer is a string that the caller frees. */
struct value_method {
    const char *name;
    char *(*call)(const json_t *row, const char *argument);
};

struct value_type {
    enum value_kind kind;
    const char *name;                      /* as Go's error messages quote it: "[]string" */
    const struct value_type *element;      /* of lists, maps and pointers */
    const char *key_name;                  /* of maps: the type of keys that are no plain strings ("nat.Port") */
    char *(*describe)(const json_t *json); /* Go's String() method, which printing prefers; the caller frees */
    const struct value_field *fields;      /* of structs */
    size_t field_count;
    const struct value_method *methods;
    size_t method_count;
};

extern const struct value_type type_any, type_bool, type_int, type_int64, type_uint64, type_float64, type_string,
    type_number, type_time, type_duration, type_byte, type_strings, type_list_any, type_map_any, type_map_string,
    type_set, type_empty_struct;

#define VALUE_STRUCT(name_, fields_)                                                                                   \
    {                                                                                                                  \
        .kind = VALUE_KIND_STRUCT, .name = (name_), .fields = (fields_), .field_count = ARRAY_SIZE(fields_)            \
    }
#define VALUE_LIST(name_, element_)                                                                                    \
    {                                                                                                                  \
        .kind = VALUE_KIND_LIST, .name = (name_), .element = (element_)                                                \
    }
#define VALUE_MAP(name_, element_)                                                                                     \
    {                                                                                                                  \
        .kind = VALUE_KIND_MAP, .name = (name_), .element = (element_)                                                 \
    }
#define VALUE_POINTER(name_, element_)                                                                                 \
    {                                                                                                                  \
        .kind = VALUE_KIND_POINTER, .name = (name_), .element = (element_)                                             \
    }

#define VALUE_INVALID ((struct value){0})
static inline bool value_is_valid(struct value value)
{
    return value.type != NULL;
}
/* JSON as Go decodes it into interface{} with UseNumber. */
struct value value_of_json(json_t *json);
/* Looks through interfaces; a nil one stays what it is. */
struct value value_of_interface(struct value value);
/* Looks through interfaces and pointers; stops at a nil one, and says so. */
struct value value_indirect(struct value value, bool *is_nil);

bool value_is_nil(struct value value);
bool value_is_true(struct value value);
/* Elements of lists and maps, bytes of strings; -1 for all others. */
int64_t value_length(struct value value);
struct value value_element(struct value list, size_t index);
/* The member of a map; invalid where there is none. */
struct value value_member(struct value map, const char *key);
/* The keys of a map in order; the caller frees the array, the keys belong to the map. */
const char **value_keys(struct value map, size_t *count);
/* The field of a struct, looked for in embedded structs too; false where the type has none. An embedded pointer that is
   nil gives an invalid value. */
bool value_field(struct value structure, const char *name, struct value *out);
int64_t value_int(struct value value);
uint64_t value_uint(struct value value);
double value_float(struct value value);
/* The text of a string-like value; owned by its JSON, "" for the zero value. `buffer` is for numbers. */
const char *value_text(struct value value, char buffer[64]);
bool value_is_text(struct value value); /* string or json.Number */

/* Go's encoding of the value with the struct's own keys and order; HTML characters stay as they are. */
void value_encode(struct value value, struct strbuf *out);
/* A JSON string in Go's escaping. */
void encode_go_string(const char *text, size_t length, bool escapes_html, struct strbuf *out);
