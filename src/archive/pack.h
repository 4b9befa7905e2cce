/* Files and folders become a tar, as Docker's archive endpoints have it: numbers for owners, whole seconds, hard links
   found again, sockets left out. A file that cannot be read (any more) is left out, one that shrinks is filled up with
   zeroes; what is behind a symbolic link is never looked at, also when a link takes a folder's place meanwhile. */
#pragma once

#include "archive/tar_writer.h"

struct pack;
struct pack *pack_new(struct tar_writer *tar);
void pack_free(struct pack *pack);
DEFINE_CLEANUP(struct pack *, pack_free)
/* What pack_add leaves out of a tree. Paths are below the folder that is packed: "src/main.c". */
struct pack_filter {
    bool (*skips)(void *context, const char *path);
    /* Of a folder that is left out: is something below it taken? The folder itself is then written before that. */
    bool (*enters)(void *context, const char *path);
    void *context;
};
/* The filter (NULL: none) must live as long as the pack. A strict pack fails where a file cannot be read or changes
   while it is: "no permission to read from 'x'", "the file 'x' changed while it was read". */
void pack_restrict(struct pack *pack, const struct pack_filter *filter, bool is_strict);
/* The single file `base` of `folder`, or with base "." the folder and everything below it. The base is called `name` in
   the tar; with name "" the folder itself is left out and the names in it have nothing before them. */
bool pack_add(struct pack *pack, int folder, const char *base, const char *name, struct error *err);
/* One entry without what is below it; `base` is a path in `folder`, no part of which is a link. */
bool pack_add_entry(struct pack *pack, int folder, const char *base, const char *name, struct error *err);
/* The content of a layer in overlayfs' form, as a layer's tar has it: whiteouts (0/0 devices) are files named .wh.x, an
   opaque folder has .wh..wh..opq in it. The same folder gives the same bytes. Adds the sizes of its files and links,
   hard-linked ones once, to *size. */
bool pack_add_layer(struct pack *pack, int folder, int64_t *size, struct error *err);
