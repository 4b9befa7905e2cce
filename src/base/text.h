/* Lists of strings, ordered maps from string to string, and the small string questions that C leaves open. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

/* An owned list. `items` is NULL for a list that was never given (JSON null), and non-NULL, with count 0, for one that
   is given and empty (JSON []): Docker's API tells the two apart. items[count] is always NULL, so that a list that
   is_given can be passed to execve. */
struct strlist {
    char **items;
    size_t count;
};

void strlist_release(struct strlist *list);
#define _cleanup_strlist_ _cleanup_(strlist_release)
void strlist_add(struct strlist *list, const char *item);
void strlist_addf(struct strlist *list, const char *format, ...) _printf_(2, 3);
/* Takes ownership of item. */
void strlist_take(struct strlist *list, char *item);
/* Makes a list that is not given into one that is given and empty. */
void strlist_give(struct strlist *list);
static inline bool strlist_is_given(const struct strlist *list)
{
    return list->items != NULL;
}
bool strlist_contains(const struct strlist *list, const char *item);
/* A deep copy: *to is released first; a list that is not given stays so. */
void strlist_copy(struct strlist *to, const struct strlist *from);
/* Splits at every separator; "" gives one empty item. */
struct strlist strlist_split(const char *text, char separator);
/* Joins with the separator; the caller frees. */
char *strlist_join(const struct strlist *list, const char *separator);
void strlist_remove(struct strlist *list, size_t index);
void strlist_sort(struct strlist *list);

/* An owned map that keeps the order of insertion; small, searched linearly. `items` tells null from {} as above. */
struct strpair {
    char *key;
    char *value;
};
struct strmap {
    struct strpair *items;
    size_t count;
};

void strmap_release(struct strmap *map);
#define _cleanup_strmap_ _cleanup_(strmap_release)
/* Replaces the value of a key that is there. */
void strmap_set(struct strmap *map, const char *key, const char *value);
/* One that is not there is fine. */
void strmap_remove(struct strmap *map, const char *key);
/* The value, owned by the map; NULL where there is none. */
const char *strmap_get(const struct strmap *map, const char *key);
void strmap_give(struct strmap *map);
void strmap_copy(struct strmap *to, const struct strmap *from);

/* KEY=VALUE lists (environments). The value of `key`, owned by the list, or NULL. */
const char *env_get(const struct strlist *env, const char *key);
/* Sets or replaces `assignment` ("KEY=VALUE"); "KEY" without '=' removes the key. */
void env_put(struct strlist *env, const char *assignment);

bool string_equal(const char *a, const char *b); /* NULL equals NULL alone */
bool string_is_set(const char *text);            /* neither NULL nor "" */
bool string_starts_with(const char *text, const char *prefix);
bool string_ends_with(const char *text, const char *suffix);
/* NULL gives "". */
static inline const char *string_or_empty(const char *text)
{
    return text ? text : "";
}
/* A copy in which every byte that is not part of valid UTF-8 is U+FFFD, as Go writes such text in JSON. The caller
   frees. */
char *text_to_utf8(const char *text);
/* Frees *place and puts a copy of value (or NULL) there. */
void string_replace(char **place, const char *value);

/* The whole text as a decimal number; false where it is empty, has anything else in it, or does not fit. */
bool parse_int64(const char *text, int64_t *out);
bool parse_uint64(const char *text, uint64_t *out);
