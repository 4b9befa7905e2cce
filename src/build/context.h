/* The context of a build: the body's tar as files below <data-root>/tmp, each with the digest of its content, which was
   taken while it came in. */
#pragma once

#include "build/snapshot.h"
#include "store/store.h"

struct context {
    struct store *store;
    char *folder;             /* within tmp; removed by context_release */
    char *memory;             /* a folder on a file system in memory, which has the small files; NULL: none */
    struct snapshot snapshot; /* of these two */
    struct content *contents; /* sorted by path */
    size_t count;
};
/* Reads the stream to its end: a tar, plain or compressed. All belongs to root. A stream that is no tar but begins with
   text is a Dockerfile, and becomes one: as `dockerfile`. Small files go to a new folder in `memory` (NULL: they do
   not) where that is in memory, as long as they take little of it: most contexts are only hashed and then forgotten. */
bool context_unpack(struct context *context, struct store *store, const char *memory, stream_read read, void *stream,
                    const char *dockerfile, struct error *err);
/* An empty one, to be filled by its owner. */
bool context_make(struct context *context, struct store *store, const char *memory, struct error *err);
void context_release(struct context *context);
/* The 32 bytes of the sha256 of a file, NULL where it is not known. */
const unsigned char *context_digest(const struct context *context, const char *path);
