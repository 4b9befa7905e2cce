/* A view of a container's files: its root with its volumes, and nothing else mounted. The process that makes it ends at
   once; the namespace lives as long as someone holds the two descriptors. */
#pragma once

#include "shim/protocol.h"

/* Carries a VIEW message out and answers it on SHIM_CHANNEL. */
bool view_make(struct message *message, struct error *err);
