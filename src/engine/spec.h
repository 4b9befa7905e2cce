/* From a container's record to what the shim carries out. */
#pragma once

#include "engine/networks.h"

/* Fills in a zeroed launch, joins the network, writes /etc/hosts and its like. On failure nothing of it is left but the
   files; on success the caller releases with spec_release and, if the start then fails, leaves the networks. The shown
   endpoints and ports are put in *networks (which replaces the record's under its lock once the container runs). */
bool spec_build(struct container *container, struct launch *launch, struct attachment_set *networks, struct error *err);
void spec_release(struct launch *launch);

/* The limits of a container as its cgroup takes them. */
void spec_resources(const struct host_config *host, struct oci_resources *resources);

/* spec_mounts.c: the mounts, devices and /etc files; shm comes from `ipc`. */
bool spec_add_mounts(struct container *container, struct launch *launch, const struct record_map *endpoints,
                     struct error *err);
/* Also there: what a view of the container's files needs, its root and perhaps what is mounted on that from outside.
   The launch is released with spec_release. */
bool spec_add_view(struct container *container, bool has_volumes, struct launch *launch, struct error *err);
/* And these mounts alone (of struct container_mount), for a container that runs: of struct oci_mount, in their order.
 */
bool spec_live_mounts(const struct store *store, const struct record_list *mounts, struct record_list *out,
                      struct error *err);
/* spec_devices.c */
bool spec_add_devices(const struct host_config *host, struct oci_linux *linux_, struct error *err);
/* spec_namespaces.c: and the sysctls that need one. */
bool spec_add_namespaces(struct container *container, struct launch *launch, struct error *err);

/* The default policy, none, or the user's. The caller frees out->data. `profile` is the engine's default: JSON or
   "unconfined"; NULL: built in. */
bool spec_seccomp(const struct host_config *host, const char *profile, const struct strlist *capabilities,
                  struct bytes *out, struct error *err);
/* Environment of a process: Docker's defaults, the links', then the config's. */
bool spec_environment(struct container *container, bool has_terminal, struct strlist *out, struct error *err);
