/* The header of a plain tar archive's member (POSIX ustar), for the small archives that contexts are exported to. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAR_BLOCK ((size_t)512)

struct tar_header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], owner[32], group[32], major[8], minor[8], prefix[155], padding[12];
};
_Static_assert(sizeof(struct tar_header) == TAR_BLOCK, "a header is one block");

/* A member of our own: uid and gid 0, no time. */
void tar_header_fill(struct tar_header *header, const char *name, char type, unsigned mode, uint64_t size);
/* Checks the checksum, and reads the size; false where this is no tar header. */
bool tar_header_read(const struct tar_header *header, uint64_t *size);
