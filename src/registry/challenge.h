/* WWW-Authenticate (RFC 7235): what a registry wants to be shown. */
#pragma once

#include "base/text.h"

struct challenge {
    char *scheme;             /* in lower case: "bearer", "basic" */
    struct strmap parameters; /* names in lower case: realm, service, scope, error */
};
struct challenge_list {
    struct challenge *items;
    size_t count;
};
void challenge_list_release(struct challenge_list *list);
#define _cleanup_challenges_ _cleanup_(challenge_list_release)

/* Several challenges may stand in one header, or in several that were joined with commas. What is malformed is left
   out, as Docker does. */
void challenges_parse(const char *header, struct challenge_list *out);
/* The first with that scheme, within the list; NULL where there is none. */
const struct challenge *challenge_find(const struct challenge_list *list, const char *scheme);
