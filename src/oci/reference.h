/* Image references (distribution/reference grammar) and digests. */
#pragma once

#include "base/error.h"

struct reference {
    char *domain;     /* "docker.io" */
    char *path;       /* "library/busybox" */
    char *tag;        /* "latest"; NULL where only a digest was given */
    char *digest;     /* "sha256:…" or NULL */
};
void reference_release(struct reference *reference);
#define _cleanup_reference_ _cleanup_(reference_release)
/* Parses and normalises: "busybox" is docker.io/library/busybox:latest. Docker's messages: "invalid reference format",
   "invalid reference format: repository name (library/Foo) must be lowercase", … */
bool reference_parse(const char *text, struct reference *out, struct error *err);
/* "busybox:latest", "host:5000/a/b:tag", with @digest where there is no tag. Caller frees. */
char *reference_familiar(const struct reference *reference);
/* "docker.io/library/busybox:latest". Caller frees. */
char *reference_full(const struct reference *reference);
/* "busybox" / "host:5000/a/b" without tag and digest. Caller frees. */
char *reference_familiar_name(const struct reference *reference);
/* "sha256:" and 64 lower-case hex digits? */
bool digest_is_valid(const char *text);
