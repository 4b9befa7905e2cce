/* Limits and settings of one process or of its namespaces: rlimits, the OOM score, sysctls. Where the kernel denies a
   limit to us ourselves, the process goes on without it and the text of a warning is added to *warnings. */
#pragma once

#include "oci/runtime_config.h"

bool limits_set_rlimits(const struct record_list *rlimits, struct strlist *warnings, struct error *err);
bool limits_set_oom_score(int64_t adjustment, struct strlist *warnings, struct error *err);
/* Needs a writable /proc/sys below the current root. "net.ipv4.ip_forward" or "net/ipv4/ip_forward". */
bool limits_set_sysctls(const struct strmap *sysctls, struct error *err);
/* RLIMIT_NOFILE's number for "RLIMIT_NOFILE"; -1 for an unknown name. */
int rlimit_number(const char *name);
