/* Records: a C struct described by a table, once.

   One table serves decoding and encoding JSON (src/json/json_record.h), the binary form that wherryd and the shim speak
   to each other (src/base/wire.h), deep copy and release. The table needs libc only, so the shim can use it.

       struct mount { char *source; bool is_read_only; struct strlist options; };
       static const struct field mount_fields[] = {
           FIELD_STRING(struct mount, "source", source, 0),
           FIELD_BOOL(struct mount, "ro", is_read_only, OMIT_EMPTY),
           FIELD_STRINGS(struct mount, "options", options, OMIT_EMPTY),
       };
       const struct record_type mount_type = RECORD_TYPE("mount", struct mount, mount_fields);

   A zeroed struct is a valid, empty record of every type. Strings and arrays in a record are owned by it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

enum field_kind {
    FIELD_KIND_STRING,     /* char *; NULL and "" are both written "" (null with NULL_WHEN_EMPTY) */
    FIELD_KIND_BOOL,       /* bool */
    FIELD_KIND_INT64,      /* int64_t */
    FIELD_KIND_UINT64,     /* uint64_t */
    FIELD_KIND_INT32,      /* int32_t; range-checked */
    FIELD_KIND_UINT32,     /* uint32_t; range-checked */
    FIELD_KIND_DOUBLE,     /* double */
    FIELD_KIND_OPT_BOOL,   /* struct opt_bool; JSON null or absent: not given */
    FIELD_KIND_OPT_INT64,  /* struct opt_int64 */
    FIELD_KIND_STRINGS,    /* struct strlist; with STRING_OR_LIST a lone JSON string is a list of one */
    FIELD_KIND_MAP,        /* struct strmap: {"key": "value"} */
    FIELD_KIND_SET,        /* struct strlist: {"key": {}}, Go's map[string]struct{} */
    FIELD_KIND_RECORD,     /* an embedded struct */
    FIELD_KIND_OPT_RECORD, /* pointer to an owned struct, or NULL */
    FIELD_KIND_RECORDS,    /* struct record_list of structs */
    FIELD_KIND_RECORD_MAP, /* struct record_map: {"key": {…}}; a JSON null value is a zeroed record */
    FIELD_KIND_LISTS_MAP, /* struct record_map whose records are struct record_list: {"key": [{…}]} (port bindings) */
    FIELD_KIND_BYTES,     /* struct bytes; base64 in JSON */
    FIELD_KIND_JSON,      /* char *: JSON text kept as it is; NULL when absent */
};

enum field_flags {
    OMIT_EMPTY = 1 << 0,      /* not written while empty (zero, "", false, no elements, not given) */
    NULL_WHEN_EMPTY = 1 << 1, /* strings: "" and NULL are written null */
    STRING_OR_LIST = 1 << 2,
    EMPTY_NOT_NULL = 1 << 3, /* lists and maps: never written null, but [] or {} */
    CASE_EXACT = 1 << 4,     /* Go matches keys without regard to case; this one does not */
    WIRE_ONLY = 1 << 5,      /* not part of the JSON form */
    EMBEDDED = 1 << 6,       /* Go has it in a struct that its own embeds: messages name that, too */
    GO_INT = 1 << 7,         /* an int64 that is Go's int, for messages */
};

struct opt_bool {
    bool is_set;
    bool value;
};
struct opt_int64 {
    bool is_set;
    int64_t value;
};
struct bytes {
    uint8_t *data;
    size_t length;
};

/* `items` points at count structs of the field's record type, one after the other; NULL when not given (JSON null). */
struct record_list {
    void *items;
    size_t count;
};

/* keys.items[i] belongs to the i-th struct at `items`. keys.items is NULL when the map is not given. */
struct record_map {
    struct strlist keys;
    void *items;
};

struct record_type;
struct field {
    const char *name; /* the JSON key */
    enum field_kind kind;
    unsigned flags;
    size_t offset;
    const struct record_type *type; /* of the nested record, where the kind has one */
};

struct record_type {
    const char *name; /* Go's name of the type, as error messages quote it ("container.HostConfig") */
    size_t size;
    const struct field *fields;
    size_t field_count;
    const char *embedded; /* the embedded struct that Go has the fields with EMBEDDED in, or NULL */
};

#define RECORD_TYPE(name_, struct_, fields_) RECORD_TYPE_EMBEDDING(name_, struct_, fields_, NULL)
#define RECORD_TYPE_EMBEDDING(name_, struct_, fields_, embedded_)                                                      \
    {                                                                                                                  \
        (name_), sizeof(struct_), (fields_), ARRAY_SIZE(fields_), (embedded_)                                          \
    }

/* The type check in each macro makes a member of the wrong C type a compile error. */
#define FIELD_OF_(struct_, member_, ctype_)                                                                            \
    (offsetof(struct_, member_) +                                                                                      \
     0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((struct_ *)0)->member_), ctype_) ? 1 : -1]))
#define FIELD_PLAIN_(struct_, name_, member_, flags_, kind_, ctype_)                                                   \
    {                                                                                                                  \
        (name_), (kind_), (flags_), FIELD_OF_(struct_, member_, ctype_), NULL                                          \
    }
#define FIELD_NESTED_(struct_, name_, member_, flags_, kind_, ctype_, type_)                                           \
    {                                                                                                                  \
        (name_), (kind_), (flags_), FIELD_OF_(struct_, member_, ctype_), (type_)                                       \
    }

#define FIELD_STRING(s, n, m, f)           FIELD_PLAIN_(s, n, m, f, FIELD_KIND_STRING, char *)
#define FIELD_BOOL(s, n, m, f)             FIELD_PLAIN_(s, n, m, f, FIELD_KIND_BOOL, bool)
#define FIELD_INT64(s, n, m, f)            FIELD_PLAIN_(s, n, m, f, FIELD_KIND_INT64, int64_t)
#define FIELD_UINT64(s, n, m, f)           FIELD_PLAIN_(s, n, m, f, FIELD_KIND_UINT64, uint64_t)
#define FIELD_INT32(s, n, m, f)            FIELD_PLAIN_(s, n, m, f, FIELD_KIND_INT32, int32_t)
#define FIELD_UINT32(s, n, m, f)           FIELD_PLAIN_(s, n, m, f, FIELD_KIND_UINT32, uint32_t)
#define FIELD_DOUBLE(s, n, m, f)           FIELD_PLAIN_(s, n, m, f, FIELD_KIND_DOUBLE, double)
#define FIELD_OPT_BOOL(s, n, m, f)         FIELD_PLAIN_(s, n, m, f, FIELD_KIND_OPT_BOOL, struct opt_bool)
#define FIELD_OPT_INT64(s, n, m, f)        FIELD_PLAIN_(s, n, m, f, FIELD_KIND_OPT_INT64, struct opt_int64)
#define FIELD_STRINGS(s, n, m, f)          FIELD_PLAIN_(s, n, m, f, FIELD_KIND_STRINGS, struct strlist)
#define FIELD_MAP(s, n, m, f)              FIELD_PLAIN_(s, n, m, f, FIELD_KIND_MAP, struct strmap)
#define FIELD_SET(s, n, m, f)              FIELD_PLAIN_(s, n, m, f, FIELD_KIND_SET, struct strlist)
#define FIELD_BYTES(s, n, m, f)            FIELD_PLAIN_(s, n, m, f, FIELD_KIND_BYTES, struct bytes)
#define FIELD_JSON(s, n, m, f)             FIELD_PLAIN_(s, n, m, f, FIELD_KIND_JSON, char *)
#define FIELD_RECORD(s, n, m, f, c, t)     FIELD_NESTED_(s, n, m, f, FIELD_KIND_RECORD, c, t)
#define FIELD_OPT_RECORD(s, n, m, f, c, t) FIELD_NESTED_(s, n, m, f, FIELD_KIND_OPT_RECORD, c *, t)
#define FIELD_RECORDS(s, n, m, f, t)       FIELD_NESTED_(s, n, m, f, FIELD_KIND_RECORDS, struct record_list, t)
#define FIELD_RECORD_MAP(s, n, m, f, t)    FIELD_NESTED_(s, n, m, f, FIELD_KIND_RECORD_MAP, struct record_map, t)
#define FIELD_LISTS_MAP(s, n, m, f, t)     FIELD_NESTED_(s, n, m, f, FIELD_KIND_LISTS_MAP, struct record_map, t)

/* Frees all that the record owns and zeroes it. The struct itself belongs to the caller. */
void record_release(const struct record_type *type, void *record);
/* Makes *to a deep copy of *from; what *to held is released first. */
void record_copy(const struct record_type *type, void *to, const void *from);
/* True where nothing in the record would be written under OMIT_EMPTY. */
bool record_is_empty(const struct record_type *type, const void *record);
bool record_field_is_empty(const struct field *field, const void *record);

/* The i-th struct of a list or map. */
#define RECORD_AT(list, ctype, i) (&((ctype *)(list).items)[i])
/* Appends a zeroed struct and returns it; it stays valid until the next addition. */
void *record_list_add(struct record_list *list, const struct record_type *type);
void record_list_remove(struct record_list *list, const struct record_type *type, size_t index);
void record_list_release(struct record_list *list, const struct record_type *type);
/* The struct of `key`, or NULL. */
void *record_map_get(const struct record_map *map, const struct record_type *type, const char *key);
/* The struct of `key`, added (zeroed) where it was missing. For LISTS_MAP pass &record_list_type. */
void *record_map_put(struct record_map *map, const struct record_type *type, const char *key);
void record_map_remove(struct record_map *map, const struct record_type *type, const char *key);

/* The pseudo-type of the lists inside a LISTS_MAP: size only; its elements have the field's own type. */
extern const struct record_type record_list_type;
