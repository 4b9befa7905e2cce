/* The root file system of a container: made in its own mount namespace, entered, and hardened. */
#pragma once

#include "runtime/launch.h"

/* Takes this (new) mount namespace's mounts out of the host's reach, mounts the overlay, or root.path bound to itself,
   and returns an O_PATH descriptor of the root; -1 with err. */
int root_mount(const struct launch *launch, struct error *err);

/* A copy of an overlay that is only read, or of what is at `path` in it, attached nowhere: a descriptor, -1 with err.
   For a process in a mount namespace of its own, as it is mounted there for a moment. */
int root_open_layers(const struct strlist *lower, const char *path, struct error *err);

/* Leaves what programs look for in a container's root, where the image has none: /.dockerenv, and /etc/mtab. A root
   that cannot take them stays as it is. */
void root_mark(int root);
/* pivot_root to it; the host's mounts are gone afterwards. */
bool root_enter(int root, const char *propagation, struct error *err);
/* To be called inside: maskedPaths become empty, readonlyPaths and (with is_readonly) the root itself read-only. */
bool root_protect(const struct oci_linux *config, bool is_readonly, struct error *err);
