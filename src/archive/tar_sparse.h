/* Files with holes, in the three forms that GNU tar has for them in pax archives: the member's content is only what is
   between the holes, and a map says where each piece belongs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

/* A piece of content; all else of the file is zeroes. In order, without overlap. */
struct tar_piece {
    int64_t offset, length;
};

/* What the pax header says. Zeroed: nothing. */
struct tar_sparse {
    char *name;        /* the file's own; NULL: the member's */
    int64_t size;      /* the file's own; -1: not said */
    int major, minor;  /* of the form; -1: not said */
    struct strbuf map; /* "offset,length,offset,length": forms 0.0 and 0.1 */
    unsigned numbers;  /* in the map */
    bool is_broken;
};
#define TAR_SPARSE_INIT ((struct tar_sparse){.size = -1, .major = -1, .minor = -1})
void tar_sparse_release(struct tar_sparse *sparse);
/* Takes a record of a pax header whose key begins with "GNU.sparse.". */
void tar_sparse_take(struct tar_sparse *sparse, const char *key, const char *value);
/* Is there a map: in the header, or (form 1.0) at the beginning of the content? */
bool tar_sparse_is_mapped(const struct tar_sparse *sparse);
bool tar_sparse_has_map_in_content(const struct tar_sparse *sparse);
/* Reads numbers that end with `separator` or the text; false where they are no map of a file of `size` bytes of which
   `content` are there. *pieces is the caller's. */
bool tar_sparse_parse(const char *text, char separator, int64_t size, int64_t content, struct tar_piece **pieces,
                      size_t *count);
