/* Image references (distribution/reference grammar) and digests. */
#pragma once

#include "base/error.h"

struct reference {
    char *domain;        /* "docker.io" */
    char *path;          /* "library/busybox" */
    char *tag;           /* "latest"; NULL where only a digest was given */
    char *digest;        /* "sha256:…" or NULL */
    bool is_tag_implied; /* the text had neither tag nor digest: `tag` is "latest" */
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
/* Parses a name that an image is to be given: `repository` may carry a tag, which `tag` (may be NULL or "") overrides;
   a digest is refused ("cannot import digest reference"), as is a bad tag ("invalid tag format"). */
bool reference_parse_name(const char *repository, const char *tag, struct reference *out, struct error *err);
bool tag_is_valid(const char *tag);
/* A repository's name within a registry: "library/busybox". */
bool repository_name_is_valid(const char *name);
/* "busybox" / "host:5000/a/b" without tag and digest. Caller frees. */
char *reference_familiar_name(const struct reference *reference);
/* "docker.io/library/busybox" without tag and digest. Caller frees. */
char *reference_full_name(const struct reference *reference);
/* 64 lower-case hex digits, the text of an image id without its algorithm? */
bool is_hex_id(const char *text);
/* "sha256:" and 64 lower-case hex digits? */
bool digest_is_valid(const char *text);
