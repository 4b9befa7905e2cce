/* Writes a tar (POSIX ustar; a pax header where a name or a size does not fit). The same calls give the same bytes. */
#pragma once

#include <stdint.h>

#include "store/store.h"

struct tar_writer {
    stream_write write;
    void *context;
    int64_t remaining; /* bytes of the current file that are still to come */
    int padding;
};

/* `seconds` is the time of last change, since 1970. `write` sets errno when it fails. */
bool tar_writer_directory(struct tar_writer *tar, const char *name, int64_t seconds, struct error *err);
/* A file whose `size` bytes follow through tar_writer_data. */
bool tar_writer_file(struct tar_writer *tar, const char *name, int64_t size, int64_t seconds, struct error *err);
bool tar_writer_data(struct tar_writer *tar, const void *data, size_t length, struct error *err);
/* A small file in one go. */
bool tar_writer_text(struct tar_writer *tar, const char *name, const char *text, int64_t seconds, struct error *err);
bool tar_writer_finish(struct tar_writer *tar, struct error *err);
