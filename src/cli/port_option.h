/* -p and --expose. */
#pragma once

#include "base/record.h"
#include "model/container.h"

/* "[[ip:]host:]container[/protocol]" with ranges, or "published=…,target=…,protocol=…"; adds to both. */
bool port_publish_parse(const char *value, struct strlist *exposed, struct record_map *bindings, struct error *err);
/* "80", "80-90/udp". */
bool port_expose_parse(const char *value, struct strlist *exposed, struct error *err);
