/* What `docker cp` knows of paths: a trailing slash and a trailing dot mean something, links are followed here and not
   there. Pure, apart from the questions to the local file system. All texts that are returned are the caller's. */
#pragma once

#include "base/error.h"

/* One side of a copy (moby's archive.CopyInfo). */
struct copy_place {
    char *path;
    bool exists;
    bool is_folder;
    char *rebase_name; /* what the base is called in the archive, where a link was followed to it; NULL */
};
void copy_place_release(struct copy_place *place);
#define _cleanup_copy_place_ _cleanup_(copy_place_release)

/* The folder and the name in it; the dot of "a/." is such a name. */
void copy_path_split(const char *path, char **folder, char **base);
bool copy_path_ends_with_slash(const char *path);
bool copy_path_ends_with_dot(const char *path);
/* filepath.Join */
char *copy_path_join(const char *folder, const char *name);
/* filepath.Base */
char *copy_path_base(const char *path);
/* An absolute local path that keeps its end. NULL with err. */
char *copy_path_local(const char *path, struct error *err);
/* After `path` was followed to `resolved`: the latter with the end of the former, and the name to keep (or NULL). */
char *copy_path_keep_name(const char *path, const char *resolved, char **name);

/* The local source or destination. */
bool copy_source_find(const char *path, bool follows_link, struct copy_place *out, struct error *err);
bool copy_destination_find(const char *path, struct copy_place *out, struct error *err);

/* Where to unpack, and what becomes of the first name in the archive (moby's PrepareArchiveCopy). *from is NULL where
   names stay. */
struct copy_plan {
    char *folder;
    char *from, *to;
};
void copy_plan_release(struct copy_plan *plan);
#define _cleanup_copy_plan_ _cleanup_(copy_plan_release)
bool copy_plan_make(const struct copy_place *source, const struct copy_place *destination, struct copy_plan *out,
                    struct error *err);
