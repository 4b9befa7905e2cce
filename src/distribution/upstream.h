/* A cache of another registry: what is asked for and not here yet is fetched there, checked, kept, and given on while
   it comes. Tags are looked up there again; where it does not answer, what is here counts. */
#pragma once

#include "distribution/call.h"

/* ERROR_INVALID for a URL with a path, and where the password's file cannot be read. */
struct upstream *upstream_new(const struct settings *settings, struct error *err);
void upstream_free(struct upstream *upstream);
/* What is being fetched at this point of CLOCK_MONOTONIC (nanoseconds) ends then. `upstream` may be NULL. */
void upstream_end_at(struct upstream *upstream, int64_t deadline);

/* ERROR_NOT_FOUND where neither has it. `reference` is a tag or a digest. */
bool upstream_manifest(struct distribution *distribution, const char *name, const char *reference,
                       struct manifest_entry *out, struct error *err);
/* Answers a GET or HEAD of a blob that is not here. */
void upstream_serve_blob(struct call *call);
/* The repository's tags as the upstream lists them: relays the answer. */
void upstream_serve_tags(struct call *call);
