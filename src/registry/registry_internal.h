/* What the files of the room share. */
#pragma once

#include <pthread.h>

#include "oci/manifest.h"
#include "registry/registry.h"
#include "registry/session.h"

#define MAX_MANIFEST ((size_t)4 << 20)
#define MAX_CONFIG   ((size_t)8 << 20)

/* A layer that some pull is getting: others that want it wait, and tell of it meanwhile. */
struct arrival {
    char *diff_id;
    int64_t received; /* bytes */
    struct arrival *next;
};

struct registry {
    struct store *store;
    struct registry_options options;
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t changed;
    int64_t downloads; /* that run */
    struct arrival *arrivals;
};

/* --- progress.c: messages of Docker's stream --- */

/* A call whose progress comes from several threads. */
struct teller {
    const struct registry_call *call;
    pthread_mutex_t lock;
};
void teller_init(struct teller *teller, const struct registry_call *call);
void teller_release(struct teller *teller);
/* {"status", "id"}; id may be NULL. */
void tell_message(struct teller *teller, const char *id, const char *status);
/* {"status", "progressDetail": {}, "id"} */
void tell_state(struct teller *teller, const char *id, const char *status);
/* id may be NULL. */
void tell_progress(struct teller *teller, const char *id, const char *status, int64_t current, int64_t total);
void tell(struct teller *teller, json_t *message);

/* Waits for some time, or until the call is cancelled: false. */
bool call_sleep(const struct registry_call *call, int64_t nanoseconds);
bool call_is_cancelled(const struct registry_call *call);

/* --- fetch.c: small things that are read whole, and checked --- */

struct fetched_manifest {
    struct strbuf body;
    char *media_type;
    char *digest;
};
void fetched_manifest_release(struct fetched_manifest *manifest);
#define _cleanup_fetched_ _cleanup_(fetched_manifest_release)
/* `what` is a tag or a digest. */
bool fetch_manifest(struct session *session, const char *what, struct fetched_manifest *out, struct error *err);
bool fetch_blob(struct session *session, const struct descriptor *descriptor, size_t limit, struct strbuf *out,
                struct error *err);

/* --- download.c --- */

/* Brings the layer into the store; the caller holds it. */
bool download_layer(struct session *session, struct teller *teller, const struct descriptor *descriptor,
                    const char *diff_id, struct error *err);
/* "sha256:ab12cd34ef56…" → its first twelve digits. The caller frees. */
char *digest_short(const char *digest);
