/* Contexts from afar. */
#pragma once

#include "build/internal.h"

/* A tarball, or a Dockerfile, behind a URL; or a git repository. */
bool remote_context(struct build *build, const char *url, struct context *out, struct error *err);
