/* Volumes as folders: <data-root>/volumes/<name>/_data. */
#pragma once

#include "engine/container.h"

/* Makes the volumes of the record's mounts (anonymous ones get a name), and fills new ones from the image. */
bool volumes_prepare(struct engine *engine, struct container_record *record, struct error *err);
/* Removes the anonymous volumes that no other container uses. */
void volumes_remove_anonymous(struct engine *engine, const struct container *container);
