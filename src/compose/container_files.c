#include <string.h>

#include "archive/tar_writer.h"
#include "base/memory.h"
#include "compose/container_request.h"

static bool add_bytes(void *context, const void *data, size_t length)
{
    return strbuf_add(context, data, length);
}

static bool add_file(const struct project *project, struct tar_writer *tar, const json_t *grant, const json_t *object,
                     const char *folder, struct error *err)
{
    const char *variable = json_string_value(json_object_get(object, "environment")),
               *content = json_string_value(json_object_get(object, "content")),
               *source = json_string_value(json_object_get(grant, "source")),
               *target = json_string_value(json_object_get(grant, "target"));
    if (variable)
        content = strmap_get(&project->environment, variable);
    if (variable && !content)
        return error_set(err, ERROR_INVALID, "environment variable \"%s\" required by %s \"%s\" is not set", variable,
                         string_starts_with(folder, "run") ? "secret" : "config", source);
    if (!content)
        return true;
    _cleanup_free_ char *path =
        !target ? xasprintf("%s%s", folder, source) : xstrdup(*target == '/' ? target + 1 : target);
    if (target && *target != '/') {
        free(path);
        path = xasprintf("%s%s", folder, target);
    }
    const json_t *mode = json_object_get(grant, "mode");
    struct tar_entry entry = {.name = path,
                              .type = TAR_FILE,
                              .mode = mode ? (unsigned)json_integer_value(mode) : 0444,
                              .size = (int64_t)strlen(content)};
    const char *uid = json_string_value(json_object_get(grant, "uid")),
               *gid = json_string_value(json_object_get(grant, "gid"));
    entry.uid = uid ? strtoll(uid, NULL, 10) : 0;
    entry.gid = gid ? strtoll(gid, NULL, 10) : 0;
    return tar_writer_entry(tar, &entry, err) && tar_writer_data(tar, content, strlen(content), err);
}

bool container_files(const struct project *project, const json_t *service, struct strbuf *tar, struct error *err)
{
    static const char *const kinds[][2] = {{"secrets", "run/secrets/"}, {"configs", ""}};
    struct tar_writer writer = {.write = add_bytes, .context = tar};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const json_t *objects = json_object_get(project->model, kinds[i][0]);
        size_t j;
        json_t *grant;
        json_array_foreach(json_object_get(service, kinds[i][0]), j, grant)
        {
            const json_t *object =
                json_object_get(objects, string_or_empty(json_string_value(json_object_get(grant, "source"))));
            if (!add_file(project, &writer, grant, object, kinds[i][1], err))
                return false;
        }
    }
    return tar->length == 0 || tar_writer_finish(&writer, err);
}
