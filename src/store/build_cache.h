/* What steps of builds have made, found again by a key that says all that the result follows from. A record with a
   layer keeps that layer. Finding one is one look into an index, however many there are.

   Records do not wait for the disk. Until a store_sync has passed over them (build_cache_settle) they say in which boot
   of the machine they were written: they survive a crash of the engine, and none survives a power cut that may have
   lost their files. */
#pragma once

#include "store/store.h"

struct build_record {
    char *key;                  /* "sha256:…" */
    char *diff_id;              /* the layer; NULL: the step makes none */
    char *parent;               /* the key of the step before it, or "" */
    char *kind;                 /* Docker's types: "regular", "exec.cachemount" */
    char *description;          /* "RUN make" */
    int64_t created, last_used; /* unix_nano */
    int64_t uses;
    int64_t size; /* bytes */
};
void build_record_release(struct build_record *record);
#define _cleanup_build_record_ _cleanup_(build_record_release)

/* *is_found says whether there is one; it counts as used then. */
bool build_cache_find(struct store *store, const char *key, struct build_record *out, bool *is_found,
                      struct error *err);
/* One with the same key gives way. uses and last_used are set. */
bool build_cache_put(struct store *store, const struct build_record *record, struct error *err);
/* All, the least recently used first. The caller releases each and frees the array. */
bool build_cache_list(struct store *store, struct build_record **out, size_t *count, struct error *err);
bool build_cache_remove(struct store *store, const struct strlist *keys, struct error *err);

/* Before a store_sync: what build_cache_settle is given after it. */
bool build_cache_mark(struct store *store, int64_t *mark, struct error *err);
bool build_cache_settle(struct store *store, int64_t mark, struct error *err);

/* Private to the store: at its start. */
bool build_cache_recover(struct store *store, struct error *err);
