/* The Compose Specification's JSON schema, applied to a document. */
#pragma once

#include "compose/element.h"

/* Values that came from variables become the number or boolean that the schema asks for. Errors name the place:
   "compose.yaml:12: services.web.ports must be a list". */
bool schema_check(struct element *document, struct error *err);
