/* The distribution protocol from the client's side (OCI distribution-spec 1.1, Docker Registry HTTP API v2): pull,
   push, login, search, and what a registry says of a reference. Thread-safe. The only room that knows libcurl.

   Every digest is checked before anything is named by it. An operation that fails or is cancelled leaves no image, no
   name and no layer behind that was not there before. */
#pragma once

#include <jansson.h>

#include "oci/reference.h"
#include "store/store.h"

struct registry;

struct registry_options {
    struct strlist insecure; /* "host:port" or CIDR; 127.0.0.0/8 and ::1/128 always are */
    struct strlist mirrors;  /* base URLs, asked before docker.io itself */
    int64_t max_downloads;   /* layers at a time, of all pulls together; 0: 3 */
    int64_t max_uploads;     /* layers at a time of one push; 0: 5 */
    int64_t max_attempts;    /* for one layer; 0: 5 */
};
struct registry *registry_new(struct store *store, const struct registry_options *options);
void registry_free(struct registry *registry);

/* The object that X-Registry-Auth carries in base64url, and the body of POST /auth. */
struct registry_auth {
    char *username;
    char *password;
    char *auth; /* base64 of "username:password" */
    char *email;
    char *server_address;
    char *identity_token;
    char *registry_token;
};
extern const struct record_type registry_auth_type;
void registry_auth_release(struct registry_auth *auth);
#define _cleanup_registry_auth_ _cleanup_(registry_auth_release)
/* The header's value; "" gives an empty one. Errors as Docker words them. */
bool registry_auth_parse(const char *header, struct registry_auth *out, struct error *err);

/* What an operation is told, and whom it tells. */
struct registry_call {
    const struct registry_auth *auth;
    /* Asked a few times a second; true ends the operation with ERROR_CANCELLED. May be NULL. */
    bool (*is_cancelled)(void *context);
    /* A message of Docker's progress stream; takes the reference. Called from several threads, one at a time. */
    void (*progress)(void *context, json_t *message);
    void *context;
    bool allows_insecure; /* this once, whatever the configuration says */
};

struct platform;
/* `platform` is what is wanted. *id is the image's; *is_new tells whether the name did not have it before. */
bool registry_pull(struct registry *registry, const struct registry_call *call, const struct reference *reference,
                   const struct platform *platform, char **id, bool *is_new, struct error *err);
/* Every tag that the repository of `reference` has. */
bool registry_tags(struct registry *registry, const struct registry_call *call, const struct reference *reference,
                   struct strlist *tags, struct error *err);
/* One image under one tag. The name's digest becomes one of the image's. */
bool registry_push(struct registry *registry, const struct registry_call *call, const struct reference *reference,
                   const char *image_id, struct error *err);
/* GET /distribution/{name}/json. */
json_t *registry_inspect(struct registry *registry, const struct registry_call *call, const struct reference *reference,
                         struct error *err);
/* *identity_token is NULL where the registry gives none. */
bool registry_login(struct registry *registry, const struct registry_call *call, char **identity_token,
                    struct error *err);
/* The `results` of a search, unfiltered. `term` may begin with a registry's name. */
json_t *registry_search(struct registry *registry, const struct registry_call *call, const char *term, int64_t limit,
                        struct error *err);

/* What a URL gives, as a stream of bytes (without a scheme: http). Tells where it comes from, and then how far it is.
   Errors in Docker's words, with the kind of the server's status. */
struct url_stream;
struct url_stream *url_stream_open(const struct registry_call *call, const char *source, struct error *err);
/* A stream_read; `context` is the stream. After -1 url_stream_error says more than errno. */
ssize_t url_stream_read(void *context, void *data, size_t length);
const struct error *url_stream_error(const struct url_stream *stream);
void url_stream_close(struct url_stream *stream);
DEFINE_CLEANUP(struct url_stream *, url_stream_close)

/* A manifest or index as it is, for `manifest inspect` and its like: {"mediaType", "digest", "size", "body" (text)}. */
json_t *registry_manifest(struct registry *registry, const struct registry_call *call,
                          const struct reference *reference, struct error *err);
/* Puts a manifest or index under the reference's tag or digest. Before that the blobs in `mounts`
   (digest → path of a repository in the same registry) are borrowed from there. */
bool registry_put_manifest(struct registry *registry, const struct registry_call *call,
                           const struct reference *reference, const char *media_type, const char *body, size_t length,
                           const struct strmap *mounts, char **digest, struct error *err);
