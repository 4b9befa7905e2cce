/* What ADD and COPY take from elsewhere than a tree: heredocs, URLs, and archives that are unpacked. */
#pragma once

#include "build/copy.h"
#include "build/internal.h"

/* An archive in the plan's stead. */
struct add_archive {
    struct copy_entry entry; /* owned texts */
};
struct add_set {
    bool keeps_git;
    struct add_archive *archives;
    size_t archive_count;
    struct add_tree { /* folders of our own that the plan's entries are in */
        struct context context;
        struct copy_source source;
    } * *trees;
    size_t tree_count;
};
void add_set_release(struct add_set *set);
void add_set_add_to_key(const struct add_set *set, struct key *key);

bool add_is_remote(const char *source);
/* Fetches it into the plan, or, with `unpacks`, an archive into the set. Without `is_folder` it needs no name. */
bool add_url(struct add_set *set, struct build *build, const char *url, const char *checksum, bool unpacks,
             bool is_folder, struct copy_plan *plan, struct error *err);
bool add_heredoc(struct add_set *set, struct stage *stage, const struct heredoc *heredoc, struct copy_plan *plan,
                 struct error *err);
/* A tar, plain or compressed? */
bool add_is_archive(const struct copy_entry *entry);
/* Moves the entry from the plan into the set. */
void add_archive(struct add_set *set, struct copy_plan *plan, size_t index);
bool add_archives_write(const struct add_set *set, struct store *store, const struct copy_write *write,
                        struct error *err);
