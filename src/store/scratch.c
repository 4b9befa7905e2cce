#include "store/scratch.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/internal.h"

char *scratch_path(struct store *store, const char *name)
{
    return xasprintf("%s/tmp/%s", store->data_root, name);
}

bool scratch_folder(struct store *store, const char *name, const char *folder, mode_t mode, struct error *err)
{
    _cleanup_free_ char *path = folder ? path_join(name, folder) : xstrdup(name);
    if (mkdirat(store->temporary, path, mode) < 0 || fchmodat(store->temporary, path, mode, 0) < 0)
        return error_errno(err, "mkdir %s/tmp/%s", store->data_root, path);
    return true;
}

char *scratch_make(struct store *store, const char *kind, struct error *err)
{
    _cleanup_free_ char *name = store_temporary_name(store, kind);
    return scratch_folder(store, name, NULL, 0755, err) ? TAKE_PTR(name) : NULL;
}

void scratch_remove(struct store *store, const char *name)
{
    tree_remove(store->temporary, name, NULL);
}
