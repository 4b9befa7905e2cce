/* Named volumes: folders <data-root>/volumes/<name>/_data, and what the database knows of them (documents of the kind
   "volume"). The one driver is `local`, with Docker's options type, o and device: such a volume is mounted at its
   folder from its first running container on until its last one has ended.

   A volume is in use by every container that has it among its mounts, running or not. The table's lock comes before
   engine->table_lock, and is never held while a file system is mounted or a tree is removed: the volume is marked busy
   for that time. */
#pragma once

#include <jansson.h>

#include "engine/engine.h"

#define VOLUME_ANONYMOUS_LABEL "com.docker.volume.anonymous"

/* The body of POST /volumes/create. */
struct volume_request {
    char *name;   /* NULL or "": an anonymous one */
    char *driver; /* NULL, "" or "local" */
    struct strmap options;
    struct strmap labels;
    char *cluster_spec; /* JSON; refused */
};
extern const struct record_type volume_request_type;

struct volume_table;
/* Reads the database, takes in folders that it does not know (of an older version), forgets volumes without a folder.
 */
struct volume_table *volume_table_open(struct engine *engine, struct error *err);
void volume_table_free(struct volume_table *table);
/* After the containers were found again: unmounts what a crash has left mounted and no container uses. */
void volume_unmount_stale(struct engine *engine);

/* Docker's statuses and wording. The JSON is a new reference: the volume as inspect shows it. */
json_t *volume_create(struct engine *engine, const struct volume_request *request, struct error *err);
json_t *volume_inspect(struct engine *engine, const char *name, struct error *err);
/* An array sorted by name; `filters` is a map of lists or NULL: dangling, driver, label, name. */
json_t *volume_list(struct engine *engine, const json_t *filters, struct error *err);
/* All of them with UsageData (walks their folders), for `system df`. */
json_t *volume_list_usage(struct engine *engine);
bool volume_remove(struct engine *engine, const char *name, bool is_forced, struct error *err);
/* With its last container: a volume that others use, or that is gone already, is no failure. */
bool volume_remove_last(struct engine *engine, const char *name, const char *container, struct error *err);
/* Anonymous ones alone unless `all` is true among the filters (all, label, label!). `removes_named`: of API versions
   before 1.42, where all was the rule. */
bool volume_prune(struct engine *engine, const json_t *filters, bool removes_named, struct strlist *deleted,
                  int64_t *space, struct error *err);

/* Mounts the volume for a container: *path (caller frees) is the folder that holds its files. Each success is taken
   back by volume_unmount with the same names. */
bool volume_mount(struct engine *engine, const char *name, const char *container, char **path, struct error *err);
void volume_unmount(struct engine *engine, const char *name, const char *container);
/* A container that went on running while the engine was away. */
void volume_readopt(struct engine *engine, const char *name, const char *container);
/* Docker's rule for names: "create x: …". */
bool volume_name_check(const char *name, struct error *err);
