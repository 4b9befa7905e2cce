/* Images on disk: content-addressed blobs, unpacked layers shared between images, the images themselves and their
   names. All functions are thread-safe. Layout:

       <data-root>/wherry.db
       <data-root>/content/sha256/<hex>      blobs: configs, manifests, layers as they came
       <data-root>/layers/<hex of diff id>/  a layer unpacked: a lower folder of an overlay (whiteouts are 0/0 devices)
       <data-root>/containers/<id>/          upper/ and work/ of a container, its log and its /etc files
       <data-root>/tmp/                      half-made things; emptied at start-up */
#pragma once

#include "oci/image_config.h"
#include "store/database.h"

struct store;

/* Opens, upgrades, and clears what a crash left half-made. */
struct store *store_open(const char *data_root, struct error *err);
void store_close(struct store *store);
struct database *store_database(struct store *store);

/* --- images (image.c, remove.c) --- */

struct image {
    char *id;     /* "sha256:<64 hex>": the digest of the config */
    char *config; /* the bytes of the config */
    struct image_config parsed;
    struct strlist repo_tags;    /* "busybox:latest" (familiar form) */
    struct strlist repo_digests; /* "busybox@sha256:…" */
    int64_t size;                /* bytes of all unpacked layers */
    char *parent;
    int64_t created;     /* unix_nano, from the config */
    int64_t last_tagged; /* unix_nano; 0: never */
};
void image_release(struct image *image);
#define _cleanup_image_ _cleanup_(image_release)

/* `reference` is a name ("busybox", "repo:tag", "host:5000/a/b@sha256:…"), an id or a unique prefix of one.
   ERROR_NOT_FOUND with "No such image: <reference>". */
bool image_get(struct store *store, const char *reference, struct image *out, struct error *err);
/* All images, newest first. The caller releases each and frees the array. */
bool image_list(struct store *store, struct image **out, size_t *count, struct error *err);
/* The layer folders of an image, topmost first, as an overlay's lower folders: one that is there twice only where it is
   uppermost, since that has all that the lower one has, and the kernel takes no folder twice. */
bool image_layers(struct store *store, const char *image_id, struct strlist *out, struct error *err);
/* Names the image; an image that had the name loses it. Docker's errors for bad references. */
bool image_tag(struct store *store, const char *source, const char *repository, const char *tag, struct error *err);
/* A new image, whose layers were added before (layer_add) while the store was held. */
struct image_creation {
    const char *config; /* the bytes whose digest is the image's id */
    size_t config_length;
    const char *parent; /* the id of the image it was made from, or NULL */
    struct strlist
        references; /* names to give it: "repo:tag", "repo@sha256:…", in any form that reference_parse takes */
    struct strlist manifests; /* digests of blobs (blob_put): the manifests it came with */
};
/* Creates `count` images and their names in one durable transaction, after everything that was written reached the disk
   (see internal.h for the order). An image that is there already only gets the names. ids[i] is the i-th image's id
   (caller frees each); `renamed` (may be NULL) gets a pair "familiar reference" → id of the image that lost it. */
bool image_create(struct store *store, const struct image_creation *creations, size_t count, char **ids,
                  struct strmap *renamed, struct error *err);
/* All tags of a name ("docker.io/library/busybox"): full reference → id. */
bool image_tags(struct store *store, const char *full_name, struct strmap *out, struct error *err);
/* Is the image one for that platform? ERROR_NOT_FOUND in Docker's words; `shown` is how the user named it. */
struct platform;
bool image_check_platform(const struct image *image, const char *shown, const struct platform *wanted,
                          struct error *err);
/* The digests of the manifests that name the image, in no order. */
bool image_manifests(struct store *store, const char *image_id, struct strlist *out, struct error *err);
/* Adds a name by digest, and the manifest of that digest where `is_manifest` (its blob must be there). */
bool image_add_digest(struct store *store, const char *image_id, const char *reference, bool is_manifest,
                      struct error *err);

/* What `rmi` did: "Untagged: busybox:latest", "Deleted: sha256:…", one line each, in Docker's order. Deleted layers
   have lines of their own, with their chain ids. */
struct image_removal {
    bool is_deletion;
    int64_t size; /* bytes of a layer's files */
    char *what;
    char *image_id; /* the image that an `untag` or `delete` event is about; NULL for a layer's line */
};
void image_removals_free(struct image_removal *removals, size_t count);
/* `user_of` says which container uses an image (its id, "" for none; *is_running), a running one where there is one:
   Docker's conflict rules and messages need it. It is called outside of transactions and the caller frees its answer.
   *removals belongs to the caller: image_removals_free. */
typedef char *(*image_user_function)(void *context, const char *image_id, bool *is_running);
bool image_remove(struct store *store, const char *reference, bool is_forced, bool keeps_parents,
                  image_user_function user_of, void *context, struct image_removal **removals, size_t *count,
                  struct error *err);

/* --- coming and going (load.c, save.c, import.c) ---
   `read` gives the next bytes of the stream (0 at the end, -1 with errno); it may be slow. Docker archives and OCI
   layouts, plain or compressed with gzip, zstd, xz, bzip2. On failure nothing is changed. */
typedef ssize_t (*stream_read)(void *context, void *data, size_t length);
typedef bool (*stream_write)(void *context, const void *data, size_t length);

/* Names what was loaded, in Docker's words: "Loaded image: busybox:latest", "Loaded image ID: sha256:…". */
bool store_load(struct store *store, stream_read read, void *context, struct strlist *messages, struct error *err);
/* A Docker archive that is also an OCI layout; several images share layers. All references are resolved before the
   first byte is written. */
bool store_save(struct store *store, const struct strlist *references, stream_write write, void *context,
                struct error *err);
struct import_options {
    const char *repository, *tag; /* may be NULL: no name */
    const char *message;
    struct strlist changes; /* Dockerfile instructions: CMD, ENV, ENTRYPOINT, EXPOSE, LABEL, USER, VOLUME, WORKDIR, … */
    const char *platform;   /* "linux/amd64" or NULL */
};
bool store_import(struct store *store, stream_read read, void *context, const struct import_options *options,
                  char **image_id, struct error *err);

struct commit_options {
    const char *parent; /* id of the image it is based on */
    const struct container_config *config;
    const char *container, *created_by, *author, *comment; /* the last two may be NULL */
    const char *reference;                                 /* full; NULL: no name */
};
/* `read` gives the tar of the layer; NULL: there is none. */
bool store_commit(struct store *store, stream_read read, void *context, const struct commit_options *options, char **id,
                  struct error *err);

/* --- the writable layer of a container (container_layer.c) --- */

/* Makes <data-root>/containers/<id>/{upper,work}; the first folder may be there already. Does not wait for the disk. */
bool container_layer_create(struct store *store, const char *container_id, struct error *err);
/* Keeps the image's layers for the container even when the image is removed by force. Does not wait for the disk. */
bool container_layer_use_image(struct store *store, const char *container_id, const char *image_id, struct error *err);
/* The same for layers that are mounted beside them. */
bool container_layer_use(struct store *store, const char *container_id, const struct strlist *diff_ids,
                         struct error *err);
/* Removes <data-root>/containers/<id> with everything in it; the layers it kept are collected by the next
 * layer_collect. */
bool container_layer_remove(struct store *store, const char *container_id, struct error *err);
/* The same in two steps: the folder is out of sight at once, and *remains (owned, NULL where there was none) is what
   takes long. What a crash keeps from the second step is removed at the next start. */
bool container_layer_discard(struct store *store, const char *container_id, char **remains, struct error *err);
bool container_layer_remove_remains(struct store *store, const char *remains, struct error *err);
