/* Which repository holds which blobs, manifests and tags: an SQLite database, <data>/registry.db. Manifests, which are
   small, are in it as a whole; blobs are files (content.h).

   Every function is a transaction of its own and thread-safe. What one has changed survives a crash of the process at
   once, and a power cut after ledger_sync: so one wait for the disk serves everybody who waits at that moment. */
#pragma once

#include <stdint.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "base/text.h"

struct ledger;
struct ledger *ledger_open(const char *path, struct error *err);
void ledger_close(struct ledger *ledger);
/* Returns when everything that was changed before the call is on the disk. */
bool ledger_sync(struct ledger *ledger, struct error *err);

/* Bytes that a repository may hold, and all of them together (each blob once); 0: no limit. */
struct quota {
    int64_t repository, total;
};
/* ERROR_DENIED where `more` bytes would not fit. */
bool ledger_check_quota(struct ledger *ledger, const char *repository, const struct quota *quota, int64_t more,
                        struct error *err);
/* Numbers of repositories, blobs, manifests and tags. */
struct ledger_counts {
    int64_t repositories, blobs, manifests, tags, bytes;
};
bool ledger_count(struct ledger *ledger, struct ledger_counts *out, struct error *err);

/* --- blobs --- */

/* The repository holds this blob from now on. `place` gives its bytes their name, within the transaction; a failure
   changes nothing. */
bool ledger_add_blob(struct ledger *ledger, const char *repository, const char *digest, int64_t size,
                     const struct quota *quota, bool (*place)(void *context, struct error *err), void *context,
                     struct error *err);
/* ERROR_NOT_FOUND where the repository does not hold it. Whoever asks may be about to refer to it: that keeps it from
   being collected for a while. */
bool ledger_find_blob(struct ledger *ledger, const char *repository, const char *digest, int64_t *size,
                      struct error *err);
/* From one repository to another; ERROR_NOT_FOUND where the first does not hold it. */
bool ledger_mount_blob(struct ledger *ledger, const char *from, const char *to, const char *digest,
                       const struct quota *quota, int64_t *size, struct error *err);
bool ledger_drop_blob(struct ledger *ledger, const char *repository, const char *digest, struct error *err);

/* --- manifests --- */

struct manifest_entry {
    char *digest;
    char *media_type;
    char *artifact_type; /* what referrers tell; NULL: none */
    char *subject;       /* a digest, or NULL */
    char *annotations;   /* JSON, or NULL */
    struct strbuf body;
    unix_nano updated; /* when it was put, or its tag was moved, or a cache has found it to be up to date */
};
void manifest_entry_release(struct manifest_entry *entry);
#define _cleanup_manifest_entry_ _cleanup_(manifest_entry_release)

/* `children`: digests of the manifests and blobs that it refers to; `needed` (may be NULL): those that the repository
   has to hold, else ERROR_NOT_FOUND. `tag` may be NULL. */
bool ledger_put_manifest(struct ledger *ledger, const char *repository, const struct manifest_entry *entry,
                         const struct strlist *children, const struct strlist *needed, const char *tag,
                         const struct quota *quota, struct error *err);
/* ERROR_NOT_FOUND. `reference` is a tag or a digest. */
bool ledger_get_manifest(struct ledger *ledger, const char *repository, const char *reference,
                         struct manifest_entry *out, struct error *err);
/* Its size, without reading it. */
bool ledger_find_manifest(struct ledger *ledger, const char *repository, const char *digest, int64_t *size,
                          struct error *err);
/* With the tags that point to it. */
bool ledger_drop_manifest(struct ledger *ledger, const char *repository, const char *digest, struct error *err);
bool ledger_drop_tag(struct ledger *ledger, const char *repository, const char *tag, struct error *err);
/* A cache has seen that the tag still means this manifest. */
bool ledger_touch_tag(struct ledger *ledger, const char *repository, const char *tag, struct error *err);

/* --- lists: at most `limit` after `last` (NULL: from the start) --- */

bool ledger_has_repository(struct ledger *ledger, const char *repository);
bool ledger_repositories(struct ledger *ledger, const char *last, int64_t limit, struct strlist *out,
                         struct error *err);
/* In the order of the alphabet without regard to case. ERROR_NOT_FOUND where there is no such repository. */
bool ledger_tags(struct ledger *ledger, const char *repository, const char *last, int64_t limit, struct strlist *out,
                 struct error *err);
struct referrer {
    const char *digest, *media_type, *artifact_type, *annotations; /* as in manifest_entry */
    int64_t size;
};
/* Those whose subject this is, in the order of their digests, until `take` returns false. `artifact_type` NULL: all. */
bool ledger_referrers(struct ledger *ledger, const char *repository, const char *subject, const char *artifact_type,
                      const char *last, bool (*take)(void *context, const struct referrer *referrer), void *context,
                      struct error *err);

/* --- collecting (collect.c decides when) --- */

struct collected {
    int64_t manifests, links, blobs, bytes;
};
/* Manifests that were put before `before` and that no tag leads to, over indexes and subjects: removed. */
bool ledger_collect_manifests(struct ledger *ledger, unix_nano before, struct collected *out, struct error *err);
/* Blobs that no manifest of their repository refers to and that were last asked for before `before` are no longer
   its; those that no repository holds are forgotten and given to `remove`. */
bool ledger_collect_blobs(struct ledger *ledger, unix_nano before, void (*remove)(void *context, const char *digest),
                          void *context, struct collected *out, struct error *err);
/* Repositories that hold nothing any more are forgotten. */
bool ledger_collect_repositories(struct ledger *ledger, struct error *err);
/* Calls `remove` within a transaction where no row knows this blob. */
bool ledger_collect_stray(struct ledger *ledger, const char *digest, void (*remove)(void *context, const char *digest),
                          void *context, struct error *err);
