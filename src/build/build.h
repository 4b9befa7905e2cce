/* A Dockerfile becomes an image: a graph of steps, of which only what the target needs is done, stages that do not wait
   for each other at the same time, and what was done before is taken from the cache. */
#pragma once

#include <jansson.h>

#include "engine/engine.h"
#include "model/container.h"
#include "oci/manifest.h"

/* What all builds of an engine share. */
struct builder;
struct builder *builder_new(struct engine *engine);
/* No build may run any more; waits for what goes on in the background. */
void builder_free(struct builder *builder);

struct build_request {
    struct strlist tags;       /* names for the image, in any form */
    const char *dockerfile;    /* its path in the context; NULL: Dockerfile */
    const char *remote;        /* the context's URL; NULL: it is the body */
    struct strmap arguments;   /* --build-arg */
    struct strmap labels;      /* put on the image */
    struct strlist cache_from; /* images whose layers count as cached */
    const char *target;        /* a stage; NULL: the last */
    struct host_config host;   /* limits, network_mode, extra_hosts, … of RUN */
    bool uses_no_cache;
    struct strlist no_cache_stages; /* these take nothing from the cache */
    bool pulls;                     /* base images, even where they are here */
    bool is_quiet;
    bool has_events;          /* rows about steps in place of Docker's texts (docs/api.md) */
    bool is_check;            /* only the checks */
    struct strmap contexts;   /* name → "image:REF", "folder:PREFIX" */
    struct strmap secrets;    /* id → value */
    const json_t *registries; /* X-Registry-Config: {"host": {"username": …}}; NULL */
    bool has_epoch;
    int64_t epoch;        /* SOURCE_DATE_EPOCH, seconds */
    const char *platform; /* "linux/amd64"; NULL: the host's */
};
void build_request_release(struct build_request *request);

/* Where a build takes its context from and whom it tells. */
struct build_client {
    stream_read read; /* the body */
    void *context;
    void (*tell)(void *context, json_t *row); /* takes the reference; never from two threads at once */
    int fd;                                   /* of the connection: its hang-up ends the build */
};
/* Errors before the first row belong to the request, later ones are told by the caller. *detail (may be NULL) gets what
   belongs beside the message in errorDetail, or NULL: a new reference. */
bool build_run(struct builder *builder, const struct build_request *request, const struct build_client *client,
               json_t **detail, struct error *err);

/* `docker builder prune`: filters until, id, type, description, inuse, shared, private, unused-for; `all` also what a
   build of now would use; storage to keep, in bytes (0: none). *deleted are keys. */
struct build_prune_options {
    const json_t *filters;
    bool is_all;
    int64_t keep;
};
bool build_prune(struct builder *builder, const struct build_prune_options *options, struct strlist *deleted,
                 int64_t *space, struct error *err);
/* The rows of `system df`. */
json_t *build_cache_json(struct engine *engine, struct error *err);
