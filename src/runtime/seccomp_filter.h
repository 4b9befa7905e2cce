/* A filter under construction: libseccomp, and what it lacks. */
#pragma once

#include <seccomp.h>

#include "base/error.h"
#include "base/record.h"

struct seccomp_filter {
    scmp_filter_ctx context;
    uint32_t default_action;
    int last_number; /* the highest native number that a rule names */
};

bool seccomp_filter_init(struct seccomp_filter *filter, uint32_t default_action, struct error *err);
void seccomp_filter_release(struct seccomp_filter *filter);
/* The native architecture and those whose programs it runs as well. */
bool seccomp_filter_add_default_arches(struct seccomp_filter *filter, struct error *err);
/* "SCMP_ARCH_X86". One that this libseccomp does not know is an error. */
bool seccomp_filter_add_arch(struct seccomp_filter *filter, const char *name, struct error *err);
/* A name that no architecture knows is passed over, as in runc: profiles name calls of newer kernels. */
bool seccomp_filter_add(struct seccomp_filter *filter, const char *name, uint32_t action,
                        const struct scmp_arg_cmp *arguments, unsigned count, struct error *err);
/* The BPF program. Where the default is EPERM, calls that are newer than all that the filter names fail with ENOSYS
   instead, as runc has it, because libc falls back on that alone. The caller frees out->data. */
bool seccomp_filter_export(struct seccomp_filter *filter, struct bytes *out, struct error *err);
