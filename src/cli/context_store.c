#include "cli/context_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "cli/natural.h"
#include "json/json_record.h"

#define ENDPOINT "docker"

static const char *const tls_names[] = {"ca.pem", "cert.pem", "key.pem"};

static int compare_names(const void *left, const void *right)
{
    return natural_compare(*(const char *const *)left, *(const char *const *)right);
}

char *context_folder(const char *directory, const char *kind, const char *name)
{
    char hash[SHA256_HEX_SIZE];
    sha256_hex(name, strlen(name), hash);
    return xasprintf("%s/contexts/%s/%s", directory, kind, hash);
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool context_check_name(const char *name, struct error *err)
{
    if (!*name)
        return error_set(err, ERROR_INVALID, "context name cannot be empty");
    if (string_equal(name, CONTEXT_DEFAULT))
        return error_set(err, ERROR_INVALID, "\"default\" is a reserved context name");
    bool is_good = is_letter_or_digit(name[0]) && name[1];
    for (const char *at = name + 1; is_good && *at; at++)
        is_good = is_letter_or_digit(*at) || strchr("_.+-", *at);
    return is_good || error_set(err, ERROR_INVALID,
                                "context name \"%s\" is invalid, names are validated against regexp "
                                "\"^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$\"",
                                name);
}

bool context_exists(const char *directory, const char *name)
{
    _cleanup_free_ char *folder = context_folder(directory, "meta", name), *path = path_join(folder, "meta.json");
    return access(path, F_OK) == 0;
}

static json_t *read_meta(const char *path, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, path, CONTEXT_FILE_LIMIT, &text, err))
        return NULL;
    json_t *meta = json_parse(strbuf_text(&text), text.length, err);
    if (!meta)
        error_prefix(err, "parsing %s", path);
    return meta;
}

json_t *context_read(const char *directory, const char *name, struct error *err)
{
    _cleanup_free_ char *folder = context_folder(directory, "meta", name), *path = path_join(folder, "meta.json");
    if (access(path, F_OK) < 0) {
        error_set(err, ERROR_NOT_FOUND, "context \"%s\": context not found: open %s: no such file or directory", name,
                  path);
        return NULL;
    }
    return read_meta(path, err);
}

bool context_write(const char *directory, const json_t *context, struct error *err)
{
    const char *name = json_string_value(json_object_get(context, "Name"));
    _cleanup_free_ char *folder = context_folder(directory, "meta", name), *path = path_join(folder, "meta.json"),
                        *text = json_format(context);
    return directory_make(folder, 0755, err) && file_replace(path, text, strlen(text), 0644, false, err);
}

bool context_remove(const char *directory, const char *name, struct error *err)
{
    _cleanup_free_ char *meta = context_folder(directory, "meta", name), *tls = context_folder(directory, "tls", name);
    return tree_remove(AT_FDCWD, tls, err) && tree_remove(AT_FDCWD, meta, err);
}

struct strlist context_names(const char *directory)
{
    struct strlist names = {0};
    strlist_give(&names);
    _cleanup_free_ char *root = xasprintf("%s/contexts/meta", directory);
    DIR *folder = opendir(root);
    if (!folder)
        return names;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        _cleanup_free_ char *path = xasprintf("%s/%s/meta.json", root, entry->d_name);
        _cleanup_json_ json_t *meta = read_meta(path, NULL);
        const char *name = json_string_value(json_object_get(meta, "Name"));
        if (name)
            strlist_add(&names, name);
    }
    closedir(folder);
    qsort(names.items, names.count, sizeof(*names.items), compare_names);
    return names;
}

json_t *context_tls_files(const char *directory, const char *name)
{
    json_t *files = json_object();
    _cleanup_free_ char *folder = context_folder(directory, "tls", name), *path = path_join(folder, ENDPOINT);
    for (size_t i = 0; i < ARRAY_SIZE(tls_names); i++) {
        _cleanup_free_ char *file = path_join(path, tls_names[i]);
        if (access(file, F_OK) < 0)
            continue;
        if (!json_object_get(files, ENDPOINT))
            json_object_set_new(files, ENDPOINT, json_array());
        json_array_append_new(json_object_get(files, ENDPOINT), json_string(tls_names[i]));
    }
    return files;
}

bool context_write_tls_file(const char *directory, const char *name, const char *endpoint, const char *file,
                            const void *data, size_t length, struct error *err)
{
    _cleanup_free_ char *folder = context_folder(directory, "tls", name), *below = path_join(folder, endpoint),
                        *path = path_join(below, file);
    return directory_make(below, 0700, err) && file_replace(path, data, length, 0600, false, err);
}

bool context_write_tls(const char *directory, const char *name, const struct client_tls *files, struct error *err)
{
    const char *paths[] = {files ? files->authority : NULL, files ? files->certificate : NULL,
                           files ? files->key : NULL};
    struct strbuf texts[ARRAY_SIZE(paths)] = {0};
    bool is_good = true;
    for (size_t i = 0; is_good && i < ARRAY_SIZE(paths); i++)
        is_good = !string_is_set(paths[i]) || file_read(AT_FDCWD, paths[i], CONTEXT_FILE_LIMIT, &texts[i], err);
    _cleanup_free_ char *folder = context_folder(directory, "tls", name);
    is_good = is_good && tree_remove(AT_FDCWD, folder, err);
    for (size_t i = 0; is_good && i < ARRAY_SIZE(paths); i++)
        is_good = !string_is_set(paths[i]) || context_write_tls_file(directory, name, ENDPOINT, tls_names[i],
                                                                     strbuf_text(&texts[i]), texts[i].length, err);
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        strbuf_release(&texts[i]);
    return is_good;
}

bool context_tls(const char *directory, const char *name, struct client_tls *out)
{
    _cleanup_free_ char *folder = context_folder(directory, "tls", name);
    char **places[] = {&out->authority, &out->certificate, &out->key};
    bool has_any = false;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        _cleanup_free_ char *path = xasprintf("%s/" ENDPOINT "/%s", folder, tls_names[i]);
        if (access(path, F_OK) < 0)
            continue;
        *places[i] = TAKE_PTR(path);
        has_any = true;
    }
    return has_any;
}

const char *context_host(const json_t *context)
{
    const json_t *endpoint = json_object_get(json_object_get(context, "Endpoints"), ENDPOINT);
    return string_or_empty(json_string_value(json_object_get(endpoint, "Host")));
}

const char *context_description(const json_t *context)
{
    return string_or_empty(json_string_value(json_object_get(json_object_get(context, "Metadata"), "Description")));
}
