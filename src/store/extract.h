/* A tar stream becomes files below a folder: the content of a layer in overlayfs' form. Whatever the tar holds, nothing
   outside of the folder is read or written. */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* Gives the next bytes, valid until the next call: their number, 0 at the end, -1 when the stream broke. */
typedef ssize_t (*extract_read)(void *context, const void **data);

/* A tar may make at most this many files and folders, */
#define EXTRACT_ENTRIES_MAX ((uint64_t)4000000)
/* folders this deep, */
#define EXTRACT_DEPTH_MAX 512
/* files of this many bytes together (holes do not count), */
#define EXTRACT_BYTES_MAX ((uint64_t)1 << 40)
/* and it must leave this many bytes of the file system free: a decompression bomb does not fill the disk. */
#define EXTRACT_DISK_RESERVE ((uint64_t)256 << 20)

/* `root` is an open, empty folder. *size is the sum of the sizes of its files and symbolic links, hard-linked ones
   once, as Docker counts a layer. Reads the stream to its end, also past the end of the archive. */
bool extract_tar(int root, extract_read read, void *context, int64_t *size, struct error *err);
