/* `--change` of import and commit: Dockerfile instructions that alter a configuration. */
#pragma once

#include "oci/image_config.h"

/* Applies the instructions, which may have several lines each, in order: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK,
   LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR; any other is refused with "<NAME> is not a valid change command",
   as Docker does. Variables are those of config->env. On failure *config may be half-changed: it is the caller's copy.
 */
bool changes_apply(const struct strlist *changes, struct container_config *config, struct error *err);
