/* What a manifest that is pushed has to be (OCI image-spec 1.1; Docker's schema 2 has the same form). No I/O. */
#pragma once

#include "distribution/ledger.h"

/* Something that a manifest refers to, and that has to be there. */
struct manifest_child {
    char *digest;
    int64_t size;
    bool may_be_manifest; /* of an index: a manifest, or a blob */
};

struct checked_manifest {
    struct manifest_entry entry; /* without its body and digest */
    struct strlist children;     /* digests */
    struct manifest_child *needed;
    size_t needed_count;
};
void checked_manifest_release(struct checked_manifest *manifest);
#define _cleanup_checked_manifest_ _cleanup_(checked_manifest_release)

/* `content_type`: the request's, or NULL. ERROR_INVALID says what is wrong. */
bool manifest_check(const char *content_type, const char *body, size_t length, struct checked_manifest *out,
                    struct error *err);
