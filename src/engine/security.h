/* Capabilities and --security-opt. */
#pragma once

#include "model/container.h"

struct security_options {
    bool no_new_privileges;
    bool is_seccomp_off;
    bool has_seccomp;            /* the user chose */
    const char *seccomp_profile; /* JSON text, within the host_config; NULL: the default policy */
    bool has_open_system_paths;
};

/* Refuses unknown capabilities and options, in Docker's words. */
bool security_check(const struct host_config *host, struct error *err);
bool security_parse(const struct host_config *host, struct security_options *out, struct error *err);
/* The capabilities of a container: "CAP_…", Docker's rules of ALL, add and drop. */
void security_capabilities(const struct host_config *host, struct strlist *out);
