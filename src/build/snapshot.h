/* The files of an image or of a stage, read without a mount: its layer folders (overlayfs' form) as one tree. The
   folders do not change while a snapshot is open. */
#pragma once

#include <sys/stat.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "base/text.h"

struct snapshot {
    char **folders; /* topmost first; owned */
    int *fds;
    size_t count;
};
bool snapshot_open(struct snapshot *snapshot, const struct strlist *folders, struct error *err);
void snapshot_close(struct snapshot *snapshot);
#define _cleanup_snapshot_ _cleanup_(snapshot_close)

/* Something in it. */
struct node {
    char *path; /* without links, without a '/' at its ends; "" is the root */
    struct stat status;
    size_t *layers; /* that have it: several for a folder, one for all else; topmost first */
    size_t layer_count;
};
void node_release(struct node *node);
#define _cleanup_node_ _cleanup_(node_release)

/* Links on the way are followed within the root, the last part only where `follows`. False with errno (ENOENT, ENOTDIR,
   ELOOP). With `missing` not NULL, a path whose end is not there gives the last folder that is, and in *missing (caller
   frees) what is left of the path; NULL where all is there. */
bool snapshot_find(const struct snapshot *snapshot, const char *path, bool follows, struct node *out, char **missing);
/* One name in a folder. False with errno. */
bool snapshot_child(const struct snapshot *snapshot, const struct node *folder, const char *name, struct node *out);
/* The names in a folder, sorted. */
bool snapshot_list(const struct snapshot *snapshot, const struct node *folder, struct strlist *names,
                   struct error *err);
/* A descriptor to read a file or folder (its topmost part) with; -1 with errno. */
int snapshot_open_node(const struct snapshot *snapshot, const struct node *node, int flags);
/* Caller frees; NULL with errno. */
char *snapshot_link_target(const struct snapshot *snapshot, const struct node *node);
/* A small file by its path, links followed. False where there is none. */
bool snapshot_read_file(const struct snapshot *snapshot, const char *path, size_t limit, struct strbuf *out);
