/* The flags of wherry-registry, which `wherry registry` has too. libc only. */
#pragma once

#include <stdint.h>

#include "base/options.h"
#include "distribution/ledger.h"

struct settings {
    char *data;
    struct strlist hosts; /* tcp://HOST:PORT or fd:// */
    char *certificate, *key, *client_ca;
    char *htpasswd;
    char *realm; /* of basic authentication */
    char *token_realm, *token_service, *token_issuer, *token_keys;
    bool is_read_only;
    bool allows_delete;
    struct quota quota;
    char *metrics; /* HOST:PORT; NULL: none */
    char *upstream, *upstream_user, *upstream_password_file;
    int64_t upstream_age;  /* nanoseconds for which a tag is not asked for again */
    int64_t upload_expiry; /* nanoseconds without use, as all that follow */
    int64_t collect_interval;
    int64_t collect_grace;
    bool collects_untagged;
    int64_t patience; /* how long a client may be silent within a request */
    char *log_level;
    bool wants_json;
};

/* The rows of `serve` and `gc`, for a struct settings. */
extern const struct option serve_rows[27];
extern const struct option collect_rows[3];
void settings_defaults(struct settings *settings);
void settings_release(struct settings *settings);
/* What no single flag can tell. ERROR_INVALID. */
bool settings_check(struct settings *settings, struct error *err);
