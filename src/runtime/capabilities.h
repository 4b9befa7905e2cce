/* Capabilities as the kernel has them: five sets of bits. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/strbuf.h"
#include "oci/runtime_config.h"

struct capability_sets {
    uint64_t bounding, effective, permitted, inheritable, ambient;
};

/* What of `wanted` (may be NULL: none) the kernel and our own bounding set can give. Names that nobody knows and those
   we lack are left out; a text that names them, for a warning, is put in *dropped ("" where there are none). */
void capabilities_resolve(const struct oci_capabilities *wanted, struct capability_sets *out, struct strbuf *dropped);
/* The bounding set of a running process, as all but the ambient and inheritable sets of a further one. */
bool capabilities_of_process(pid_t pid, struct capability_sets *out, struct error *err);

/* Two steps around the change of user: the first limits the bounding set and asks to keep what is permitted. */
bool capabilities_limit(const struct capability_sets *sets, struct error *err);
bool capabilities_apply(const struct capability_sets *sets, struct error *err);
