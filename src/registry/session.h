/* A conversation with one repository of one registry: who we are there, and where it is. Several threads may use it,
   each with a transport of its own. */
#pragma once

#include <pthread.h>

#include "registry/challenge.h"
#include "registry/endpoint.h"
#include "registry/registry.h"
#include "registry/transfer.h"

struct session {
    struct registry *registry;
    const struct registry_call *call;
    struct endpoint_list endpoints;
    size_t position; /* of the endpoint in use */
    bool is_mirror;
    char *path;                  /* "library/busybox"; "" for the registry as a whole */
    char *actions;               /* "pull", "pull,push" */
    char *mount_from;            /* another repository that is read, or NULL */
    bool wants_identity;         /* a login: asks for a token that lasts */
    char *identity_token;        /* which came; or NULL */
    struct transport *transport; /* of the thread that opened the session */
    pthread_mutex_t lock;        /* of the three that follow */
    char *authorization;         /* the header's value, or NULL */
    struct challenge_list challenges;
    bool lacks_credentials; /* basic authentication is wanted and there is no user */
};

/* Finds the first endpoint, from `start` on, that answers. */
struct session *session_open(struct registry *registry, const struct registry_call *call, const char *domain,
                             const char *path, const char *actions, size_t start, struct error *err);
/* For the registry as a whole: nothing is authorised yet but by what the ping wants, for a token that lasts. */
struct session *session_open_for_login(struct registry *registry, const struct registry_call *call, const char *domain,
                                       struct error *err);
void session_close(struct session *session);
DEFINE_CLEANUP(struct session *, session_close)
const struct endpoint *session_endpoint(const struct session *session);
/* "<endpoint>/v2/<path>/<rest>"; the caller frees. */
char *session_url(const struct session *session, const char *format, ...) _printf_(2, 3);
/* Any answer but one that could still be authorised. The request's headers get Authorization for our own endpoint. */
struct transfer *session_send(struct session *session, struct transport *transport, struct transfer_request *request,
                              struct error *err);
/* Turns an answer that is a refusal into an error; returns false. Kinds: NOT_FOUND, DENIED, UNAUTHORIZED, UNAVAILABLE
   (worth another try), INVALID, INTERNAL. */
bool session_refused(struct transfer *transfer, struct error *err);
/* A new transport that ends with the session's call. */
struct transport *session_transport(const struct session *session);
/* For a value in a query; the caller frees. */
char *query_escape(const char *text);
