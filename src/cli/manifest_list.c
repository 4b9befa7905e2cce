#include "cli/manifest_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/registry_auth.h"
#include "oci/manifest.h"
#include "json/json_record.h"

#define MAX_ENTRY ((size_t)16 << 20)

/* --- the store --- */

/* "host:5000/a/b:1" → "host-5000_a_b-1" */
static char *safe_name(const struct reference *reference)
{
    char *name = reference_full(reference);
    for (char *at = name; *at; at++)
        *at = (char)(*at == ':' ? '-' : *at == '/' ? '_' : *at);
    return name;
}

static char *list_folder(const struct command_call *call, const struct reference *list)
{
    _cleanup_free_ char *name = safe_name(list);
    return xasprintf("%s/manifests/%s", call->config_directory, name);
}

static json_t *read_entry(const char *folder, const char *name)
{
    _cleanup_free_ char *path = path_join(folder, name);
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, path, MAX_ENTRY, &text, NULL))
        return NULL;
    return json_parse(strbuf_text(&text), text.length, NULL);
}

json_t *manifest_list_entry(const struct command_call *call, const struct reference *list,
                            const struct reference *manifest)
{
    _cleanup_free_ char *folder = list_folder(call, list), *name = safe_name(manifest);
    return read_entry(folder, name);
}

json_t *manifest_list_read(const struct command_call *call, const struct reference *list)
{
    _cleanup_free_ char *folder = list_folder(call, list);
    DIR *stream = opendir(folder);
    if (!stream)
        return NULL;
    _cleanup_strlist_ struct strlist names = {0};
    for (struct dirent *entry; (entry = readdir(stream));)
        if (entry->d_name[0] != '.')
            strlist_add(&names, entry->d_name);
    closedir(stream);
    strlist_sort(&names);
    json_t *entries = json_array();
    for (size_t i = 0; i < names.count; i++) {
        json_t *entry = read_entry(folder, names.items[i]);
        if (entry)
            json_array_append_new(entries, entry);
    }
    return entries;
}

bool manifest_list_write(const struct command_call *call, const struct reference *list,
                         const struct reference *manifest, const json_t *entry, struct error *err)
{
    _cleanup_free_ char *folder = list_folder(call, list), *name = safe_name(manifest);
    _cleanup_free_ char *path = path_join(folder, name);
    _cleanup_free_ char *text = json_format(entry);
    return directory_make(folder, 0755, err) && file_replace(path, text, strlen(text), 0644, false, err);
}

bool manifest_list_remove(const struct command_call *call, const struct reference *list, struct error *err)
{
    _cleanup_free_ char *folder = list_folder(call, list), *familiar = reference_familiar(list);
    if (access(folder, F_OK) < 0)
        return error_set(err, ERROR_NOT_FOUND, "No such manifest: %s", familiar);
    return tree_remove(AT_FDCWD, folder, err);
}

/* --- registries, through the engine --- */

static json_t *ask(const struct command_call *call, const struct reference *reference, bool is_insecure,
                   struct error *err)
{
    _cleanup_strmap_ struct strmap headers = {0};
    _cleanup_free_ char *name = reference_full(reference);
    if (!registry_headers(call, reference->domain, &headers, err))
        return NULL;
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT, answer = STRBUF_INIT;
    strbuf_addf(&path, "/distribution/%s/manifest", name);
    client_query_add(&path, "insecure", is_insecure ? "1" : NULL);
    struct client_request request = {.method = "GET", .path = strbuf_text(&path), .headers = &headers};
    if (!client_request(call->client, &request, &answer, err))
        return NULL;
    return json_parse(strbuf_text(&answer), answer.length, err);
}

static json_t *entry_of(const json_t *answer, const char *name, const json_t *platform)
{
    const char *body = json_string_value(json_object_get(answer, "body"));
    size_t length = json_string_length(json_object_get(answer, "body"));
    const char *type = string_or_empty(json_string_value(json_object_get(answer, "mediaType")));
    _cleanup_free_ char *raw = base64_encode(string_or_empty(body), length);
    json_t *descriptor = json_object();
    json_object_set(descriptor, "mediaType", json_object_get(answer, "mediaType"));
    json_object_set(descriptor, "digest", json_object_get(answer, "digest"));
    json_object_set(descriptor, "size", json_object_get(answer, "size"));
    if (platform)
        json_object_set(descriptor, "platform", (json_t *)(uintptr_t)platform);
    json_t *entry = json_pack("{s:s, s:o, s:s}", "Ref", name, "Descriptor", descriptor, "Raw", raw);
    json_t *parsed = json_parse(string_or_empty(body), length, NULL);
    if (parsed)
        json_object_set_new(entry, strcmp(type, MEDIA_TYPE_OCI_MANIFEST) == 0 ? "OCIManifest" : "SchemaV2Manifest",
                            parsed);
    return entry;
}

static bool fetch_members(const struct command_call *call, const struct reference *reference, bool is_insecure,
                          const json_t *index, json_t *entries, struct error *err)
{
    size_t i;
    json_t *descriptor;
    json_array_foreach(json_object_get(index, "manifests"), i, descriptor)
    {
        const char *digest = string_or_empty(json_string_value(json_object_get(descriptor, "digest")));
        struct reference member = {
            .domain = reference->domain, .path = reference->path, .digest = (char *)(uintptr_t)digest};
        _cleanup_free_ char *name = reference_full(&member);
        _cleanup_json_ json_t *answer = ask(call, &member, is_insecure, err);
        if (!answer)
            return false;
        json_array_append_new(entries, entry_of(answer, name, json_object_get(descriptor, "platform")));
    }
    return true;
}

json_t *manifest_fetch(const struct command_call *call, const struct reference *reference, bool is_insecure,
                       bool *is_list, struct error *err)
{
    _cleanup_free_ char *name = reference_full(reference), *familiar = reference_familiar(reference);
    struct error why = ERROR_INIT;
    _cleanup_json_ json_t *answer = ask(call, reference, is_insecure, &why);
    if (!answer) {
        if (why.kind != ERROR_NOT_FOUND)
            return error_move(err, &why), NULL;
        error_release(&why);
        error_set(err, ERROR_NOT_FOUND, "no such manifest: %s", familiar);
        return NULL;
    }
    *is_list = media_type_is_index(json_string_value(json_object_get(answer, "mediaType")));
    json_t *entries = json_array();
    if (!*is_list) {
        json_array_append_new(entries, entry_of(answer, name, json_object_get(answer, "platform")));
        return entries;
    }
    const json_t *body = json_object_get(answer, "body");
    _cleanup_json_ json_t *index = json_parse(json_string_value(body), json_string_length(body), err);
    if (index && fetch_members(call, reference, is_insecure, index, entries, err))
        return entries;
    json_decref(entries);
    return NULL;
}

char *manifest_raw(const json_t *entry)
{
    const char *text = string_or_empty(json_string_value(json_object_get(entry, "Raw")));
    char *raw = xcalloc(strlen(text) + 1, 1);
    if (base64_decode(text, (uint8_t *)raw) < 0)
        *raw = '\0';
    return raw;
}

/* --- the list --- */

static void set_if_there(json_t *to, const json_t *from, const char *key)
{
    json_t *value = json_object_get(from, key);
    if (value)
        json_object_set(to, key, value);
}

char *manifest_list_text(const json_t *entries, struct error *err)
{
    _cleanup_json_ json_t *manifests = json_array();
    size_t i;
    json_t *entry;
    json_array_foreach(entries, i, entry)
    {
        const json_t *descriptor = json_object_get(entry, "Descriptor");
        const json_t *platform = json_object_get(descriptor, "platform");
        const char *os = json_string_value(json_object_get(platform, "os"));
        const char *architecture = json_string_value(json_object_get(platform, "architecture"));
        if (!string_is_set(os) || !string_is_set(architecture)) {
            error_set(err, ERROR_INVALID, "manifest %s must have an OS and Architecture to be pushed to a registry",
                      string_or_empty(json_string_value(json_object_get(entry, "Ref"))));
            return NULL;
        }
        json_t *shown = json_object(), *row = json_object();
        static const char *const keys[] = {"architecture", "os", "os.version", "os.features", "variant"};
        for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
            set_if_there(shown, platform, keys[k]);
        set_if_there(row, descriptor, "mediaType");
        set_if_there(row, descriptor, "size");
        set_if_there(row, descriptor, "digest");
        json_object_set_new(row, "platform", shown);
        json_array_append_new(manifests, row);
    }
    _cleanup_json_ json_t *list =
        json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType", MEDIA_TYPE_DOCKER_LIST, "manifests", manifests);
    return json_dumps(list, JSON_INDENT(3));
}
