/* One document laid over another, by the Compose Specification's rules ("Merge"). Both in canonical form. */
#pragma once

#include "compose/node.h"

/* Takes `over`. `path` is where both stand ("" for documents, "services.web" for services). !reset removes, !override
   replaces. */
void node_merge(struct node *base, struct node *over, const char *path);
/* Removes what is tagged !reset and has nothing to reset. */
void node_drop_resets(struct node *node);
