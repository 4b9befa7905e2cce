/* The PORTS column: what is published where, with neighbouring ports shown as a range. */
#pragma once

#include <jansson.h>

/* From the "Ports" of a container in a list: "0.0.0.0:8080->80/tcp, 9000-9002/tcp". The caller frees. */
char *ports_text(const json_t *ports);
