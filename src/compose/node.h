/* A compose document as a tree that remembers where each value stood, so that messages can name file and line.

   Maps keep the order of their keys. A tree is owned by its root; what is put into another tree is moved or copied. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

enum node_kind { NODE_NULL, NODE_BOOL, NODE_INT, NODE_FLOAT, NODE_STRING, NODE_LIST, NODE_MAP };

/* How a value meets the one of an earlier file (the tags !reset and !override). */
enum node_merge { MERGE_USUAL, MERGE_RESET, MERGE_OVERRIDE };

struct node {
    enum node_kind kind;
    enum node_merge merge;
    bool is_interpolated; /* a variable is part of it: it may stand for a number or a boolean */
    char *text;           /* of every scalar as it was written; NULL for lists and maps */
    int64_t integer;      /* of NODE_INT, and 0 or 1 of NODE_BOOL */
    double number;        /* of NODE_INT and NODE_FLOAT */
    char **keys;          /* of maps: the key of items[i] */
    struct node **items;  /* of lists and maps */
    size_t count;
    const char *file; /* lives as long as the program; NULL: made by us */
    int line;         /* from 1 */
};

struct node *node_new(enum node_kind kind, const struct node *at);
struct node *node_string(const char *text, const struct node *at);
/* Takes the text. */
struct node *node_take_string(char *text, const struct node *at);
struct node *node_bool(bool value, const struct node *at);
struct node *node_integer(int64_t value, const struct node *at);
void node_free(struct node *node);
DEFINE_CLEANUP(struct node *, node_free)
#define _cleanup_node_ _cleanup_(node_freep)
struct node *node_copy(const struct node *node);

/* The value of a key, borrowed, or NULL. A NULL map and one that is no map have none. */
struct node *node_get(const struct node *map, const char *key);
/* Takes the value; what was there is freed. */
void node_put(struct node *map, const char *key, struct node *value);
void node_remove(struct node *map, const char *key);
/* Takes the value out of the map; NULL where there is none. */
struct node *node_take(struct node *map, const char *key);
void node_append(struct node *list, struct node *item);
void node_remove_at(struct node *node, size_t index);
/* Frees *place and puts value there, which keeps the merge tag of what it replaces. */
void node_replace(struct node **place, struct node *value);

bool node_is(const struct node *node, enum node_kind kind);
/* The text of a scalar; NULL for none, null, lists and maps. */
const char *node_text(const struct node *node);
bool node_is_true(const struct node *node);
/* Decides kind, integer and number of a plain scalar by YAML's core schema with Go's additions (0o17 and 017, 0x1f,
 * .inf).
 */
void node_resolve(struct node *scalar);
/* "file.yaml:12: services.web.ports: " and then the message. `path` may be NULL. */
bool node_error(const struct node *at, const char *path, struct error *err, const char *format, ...) _printf_(4, 5);
/* The same tree as JSON; a new reference. */
json_t *node_to_json(const struct node *node);
