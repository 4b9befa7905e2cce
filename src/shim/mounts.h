/* Mounts of a container that runs, changed by a process that ends at once: of the engine's build, whatever shim the
   container has. */
#pragma once

#include "shim/protocol.h"

/* Carries a MOUNTS message out and answers it on SHIM_CHANNEL. */
bool mounts_change(struct message *message, struct error *err);
