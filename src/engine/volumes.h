/* The volumes of a container. */
#pragma once

#include "engine/container.h"

/* Gives the anonymous volumes among the mounts, or this one, their names. */
void volumes_name(struct container_record *record);
void volume_name(struct container_mount *mount);
/* Makes the volumes of the container's mounts that are not there yet, and fills empty ones from the image. The
   container is in the table already, so that nobody removes them again. */
bool volumes_prepare(struct container *container, struct error *err);
/* The same for one mount, in the operation. */
bool volume_prepare(struct container *container, struct container_mount *mount, struct error *err);
/* Removes the anonymous volumes that no other container uses. */
void volumes_remove_anonymous(struct container *container);

/* For a start, and after an exit: in the operation. Volumes that are mounted already, or not any more, stay so. */
bool volumes_mount(struct container *container, struct error *err);
void volumes_unmount(struct container *container);
/* The container went on running while the engine was away. */
void volumes_readopt(struct container *container);
