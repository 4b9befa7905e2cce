/* A tar becomes files and folders, as Docker's archive endpoints and `docker cp` have it. */
#pragma once

#include "archive/tar_reader.h"

struct unpack_options {
    int root;           /* an open folder that nothing leads out of */
    const char *folder; /* in it, where the names of the tar begin; "" is the root itself */
    const char *shown;  /* the same in messages: "/tmp" */
    bool keeps_kinds;   /* a folder does not take the place of a file, nor a file that of a folder */
    bool keeps_owners;  /* of the tar; else all belongs to whom this process runs as */
    bool has_owner;     /* all belongs to these two */
    uid_t uid;
    gid_t gid;
    /* The first `from` in each name becomes `to` (Docker's RebaseArchiveEntries), one pair after the other; NULL: as
       they are. */
    struct unpack_rename {
        const char *from, *to;
    } renames[2];
};
/* Reads to the end of the stream. What was made before an error stays. */
bool unpack(struct tar_reader *tar, const struct unpack_options *options, struct error *err);
