/* Networks and containers together: what a start joins, what a run has, and what is shown of it. */
#pragma once

#include "engine/container.h"
#include "engine/network_verbs.h"

/* What a start has of the network: shown by inspect, kept by the record while the container runs. */
struct attachment_set {
    struct record_map endpoints; /* of struct endpoint_settings, by network name */
    struct record_map ports;     /* lists of struct port_binding, by "80/tcp" */
};
void attachment_set_release(struct attachment_set *set);

/* Joins every network of the container and publishes its ports. On failure nothing is left. */
bool networks_join(struct container *container, struct launch *launch, struct attachment_set *out, struct error *err);
/* The endpoint whose gateway is the container's default route, by Docker's rule: the highest priority, then the name;
   NULL where there is none. */
const struct endpoint_settings *networks_gateway(const struct record_map *endpoints, const char **name);
/* After the container has ended, with its lock held: what belonged to the run is forgotten. */
void networks_forget_run(struct container_record *record);
/* Takes over the resolver of a container that runs with one. */
void networks_serve_dns(struct container *container);
/* After a restart of the engine. */
void networks_readopt(struct container *container);

/* Publishes more ports of a container that runs, in its operation. */
bool networks_publish(struct container *container, const struct record_map *bindings, struct record_map *shown,
                      struct error *err);
void networks_release_bindings(struct record_map *bindings);
/* network_update.c: in the operation. What is wrong changes nothing. */
bool networks_update_ports(struct container *container, const struct record_map *added,
                           const struct record_map *removed, struct error *err);
/* The container was renamed. */
void networks_rename(struct container *container);

/* Published ports of the record with the lock held, as inspect and ps show them. */
json_t *networks_show_ports(const struct container_record *record);
json_t *networks_list_ports(const struct container_record *record);

/* network_files.c: /etc/hosts and /etc/resolv.conf of the container. */
bool networks_write_files(struct container *container, const struct record_map *endpoints, struct error *err);
/* The line of /etc/hosts that begins with this name gets another address, or goes with NULL. */
bool networks_move_host(struct container *container, const char *name, const char *address, struct error *err);
/* While it runs: an endpoint has gone (or NULL), one has come (or NULL), DNS is asked at 127.0.0.11 from now on. */
bool networks_change_files(struct container *container, const struct endpoint_settings *gone,
                           const struct endpoint_settings *come, bool gets_resolver, struct error *err);
