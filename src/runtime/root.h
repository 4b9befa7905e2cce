/* The root file system of a container: made in its own mount namespace, entered, and hardened. */
#pragma once

#include "runtime/launch.h"

/* Takes this (new) mount namespace's mounts out of the host's reach, mounts the overlay, or root.path bound to itself,
   and returns an O_PATH descriptor of the root; -1 with err. */
int root_mount(const struct launch *launch, struct error *err);
/* Mounts an overlay at `target`; without `upper` nobody can write to it. */
bool root_mount_overlay(const struct launch_overlay *overlay, const char *target, struct error *err);

/* Leaves what programs look for in a container's root, where the image has none: /.dockerenv, and /etc/mtab. A root
   that cannot take them stays as it is. */
void root_mark(int root);
/* pivot_root to it; the host's mounts are gone afterwards. */
bool root_enter(int root, const char *propagation, struct error *err);
/* To be called inside: maskedPaths become empty, readonlyPaths and (with is_readonly) the root itself read-only. */
bool root_protect(const struct oci_linux *config, bool is_readonly, struct error *err);
