/* YAML in and out. Alone knows libyaml. */
#pragma once

#include "compose/element.h"

/* One document of YAML 1.2 with anchors, aliases and merge keys ("<<"). An alias copies; what all aliases together make
   is limited, as is the depth, so a small file cannot become a large tree. `file` names it in messages and must live as
   long as the tree. An empty document gives an empty map. NULL with err (ERROR_INVALID, "file:line: …"). */
struct element *yaml_parse(const char *file, const char *text, size_t length, struct error *err);
/* JSON as block-style YAML, in the layout of Go's yaml.v3 with an indent of two. */
void yaml_write(const json_t *json, struct strbuf *out);
