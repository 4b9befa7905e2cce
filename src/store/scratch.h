/* Folders of a build below <data-root>/tmp, which the store empties at its start. */
#pragma once

#include "store/store.h"

/* A new one, mode 0755 (tmp itself is closed to others); its name within tmp. Caller frees; NULL with err. */
char *scratch_make(struct store *store, const char *kind, struct error *err);
/* Its absolute path; `name` may have a path in it ("step-7/upper"). Caller frees. */
char *scratch_path(struct store *store, const char *name);
void scratch_remove(struct store *store, const char *name);
/* A folder in it (NULL: itself) with this very mode, whatever the umask. */
bool scratch_folder(struct store *store, const char *name, const char *folder, mode_t mode, struct error *err);
