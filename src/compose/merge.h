/* One document laid over another, by the Compose Specification's rules ("Merge"). Both in canonical form. */
#pragma once

#include "compose/element.h"

/* Takes `over`. `path` is where both stand ("" for documents, "services.web" for services). !reset removes, !override
   replaces. */
void element_merge(struct element *base, struct element *over, const char *path);
/* Removes what is tagged !reset and has nothing to reset. */
void element_drop_resets(struct element *node);
