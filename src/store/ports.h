/* Ports as EXPOSE has them: "[[address:]host:]container[/protocol]", container being "80" or "80-90". */
#pragma once

#include "base/error.h"
#include "base/text.h"

/* Adds "80/tcp" for every container port; Docker's messages. */
bool exposed_ports_add(const char *spec, struct strlist *ports, struct error *err);
