/* Tars made in memory, for the tests of the store. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/strbuf.h"

struct archive;

struct tar_entry {
    const char *name;
    char type; /* 'f' file, 'd' folder, 'l' symbolic link, 'h' hard link, 'c' character device, 'b' block device, 'p'
                  pipe */
    const char *content;
    const char *link;
    mode_t mode; /* 0: 0644, folders 0755 */
    int64_t uid, gid;
    int64_t seconds, nanoseconds; /* mtime */
    unsigned major, minor;
    const char *xattr, *value; /* the value is a text */
    int64_t sparse_size;       /* a hole of this many bytes before the content */
};

/* The tar (pax) of the entries, to an empty name. */
void tar_build(const struct tar_entry *entries, struct strbuf *out);
/* `filter` is gzip, zstd, xz or bzip2. */
void tar_compress(const struct strbuf *in, const char *filter, struct strbuf *out);

/* A stream_read over bytes in memory, at most `chunk` at a time (0: no limit). */
struct memory_stream {
    const char *data;
    size_t length, chunk;
};
ssize_t memory_read(void *context, void *data, size_t length);
