/* Git repositories as contexts and as sources of ADD, by the `git` program where it is installed. */
#pragma once

#include "build/internal.h"

/* "https://host/repository.git#ref:folder", "git://…", "git@host:…", "github.com/…"? */
bool git_is_url(const char *url);
/* Checks the ref out (HEAD where none is given) into a new context; with a folder, only what is in that. .git is
   removed unless `keeps_git`. */
bool git_fetch(struct build *build, const char *url, bool keeps_git, struct context *out, struct error *err);
