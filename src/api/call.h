/* One API request on its way through a handler: private to the room. */
#pragma once

#include "api/api.h"
#include "base/clock.h"

struct builder;
struct api {
    struct api_options options;
    struct builder *builder;
    unix_nano started_at;
};

struct call {
    struct api *api;
    struct engine *engine;
    struct http_exchange *exchange;
    int version;             /* 100 * major + minor of the API version asked for */
    const struct role *role; /* of the listener; NULL: none, everything is allowed */
    const char *target;      /* the {id} or {name} in the path; "" where the route has none */
    char *own_target;        /* access.c: what target has become */
    struct strmap query;
};

/* A handler answers on success. On failure it returns false with err set and the answer is made from that, unless it
   has begun one. */
typedef bool (*call_handler)(struct call *call, struct error *err);

/* system.c, info.c, events.c */
bool system_ping(struct call *call, struct error *err);
bool system_version(struct call *call, struct error *err);
bool system_info(struct call *call, struct error *err);
bool system_plugins(struct call *call, struct error *err);
bool system_events(struct call *call, struct error *err);
/* containers.c */
bool containers_list(struct call *call, struct error *err);
bool containers_create(struct call *call, struct error *err);
bool containers_inspect(struct call *call, struct error *err);
bool containers_start(struct call *call, struct error *err);
bool containers_stop(struct call *call, struct error *err);
bool containers_restart(struct call *call, struct error *err);
bool containers_kill(struct call *call, struct error *err);
bool containers_pause(struct call *call, struct error *err);
bool containers_unpause(struct call *call, struct error *err);
bool containers_rename(struct call *call, struct error *err);
bool containers_resize(struct call *call, struct error *err);
bool containers_remove(struct call *call, struct error *err);
/* prune.c, stats.c, top.c, update.c */
bool system_df(struct call *call, struct error *err);    /* df.c */
bool system_check(struct call *call, struct error *err); /* check.c */
bool system_repair(struct call *call, struct error *err);
bool containers_stats(struct call *call, struct error *err);
bool containers_top(struct call *call, struct error *err);
bool containers_prune_all(struct call *call, struct error *err);
bool containers_update(struct call *call, struct error *err);
/* wait.c, logs.c, attach.c */
bool containers_wait(struct call *call, struct error *err);
bool containers_logs(struct call *call, struct error *err);
bool containers_attach(struct call *call, struct error *err);
bool containers_attach_websocket(struct call *call, struct error *err); /* attach_websocket.c */
/* archive.c */
bool containers_archive_head(struct call *call, struct error *err);
bool containers_archive_get(struct call *call, struct error *err);
bool containers_archive_put(struct call *call, struct error *err);
bool containers_export(struct call *call, struct error *err);
bool containers_changes(struct call *call, struct error *err);
bool containers_commit(struct call *call, struct error *err);
/* exec.c */
bool execs_create(struct call *call, struct error *err);
bool execs_start(struct call *call, struct error *err);
bool execs_inspect(struct call *call, struct error *err);
bool execs_resize(struct call *call, struct error *err);
/* images.c, image_transfer.c */
bool images_list(struct call *call, struct error *err);
bool images_inspect(struct call *call, struct error *err);
bool images_history(struct call *call, struct error *err);
bool images_tag(struct call *call, struct error *err);
bool images_remove(struct call *call, struct error *err);
bool images_prune(struct call *call, struct error *err);
bool images_create(struct call *call, struct error *err);
bool images_load(struct call *call, struct error *err);
bool images_save(struct call *call, struct error *err);
/* registry.c */
bool images_pull(struct call *call, struct error *err);
bool images_push(struct call *call, struct error *err);
bool images_search(struct call *call, struct error *err);
bool distribution_inspect(struct call *call, struct error *err);
bool registry_auth_check(struct call *call, struct error *err);
bool manifests_get(struct call *call, struct error *err);
bool manifests_put(struct call *call, struct error *err);
/* build.c */
bool builds_run(struct call *call, struct error *err);
bool builds_prune(struct call *call, struct error *err);
/* networks.c, volumes.c */
bool networks_list(struct call *call, struct error *err);
bool networks_inspect(struct call *call, struct error *err);
bool networks_create_one(struct call *call, struct error *err);
bool networks_remove_one(struct call *call, struct error *err);
bool networks_prune_all(struct call *call, struct error *err);
bool networks_connect_one(struct call *call, struct error *err);
bool networks_disconnect_one(struct call *call, struct error *err);
bool volumes_list(struct call *call, struct error *err);
bool volumes_create(struct call *call, struct error *err);
bool volumes_prune(struct call *call, struct error *err);
bool volumes_inspect(struct call *call, struct error *err);
bool volumes_update(struct call *call, struct error *err);
bool volumes_remove(struct call *call, struct error *err);
