/* Beyond Docker: a container whose health check goes on failing is started again. The label wherry.restart-unhealthy
   says after how many failed checks in a row ("0": never); without it the engine's own --restart-unhealthy counts. */
#pragma once

#include "engine/container.h"

#define UNHEALTHY_LABEL "wherry.restart-unhealthy"

/* ERROR_INVALID where the label is no number. */
bool unhealthy_validate(const struct container_config *config, struct error *err);
/* Has the moment come? With the lock held. */
bool unhealthy_wants_restart(const struct container *container);
/* Ends the container as a stop would; its exit is followed by a start, after the delays of restart policies. */
void unhealthy_restart(struct container *container);
