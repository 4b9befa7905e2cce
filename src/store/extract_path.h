/* Names within the folder a tar is unpacked to. */
#pragma once

#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

/* Cleans a name lexically, relative to the root as Docker does in its chroot: "/a//b/", "./a/b" and "../a/x/../b" are
   all "a/b"; the root itself is "". False when it does not fit. */
bool extract_clean_name(const char *name, char clean[PATH_MAX]);

/* Open folders, because a tar's entries mostly share their parents. Paths are clean names. */
#define FOLDERS_KEPT 16
struct folders {
    int root; /* borrowed */
    struct {
        char *path;
        int fd;
        uint64_t used;
    } kept[FOLDERS_KEPT];
    uint64_t clock;
    uint64_t made; /* folders that the tar does not name but needs */
};
void folders_init(struct folders *folders, int root);
void folders_release(struct folders *folders);
/* An O_PATH descriptor of the folder `path`, borrowed: it stays open for the next FOLDERS_KEPT - 1 calls at least.
   Links on the way are followed within the root. What is missing is made, as root's, with mode 0755. */
int folders_open(struct folders *folders, const char *path, struct error *err);
/* To be called when a folder or a symbolic link went away: paths may lead elsewhere now. */
void folders_forget(struct folders *folders);

/* Removes what is called `name` in the folder, a whole tree too, and takes the bytes that went off *size. Returns -1
   with errno. */
int extract_remove(int folder, const char *name, int64_t *size);
