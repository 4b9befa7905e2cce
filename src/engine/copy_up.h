/* Fills a new volume with what the image has at its mount point, as Docker does. The layers are merged here, by
   overlayfs's rules, so that nothing is mounted on the host. */
#pragma once

#include "base/error.h"
#include "base/text.h"

/* `layers`: folders, the topmost first. Copies files with owners, modes, times and extended attributes. A path that the
   image does not have leaves the volume empty. */
bool copy_up(const struct strlist *layers, const char *path, const char *destination, struct error *err);
