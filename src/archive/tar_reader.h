/* Reads a tar: ustar, pax (also with GNU's holes) and GNU's long names. Whatever it holds, memory stays bounded. The
   error messages are those of Go's archive/tar, because Docker's clients show them. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "archive/tar_sparse.h"
#include "archive/tar_writer.h"
#include "base/text.h"

/* The next bytes: their number, 0 at the end, -1 with errno. */
typedef ssize_t (*tar_read)(void *context, void *data, size_t length);

struct tar_reader {
    tar_read read;
    void *context;
    int64_t remaining; /* bytes of the current member in the archive that were not read yet */
    int padding;
    bool is_over;
    const struct tar_member *sparse; /* the current member, where it has holes: it must outlive the reading */
    size_t piece;                    /* of it: the one at or behind `position` */
    int64_t position;                /* in the file */
};

/* One member. Owned texts; released by the next one or by tar_member_release. */
struct tar_member {
    char *name;
    char *link;
    enum tar_type type;
    unsigned mode;
    int64_t uid, gid, size; /* of the file: with its holes */
    bool is_sparse;
    struct tar_piece *pieces;
    size_t piece_count;
    int64_t seconds, nanoseconds;
    unsigned device_major, device_minor;
    struct tar_attribute {
        char *name;
        void *value;
        size_t length;
    } * attributes; /* extended attributes */
    size_t attribute_count;
};
void tar_member_release(struct tar_member *member);
#define _cleanup_tar_member_ _cleanup_(tar_member_release)

/* The next member; what was not read of the last one's content is skipped. *is_there is false at the end. */
bool tar_reader_next(struct tar_reader *tar, struct tar_member *member, bool *is_there, struct error *err);
/* Bytes of the current file, holes as zeroes: their number, 0 at its end, -1 with err. */
ssize_t tar_reader_data(struct tar_reader *tar, void *data, size_t length, struct error *err);
/* Reads what comes behind the archive, to the end of the stream. */
bool tar_reader_drain(struct tar_reader *tar, struct error *err);
