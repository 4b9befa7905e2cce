/* Writes a tar (POSIX ustar; a pax header where a name, a number or an attribute does not fit). The same calls give the
   same bytes. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Takes the next bytes; false, with errno, when they cannot be taken. */
typedef bool (*tar_write)(void *context, const void *data, size_t length);

struct tar_writer {
    tar_write write;
    void *context;
    /* Takes the next `length` bytes from a file at its position, without their passing through memory, and zeroes in
       place of those that it does not have any more; may be NULL. False, with errno. */
    bool (*write_file)(void *context, int fd, int64_t length);
    int64_t remaining; /* bytes of the current file that are still to come */
    int padding;
};

enum tar_type {
    TAR_FILE = '0',
    TAR_HARD_LINK = '1',
    TAR_LINK = '2',
    TAR_CHARACTER_DEVICE = '3',
    TAR_BLOCK_DEVICE = '4',
    TAR_DIRECTORY = '5',
    TAR_FIFO = '6',
};

struct tar_entry {
    const char *name;
    enum tar_type type;
    unsigned mode; /* permissions and set-id bits */
    int64_t uid, gid;
    int64_t size;                 /* of a file: so many bytes follow */
    int64_t seconds, nanoseconds; /* of the last change, since 1970; nanoseconds other than 0 take a pax header */
    const char *link;
    unsigned device_major, device_minor;
    const void *capability; /* the value of security.capability */
    size_t capability_length;
};
bool tar_writer_entry(struct tar_writer *tar, const struct tar_entry *entry, struct error *err);

/* `seconds` is the time of last change, since 1970. `write` sets errno when it fails. */
bool tar_writer_directory(struct tar_writer *tar, const char *name, int64_t seconds, struct error *err);
/* A file whose `size` bytes follow through tar_writer_data. */
bool tar_writer_file(struct tar_writer *tar, const char *name, int64_t size, int64_t seconds, struct error *err);
bool tar_writer_data(struct tar_writer *tar, const void *data, size_t length, struct error *err);
/* All that remains of the current file, from a descriptor; zeroes in place of what that does not have any more. */
bool tar_writer_content(struct tar_writer *tar, int fd, struct error *err);
/* A small file in one go. */
bool tar_writer_text(struct tar_writer *tar, const char *name, const char *text, int64_t seconds, struct error *err);
bool tar_writer_finish(struct tar_writer *tar, struct error *err);
