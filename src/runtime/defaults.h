/* What a Docker container gets when nobody asks for anything else (moby's oci/defaults.go and caps/defaults.go, as an
   engine of version 26.1 answers). Tables only, libc only. Every function adds to the list that it is given. */
#pragma once

#include "oci/runtime_config.h"

/* The fourteen capabilities, "CAP_CHOWN" first. */
void defaults_capabilities(struct strlist *capabilities);
/* Every capability this build knows the name of, by number ("CAP_CHOWN" first): --privileged and --cap-add ALL. The
   runtime leaves out what the kernel or our own bounding set lacks. */
void defaults_all_capabilities(struct strlist *capabilities);
/* The number of "CAP_CHOWN" (upper case, with the prefix), or -1. */
int capability_number(const char *name);

/* struct oci_mount: /proc, /dev, /dev/pts, /sys (ro), /sys/fs/cgroup (ro), /dev/mqueue, /dev/shm; shm_size in bytes. */
void defaults_mounts(struct record_list *mounts, int64_t shm_size);
void defaults_masked_paths(struct strlist *paths);
void defaults_readonly_paths(struct strlist *paths);
/* struct oci_device_rule: nothing, but the standard character devices, terminals, and making any device node. */
void defaults_device_rules(struct record_list *rules);
/* struct oci_namespace: mount, network, uts, pid, ipc; with_cgroup adds a private cgroup namespace (v2's default). */
void defaults_namespaces(struct record_list *namespaces, bool with_cgroup);
