/* How much the files of a folder hold. */
#pragma once

#include <stdint.h>

/* Bytes in the files and links below `path` (within `directory`, which may be AT_FDCWD), counted as Docker counts:
   folders are free, a file with several names counts once, other file systems are not left out. 0 where there is no
   such folder. */
int64_t tree_size(int directory, const char *path);
