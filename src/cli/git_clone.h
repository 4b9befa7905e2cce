/* A git repository as a folder of this machine, for as long as it is needed: made by the git program with the user's
   own settings and keys. */
#pragma once

#include "base/error.h"

/* Of a build's argument: git@…, git://, ssh://, github.com/…, and http(s) where the path ends with ".git". */
bool is_git_url(const char *text);

struct git_clone;
/* "URL#ref:folder", both parts of the fragment optional. */
struct git_clone *git_clone_new(const char *url, struct error *err);
/* Within the clone; owned by it. */
const char *git_clone_folder(const struct git_clone *clone);
/* The folder goes with it; it also goes when this process ends in another way. */
void git_clone_free(struct git_clone *clone);
