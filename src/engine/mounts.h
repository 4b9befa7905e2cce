/* From -v, --mount, --volumes-from and an image's volumes to the mounts of a container. */
#pragma once

#include "engine/container.h"

/* Parses one -v: "source:target[:options]", "target". Exposed for the unit tests. `out` must be zeroed. */
bool bind_parse(const char *text, struct container_mount *out, struct error *err);
/* Checks and converts one --mount. */
bool mount_request_convert(const struct mount_request *request, struct container_mount *out, struct error *err);
/* Checks one --tmpfs. */
bool tmpfs_check(const char *path, const char *options, struct error *err);
/* Finds the images among the mounts that are not found yet; keeps their layers for the container. */
bool mounts_find_images(struct engine *engine, struct record_list *mounts, struct error *err);
bool mounts_keep_images(struct engine *engine, const char *container_id, const struct record_list *mounts,
                        struct error *err);
/* The same for what is to come into a container that is there; the lists are of struct mount_request. Nothing may be
   mounted at the same place already, unless it is among `removed` (clean paths). Fills *out (struct container_mount).
 */
bool mounts_collect_more(const struct container_record *record, const struct record_list *requests,
                         const struct strlist *removed, struct record_list *out, struct error *err);
/* The destination, cleaned (caller frees); NULL with the error of one that is no absolute path, or "/". */
char *mount_target_clean(const char *target, struct error *err);
/* All the mounts of a request; named volumes are made in volumes.c later. */
bool mounts_collect(struct engine *engine, const struct create_request *request, struct record_list *out,
                    struct error *err);
