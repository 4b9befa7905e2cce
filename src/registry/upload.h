/* Blobs on their way to a registry: asked for, mounted from a neighbour, or sent. */
#pragma once

#include "registry/registry_internal.h"
#include "store/layer.h"

/* Does the repository have it? *has is set on success. */
bool blob_is_there(struct session *session, struct transport *transport, const char *digest, bool *has,
                   struct error *err);
/* Borrows the blob from another repository of the registry; *is_mounted is false where that is refused, and then
 *location (caller frees) may be an upload that has begun. */
bool blob_mount(struct session *session, struct transport *transport, const char *digest, const char *from,
                bool *is_mounted, char **location, struct error *err);

struct upload {
    const char *digest;
    int fd; /* or in memory, where fd is -1 */
    const void *data;
    int64_t size;
    void (*sent)(void *context, int64_t bytes);
    void *context;
};
/* `location` may be NULL. In one piece where it is small, and else in several, each of which may be tried again. */
bool blob_send(struct session *session, struct transport *transport, const struct upload *upload, char *location,
               struct error *err);
