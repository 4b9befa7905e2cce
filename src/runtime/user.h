/* Users and groups by name, by the rules of Docker (moby's sys/user GetExecUser) and in its words. */
#pragma once

#include <sys/types.h>

#include "runtime/launch.h"

struct resolved_user {
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* supplementary, with gid as the first; owned */
    size_t group_count;
    char *home; /* of the passwd entry, else "/"; owned */
};
void resolved_user_release(struct resolved_user *user);
#define _cleanup_resolved_user_ _cleanup_(resolved_user_release)

/* `passwd` and `group` are the two files' texts ("" where they are missing). Pure. */
bool user_resolve(const struct launch_user *wanted, const char *passwd, const char *group, struct resolved_user *out,
                  struct error *err);
/* With /etc/passwd and /etc/group of the current root. With wanted->user NULL, `numeric` decides and only the home
   folder is looked up (where wants_home). */
bool user_resolve_in_root(const struct launch_user *wanted, const struct oci_user *numeric, bool wants_home,
                          struct resolved_user *out, struct error *err);
