/* A compose document as a tree that remembers where each value stood, so that messages can name file and line.

   Maps keep the order of their keys. A tree is owned by its root; what is put into another tree is moved or copied. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

enum element_kind { ELEMENT_NULL, ELEMENT_BOOL, ELEMENT_INT, ELEMENT_FLOAT, ELEMENT_STRING, ELEMENT_LIST, ELEMENT_MAP };

/* How a value meets the one of an earlier file (the tags !reset and !override). */
enum element_merge { MERGE_USUAL, MERGE_RESET, MERGE_OVERRIDE };

struct element {
    enum element_kind kind;
    enum element_merge merge;
    bool is_interpolated;   /* a variable is part of it: it may stand for a number or a boolean */
    char *text;             /* of every scalar as it was written; NULL for lists and maps */
    int64_t integer;        /* of ELEMENT_INT, and 0 or 1 of ELEMENT_BOOL */
    double number;          /* of ELEMENT_INT and ELEMENT_FLOAT */
    char **keys;            /* of maps: the key of items[i] */
    struct element **items; /* of lists and maps */
    size_t count;
    const char *file; /* lives as long as the program; NULL: made by us */
    int line;         /* from 1 */
};

struct element *element_new(enum element_kind kind, const struct element *at);
struct element *element_string(const char *text, const struct element *at);
/* Takes the text. */
struct element *element_take_string(char *text, const struct element *at);
struct element *element_bool(bool value, const struct element *at);
struct element *element_integer(int64_t value, const struct element *at);
void element_free(struct element *node);
DEFINE_CLEANUP(struct element *, element_free)
#define _cleanup_element_ _cleanup_(element_freep)
struct element *element_copy(const struct element *node);

/* The value of a key, borrowed, or NULL. A NULL map and one that is no map have none. */
struct element *element_get(const struct element *map, const char *key);
/* Takes the value; what was there is freed. */
void element_put(struct element *map, const char *key, struct element *value);
void element_remove(struct element *map, const char *key);
/* Takes the value out of the map; NULL where there is none. */
struct element *element_take(struct element *map, const char *key);
void element_append(struct element *list, struct element *item);
void element_remove_at(struct element *node, size_t index);
/* Frees *place and puts value there, which keeps the merge tag of what it replaces. */
void element_replace(struct element **place, struct element *value);

bool element_is(const struct element *node, enum element_kind kind);
/* The text of a scalar; NULL for none, null, lists and maps. */
const char *element_text(const struct element *node);
bool element_is_true(const struct element *node);
/* Decides kind, integer and number of a plain scalar by YAML's core schema with Go's additions (0o17 and 017, 0x1f,
 * .inf).
 */
void element_resolve(struct element *scalar);
/* "file.yaml:12: services.web.ports: " and then the message. `path` may be NULL. */
bool element_error(const struct element *at, const char *path, struct error *err, const char *format, ...)
    _printf_(4, 5);
/* The same tree as JSON; a new reference. */
json_t *element_to_json(const struct element *node);
