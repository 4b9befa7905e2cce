/* COPY and ADD, in two steps: what is to be copied is gathered (and is the key), then it is written into the folder
   that becomes a layer. */
#pragma once

#include "build/context.h"
#include "build/key.h"
#include "build/snapshot.h"
#include "dockerfile/ignore.h"

/* Where files come from. */
struct copy_source {
    const struct snapshot *snapshot;
    const struct context *context; /* of which the snapshot is; NULL: of something else */
    const struct ignore *ignore;   /* what is not there; NULL */
    const struct strlist *hidden;  /* folders that are not there; NULL */
    bool is_linkable;              /* its files are ours alone, on the store's disk: a hard link is as good as a copy */
};

struct copy_owner {
    bool is_set;
    uid_t uid;
    gid_t gid;
};

struct copy_entry {
    char *source; /* in the source's snapshot */
    size_t layer;
    char *target;     /* below the destination; "": the destination itself, or `name` in it where that is a folder */
    const char *name; /* the last part of the source */
    struct stat status;
    char *link;
    bool is_top; /* a folder whose content alone is wanted: one that is there stays as it is */
    unsigned char digest[KEY_BYTES];
    const struct copy_source *from; /* borrowed */
};
struct copy_plan {
    struct copy_entry *entries; /* a folder before what is in it */
    size_t count;
    size_t tops; /* sources that were found, wildcards counted for each of their matches */
};
void copy_plan_release(struct copy_plan *plan);
#define _cleanup_copy_plan_ _cleanup_(copy_plan_release)

struct copy_options {
    bool keeps_parents;           /* --parents */
    const struct ignore *exclude; /* --exclude; NULL */
};
/* Adds what one source (a path or a pattern) means. ERROR_NOT_FOUND "stat x: file does not exist". */
bool copy_plan_add(struct copy_plan *plan, const struct copy_source *source, const char *pattern,
                   const struct copy_options *options, struct error *err);
/* Names, kinds, permissions, owners and contents; no times. */
void copy_plan_add_to_key(const struct copy_plan *plan, struct key *key);

struct copy_write {
    const struct snapshot *base; /* what the layer will lie upon; NULL: nothing is known of it (--link) */
    int upper;                   /* the folder that becomes the layer */
    const char *destination;     /* absolute; a '/' at its end has a meaning */
    struct copy_owner owner;     /* --chown */
    const char *mode;            /* --chmod, valid; NULL */
    bool (*is_cancelled)(void *context);
    void *context;
};
bool copy_plan_write(const struct copy_plan *plan, const struct copy_write *write, struct error *err);
/* A folder, with those above it, as WORKDIR makes one: *is_made says whether there was none. */
bool copy_make_folder(const struct snapshot *base, int upper, const char *path, const struct copy_owner *owner,
                      bool *is_made, struct error *err);
