/* Links of the default bridge (HostConfig.Links): a container finds others by names of its own, in its environment and
   in /etc/hosts, and each linked one has a name more ("/web/db"). A record keeps a link as "<id>:<name>:<alias>": a
   link outlives the container at its end, whose name is still told then. */
#pragma once

#include "engine/container.h"

/* At create, in the table and in its operation: what was asked for becomes links. */
bool links_take(struct container *container, struct error *err);
/* After the records were loaded. */
void links_recover(struct engine *engine);
/* HostConfig.Links as inspect shows it, with the container's lock held; a new reference. */
json_t *links_json(const struct container_record *record);

/* At the engine's start: waits up to five seconds, as Docker does, for the containers that links lead to and that are
   about to be started as well. Not in any operation. */
void links_await(struct container *container);

/* Every link leads to a container of the default bridge that runs: a start and an exec need that. Their variables are
   added to `environment`, which may be NULL. */
bool links_environment(struct container *container, struct strlist *environment, struct error *err);
/* Their lines of /etc/hosts as extra hosts: "alias hostname name:address". */
void links_hosts(struct container *container, struct strlist *out);
/* The container has been started, perhaps at another address: those that have a link to it are told. */
void links_started(struct container *container);
/* The container was renamed. Not in its operation, as it takes theirs. */
void links_renamed(struct container *container);

/* The id of the container that `alias` of this one leads to, or NULL; takes the lock. The caller frees. */
char *links_target(struct container *container, const char *alias);
/* The link "web/db" goes, and the container stays. */
bool links_remove(struct engine *engine, const char *reference, struct error *err);

/* The names that links give, for a list of many containers. */
struct link_names {
    struct link_name {
        char id[ID_LENGTH + 1];
        char *name; /* "/web/db" */
    } * names;
    size_t count;
};
void link_names_collect(struct container *const *containers, size_t count, struct link_names *out);
/* All names of a container with its lock held, sorted as Docker does. */
void link_names_of(const struct link_names *names, const struct container_record *record, struct strlist *out);
void link_names_release(struct link_names *names);
