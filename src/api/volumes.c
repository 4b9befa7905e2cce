/* GET /volumes. The engine has no verbs on volumes yet; those that containers have made are folders
   (engine/volumes.h). */
#include <dirent.h>
#include <sys/stat.h>

#include "api/request.h"
#include "api/respond.h"
#include "base/file.h"
#include "base/memory.h"

static json_t *describe(const char *root, const char *name)
{
    _cleanup_free_ char *path = xasprintf("%s/%s/_data", root, name);
    struct stat status;
    if (stat(path, &status) < 0)
        return NULL;
    char created[TIME_TEXT_SIZE];
    time_format((unix_nano)status.st_ctim.tv_sec * NANOSECONDS_PER_SECOND, created);
    return json_pack("{s:s, s:s, s:n, s:o, s:o, s:n, s:s}", "CreatedAt", created, "Driver", "local", "Labels",
                     "Mountpoint", json_text(path), "Name", json_text(name), "Options", "Scope", "local");
}

bool volumes_list(struct call *call, struct error *err)
{
    _cleanup_json_ json_t *filters = NULL;
    if (!query_filters(call, &filters, err))
        return error_prefix(err, "error reading volume filters");
    static const char *const known[] = {"dangling", "driver", "label", "name"};
    const char *key;
    json_t *value;
    json_object_foreach(filters, key, value)
    {
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
            is_known |= string_equal(known[i], key);
        if (!is_known)
            return error_set(err, ERROR_INVALID, "invalid filter '%s'", key);
    }
    if (json_object_size(filters) > 0)
        return error_set(err, ERROR_UNSUPPORTED, "filters of volumes are not supported by this version of Wherry");
    _cleanup_free_ char *root = path_join(engine_options(call->engine)->data_root, "volumes");
    json_t *list = json_array();
    DIR *folder = opendir(root);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        json_t *volume = entry->d_name[0] == '.' ? NULL : describe(root, entry->d_name);
        if (volume)
            json_array_append_new(list, volume);
    }
    if (folder)
        closedir(folder);
    return respond_json(call, 200, json_pack("{s:o, s:n}", "Volumes", list, "Warnings"));
}
