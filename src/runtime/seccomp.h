/* Seccomp policies compiled to BPF with libseccomp, outside the start path: used by wherryd and wherry-runtime, never
   by the shim. The compiled filter of the default policy is cached in memory per set of capabilities. */
#pragma once

#include "base/record.h"

/* The default policy for a container with these capabilities ("CAP_…"): Docker's list of allowed system calls, with
   those that its capabilities open up. The bytes are the cache's: do not free. Thread-safe. */
bool seccomp_default_filter(const struct strlist *capabilities, struct bytes *out, struct error *err);
/* A policy in OCI's form (linux.seccomp) or Docker's (a profile file). The caller frees out->data. */
bool seccomp_compile(const char *json, const struct strlist *capabilities, struct bytes *out, struct error *err);
/* Loads a compiled filter into the calling thread; needs libc only (lives in seccomp_install.c). */
int seccomp_install(const struct bytes *filter);
