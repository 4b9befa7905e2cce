/* An archive that comes as a stream, laid down member by member so that it can be read in any order. Members are files
   under names of our own, so nothing in the archive can lead anywhere; links are resolved within the archive. */
#pragma once

#include "base/strbuf.h"
#include "store/internal.h"

/* Bounds what one archive may contain. */
#define SPOOL_MAX_MEMBERS (64 * 1024)
#define SPOOL_MAX_TEXT    ((size_t)8 << 20) /* bytes of a JSON document */

struct spool_member {
    char *name;   /* cleaned, without leading '/': "a/b" */
    char *target; /* of a link, cleaned in the same way; NULL for a file */
    int64_t size; /* bytes; the file is <folder>/<index of the member> */
};

struct spool {
    struct store *store;
    char *name; /* of the folder, within <data-root>/tmp */
    int folder; /* O_PATH | O_DIRECTORY */
    struct spool_member *members;
    size_t count;
};
#define SPOOL_INIT ((struct spool){.folder = -1})
/* Removes the files. */
void spool_release(struct spool *spool);
#define _cleanup_spool_ _cleanup_(spool_release)

/* Reads the stream to its end. */
bool spool_read(struct store *store, stream_read read, void *context, struct spool *out, struct error *err);
bool spool_contains(const struct spool *spool, const char *name);
/* A read-only descriptor, or -1 with ERROR_INVALID "open <name>: no such file or directory". */
int spool_open(const struct spool *spool, const char *name, struct error *err);
/* A whole member of at most SPOOL_MAX_TEXT bytes. */
bool spool_text(const struct spool *spool, const char *name, struct strbuf *out, struct error *err);
/* A stream_read over a descriptor; `context` is an int *. */
ssize_t read_descriptor(void *context, void *data, size_t length);
