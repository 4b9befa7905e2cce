/* The options of an OCI mount, sorted into what each part of the kernel's mount interface wants. Pure. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

struct mount_options {
    uint64_t set, clear;                     /* MOUNT_ATTR_… */
    uint64_t recursive_set, recursive_clear; /* the same for "rro" and its kin: with every mount below */
    unsigned long propagation; /* MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE, 0: as it is; perhaps MS_REC */
    bool is_bind, is_recursive_bind;
    struct strlist data; /* options of the file system itself: "size=65536k", "sync" */
};
void mount_options_release(struct mount_options *options);
#define _cleanup_mount_options_ _cleanup_(mount_options_release)

bool mount_options_parse(const struct strlist *texts, struct mount_options *out, struct error *err);
/* The value of "name=…" among the file system's own options, or NULL. */
const char *mount_options_data(const struct mount_options *options, const char *name);
/* The propagation of "rslave", "private", … with MS_REC; false for anything else. */
bool propagation_parse(const char *text, unsigned long *out);
