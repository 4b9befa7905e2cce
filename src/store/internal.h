/* What the files of the store share among themselves. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "store/blob.h"
#include "store/database.h"
#include "store/layer.h"
#include "store/limit.h"
#include "store/store.h"

struct store {
    char *data_root;
    struct database *database;
    int content; /* <data-root>/content/sha256; these are O_PATH | O_DIRECTORY */
    int layers;
    int containers;
    int temporary; /* <data-root>/tmp */
    atomic_uint_fast64_t temporary_count;
    atomic_uint spool_count; /* archives that are being read, in tmp */

    struct store_limit limit;
    atomic_int_fast64_t settled;  /* bytes that were there when something last began to come in */
    atomic_int_fast64_t incoming; /* bytes that are not yet among them */

    pthread_mutex_t hold_lock; /* protects the next two; held while layer_collect looks for garbage */
    unsigned holds;
    bool wants_collection;
};

/* --- the order of things when an image comes in (load, import, pull, commit) ---

       store_hold(store);                          nothing unreferenced is collected from here on
       layer_add(…), blob_put(…)                   files; their database rows do not wait for the disk
       store_sync(store, err);                     everything written so far reaches the disk, once for all layers
       database_begin(…, DURABLE), insert into images, image_layers, tags; database_end(…, true)
       store_release(store);                       the last one runs a collection that was asked for meanwhile

   A layer that no image and no container refers to is garbage, so a crash before the commit leaves nothing behind that
   the next start would not clear. */
void store_hold(struct store *store);
void store_release(struct store *store);
/* Waits until every file of the store is on the disk (syncfs). */
bool store_sync(struct store *store, struct error *err);

/* A new name within <data-root>/tmp ("blob-7"). Caller frees. */
char *store_temporary_name(struct store *store, const char *kind);

/* The 64 hex digits of a "sha256:<hex>" digest, within the argument; NULL when it is not one. */
const char *digest_hex(const char *digest);

/* blob_finish without waiting for the disk: for what a store_sync follows. */
bool blob_finish_unsynced(struct blob_writer *writer, char **digest, int64_t *size, struct error *err);
/* Forgets what was written so far. */
bool blob_restart(struct blob_writer *writer, struct error *err);

/* The row of a layer whose folder has its name. */
bool layer_insert(struct store *store, const struct layer_info *info, int64_t tar_size, struct error *err);
/* The tar of a layer that has no blob. */
bool layer_pack(struct store *store, const char *diff_id, stream_write write, void *context, struct error *err);
/* What keeps layers and blobs: the one place that says so, for the collection and for the check. Whoever refers to them
   from another table adds it here. */
#define SQL_UNUSED_LAYERS                                                                                              \
    "SELECT diff_id FROM layers WHERE diff_id NOT IN (SELECT diff_id FROM image_layers) "                              \
    "AND diff_id NOT IN (SELECT diff_id FROM container_layers) "                                                       \
    "AND diff_id NOT IN (SELECT diff_id FROM build_cache WHERE diff_id IS NOT NULL)"
#define SQL_USED_BLOBS                                                                                                 \
    "SELECT blob_digest AS digest FROM layers UNION ALL SELECT id FROM images UNION ALL "                              \
    "SELECT digest FROM image_manifests UNION ALL "                                                                    \
    "SELECT substr(reference, instr(reference, '@') + 1) FROM digests"

/* Empties tmp, and removes layers and blobs that nothing refers to. Before any other use of the store. */
bool store_recover(struct store *store, struct error *err);

/* Brings the schema to the current version, one transaction a step (schema.c). The tables:

       layers       (diff_id PRIMARY KEY, blob_digest, blob_size, size, tar_size, media_type)
       images       (id PRIMARY KEY, config, created, parent, last_tagged, size)
       image_layers (image_id, position, diff_id)            position 0 is the base layer
       tags         (reference PRIMARY KEY, image_id)        "docker.io/library/busybox:latest"
       digests      (reference PRIMARY KEY, image_id)        "docker.io/library/busybox@sha256:…"
       container_layers (container_id, diff_id)              keeps the layers of containers whose image was removed
       image_manifests (digest, image_id)                    manifests that name the image as their config
       layer_sources (diff_id, repository, digest, size, media_type)  "docker.io/library/busybox" has the layer so
       documents    (sequence, kind, id, body)
       build_cache  (sequence, key UNIQUE, diff_id, …)       what steps of builds have made (build_cache.h)

   Deleting an image deletes its image_layers, tags and digests. The blobs that stay are those of layers, the image ids
   (configs), image_manifests, and the digests after '@' in digests.reference (manifests and indexes). */
struct sqlite3;
bool schema_upgrade(struct sqlite3 *connection, struct error *err);
