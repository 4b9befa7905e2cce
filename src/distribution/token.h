/* Bearer tokens: JSON web tokens (RFC 7519) as Docker's token authentication has them, signed with RS256 or ES256. */
#pragma once

#include <stdint.h>

#include "base/error.h"

struct token_keys;
/* Certificates and public keys in PEM, or a JSON web key set (RFC 7517). */
struct token_keys *token_keys_open(const char *path, struct error *err);
void token_keys_free(struct token_keys *keys);

struct token_rules {
    const char *issuer, *service; /* iss and aud have to be these */
    int64_t now;                  /* seconds since 1970 */
};
/* Is the token good, and does it give all of these comma-separated actions on that resource? `type` NULL: good is
   enough. ERROR_UNAUTHORIZED: it is not good. ERROR_DENIED: it gives less. */
bool token_allows(const struct token_keys *keys, const struct token_rules *rules, const char *token, const char *type,
                  const char *name, const char *actions, struct error *err);
