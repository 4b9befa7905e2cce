/* The swarm's part of `wherry info`. */
#pragma once

#include <jansson.h>

void info_swarm_print(const json_t *swarm);
