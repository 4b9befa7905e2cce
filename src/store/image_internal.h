/* What the files about images share. Functions marked (t) are called inside a transaction of the caller. */
#pragma once

#include "oci/reference.h"
#include "store/internal.h"

/* The id of the image that `text` means: name, id, or unique prefix of an id. ERROR_NOT_FOUND as image_get says. (t) */
bool image_resolve(struct store *store, const char *text, char **id, struct error *err);
/* The image's row as a struct; false with ERROR_NOT_FOUND where there is none. (t) */
bool image_read(struct store *store, const char *id, struct image *out, struct error *err);
/* Full references of the image, tags and digests together, sorted as Docker's reference store has them. (t) */
bool image_references(struct store *store, const char *id, struct strlist *out, struct error *err);
/* "docker.io/library/busybox:latest" (or …@sha256:…) → the image's id; *id is NULL where nothing has the name. (t) */
bool image_by_reference(struct store *store, const struct reference *reference, char **id, struct error *err);
/* The ids of all tagged versions of a name: full reference → id. (t) */
bool image_tags_of_name(struct store *store, const char *full_name, struct strmap *out, struct error *err);
/* The id that the prefix ("ab12", "sha256:ab12") leads to; *id is NULL where that is none or several. (t) */
bool image_by_prefix(struct store *store, const char *prefix, char **id, struct error *err);
/* Names the image; *previous (may be NULL) gets the id of the image that had the name, or NULL. (t) */
bool image_set_reference(struct store *store, const struct reference *reference, const char *id, char **previous,
                         struct error *err);
/* Removes one name, given in its full form. (t) */
bool image_remove_reference(struct store *store, const char *full, struct error *err);
/* Runs a statement without rows; up to two text parameters (NULL: not bound). (t) */
bool image_execute(struct store *store, const char *sql, const char *first, const char *second, struct error *err);
/* First column of all rows as text, appended to *out. (t) */
bool image_query_texts(struct store *store, const char *sql, const char *first, struct strlist *out, struct error *err);
/* A tag or digest in familiar form. Caller frees. */
char *familiar_from_full(const char *full);
/* "sha256:ab12cd34ef56…" → "ab12cd34ef56". Caller frees. */
char *short_id(const char *id);
/* The digest of a text: "sha256:<hex>". Caller frees. */
char *digest_text(const char *text, size_t length);
