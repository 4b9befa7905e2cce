/* Layers: a tar stream becomes a folder that overlayfs can use, once per diff id, whoever shares it. */
#pragma once

#include "store/store.h"

/* An image has at most this many: what fits into one overlay mount's options, and Docker's own limit. */
#define LAYERS_PER_IMAGE_MAX 125

struct layer_info {
    char *diff_id;     /* "sha256:…" of the uncompressed tar */
    char *blob_digest; /* of the bytes as they came; "": there are none, the layer is a folder alone */
    int64_t blob_size;
    int64_t size;     /* bytes of the files in it */
    char *media_type; /* of the blob: application/vnd.oci.image.layer.v1.tar[+gzip|+zstd] */
};
void layer_info_release(struct layer_info *info);

/* Reads a layer (plain or compressed; detected) to its end: stores the bytes as a blob while it unpacks them into a
   temporary folder, then gives both their final names, in one pass over the stream. Names in the tar cannot lead
   outside of the folder: absolute names and `..` are taken relative to its root or refused as Docker does, links are
   never followed out of it. Whiteouts (.wh.x → 0/0 device, .wh..wh..opq → trusted.overlay.opaque), hard links, xattrs,
   devices, sparse files, owners, modes and nanosecond times are kept. `expected_diff_id` may be NULL; a mismatch is an
   error. A layer that is there already is not written twice. */
bool layer_add(struct store *store, stream_read read, void *context, const char *expected_diff_id,
               struct layer_info *out, struct error *err);
/* The same for a blob whose digest is known too; a mismatch is an error, and the blob is not kept. */
bool layer_add_checked(struct store *store, stream_read read, void *context, const char *expected_diff_id,
                       const char *expected_blob, struct layer_info *out, struct error *err);
/* A folder in overlayfs' form, by its absolute path, on the store's disk, becomes a layer without a copy: it is
   hashed as the tar that it would be, and renamed. Nothing may write to it from then on. No blob is kept:
   layer_write_tar makes the same bytes of the folder again. Does not wait for the disk. The folder is gone afterwards,
   or still there where this fails or the layer was there already. The store must be held until something refers to the
   layer. */
bool layer_adopt(struct store *store, const char *folder, struct layer_info *out, struct error *err);
bool layer_exists(struct store *store, const char *diff_id);
/* <data-root>/layers/<hex>; caller frees. */
char *layer_path(const struct store *store, const char *diff_id);
/* Bytes in all layers, each counted once. */
bool layers_total_size(struct store *store, int64_t *out, struct error *err);
/* What the database holds of a layer. */
bool layer_get(struct store *store, const char *diff_id, struct layer_info *out, struct error *err);
/* Removes layers and blobs that no image refers to any more. Called inside no transaction, after an image was removed
 * or a load failed. */
bool layer_collect(struct store *store, struct error *err);
/* Makes the folder of a layer that has lost it again, from its blob, durably. The store must be held. */
bool layer_unpack_again(struct store *store, const char *diff_id, struct error *err);
/* Writes the uncompressed tar of the layer, byte for byte the one whose digest is its diff id. */
bool layer_write_tar(struct store *store, const char *diff_id, stream_write write, void *context, struct error *err);
/* Makes a gzip blob of a layer that is kept as a plain tar, in its place, or of one that has no blob; *out is what
   there is then. The store must be held. Returns false with ERROR_CANCELLED once is_cancelled (may be NULL) says so. */
bool layer_compress(struct store *store, const char *diff_id, bool (*is_cancelled)(void *context), void *context,
                    struct layer_info *out, struct error *err);

/* A repository ("docker.io/library/busybox") that has the layer as a blob. */
struct layer_source {
    char *repository;
    char *digest;
    int64_t size;
    char *media_type;
};
void layer_sources_free(struct layer_source *sources, size_t count);
bool layer_source_add(struct store *store, const char *diff_id, const struct layer_source *source, struct error *err);
/* *sources is the caller's: layer_sources_free. */
bool layer_sources(struct store *store, const char *diff_id, struct layer_source **sources, size_t *count,
                   struct error *err);
/* Length of that tar in bytes. */
bool layer_tar_size(struct store *store, const char *diff_id, int64_t *out, struct error *err);
