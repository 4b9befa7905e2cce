#include <string.h>

#include "base/memory.h"
#include "cli/manifest_list.h"
#include "cli/registry_auth.h"
#include "oci/manifest.h"
#include "json/json_record.h"

struct push_options {
    bool is_insecure, removes_list;
};

/* Puts a manifest under `target`; `mounts` are its blobs, which the repository `from` has. */
static char *put(struct command_call *call, const struct reference *target, const char *media_type, const char *body,
                 json_t *mounts, struct error *err)
{
    const struct push_options *options = call->values;
    _cleanup_json_ json_t *request_body =
        json_pack("{s:s, s:s, s:o}", "mediaType", media_type, "body", body, "mounts", mounts);
    _cleanup_free_ char *name = reference_full(target), *text = json_format(request_body);
    _cleanup_strmap_ struct strmap headers = {0};
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT, answer = STRBUF_INIT;
    if (!registry_headers(call, target->domain, &headers, err))
        return NULL;
    strbuf_addf(&path, "/distribution/%s/manifest", name);
    client_query_add(&path, "insecure", options->is_insecure ? "1" : NULL);
    struct client_request request = {
        .method = "POST", .path = strbuf_text(&path), .headers = &headers, .data = text, .length = strlen(text)};
    if (!client_request(call->client, &request, &answer, err))
        return NULL;
    _cleanup_json_ json_t *json = json_parse(strbuf_text(&answer), answer.length, err);
    return json ? xstrdup(string_or_empty(json_string_value(json_object_get(json, "Digest")))) : NULL;
}

static json_t *blobs_of(const char *raw, const char *from)
{
    _cleanup_json_ json_t *manifest = json_parse(raw, strlen(raw), NULL);
    json_t *mounts = json_array();
    size_t i;
    json_t *layer;
    json_t *config = json_object_get(json_object_get(manifest, "config"), "digest");
    if (config)
        json_array_append_new(mounts, json_pack("{s:s, s:O}", "from", from, "digest", config));
    json_array_foreach(json_object_get(manifest, "layers"), i, layer)
    {
        json_t *digest = json_object_get(layer, "digest");
        if (digest)
            json_array_append_new(mounts, json_pack("{s:s, s:O}", "from", from, "digest", digest));
    }
    return mounts;
}

/* A manifest of another repository comes into the list's own, with its blobs. */
static bool push_member(struct command_call *call, const struct reference *list, const json_t *entry, struct error *err)
{
    const char *text = string_or_empty(json_string_value(json_object_get(entry, "Ref")));
    const json_t *descriptor = json_object_get(entry, "Descriptor");
    const char *digest = string_or_empty(json_string_value(json_object_get(descriptor, "digest")));
    const char *type = string_or_empty(json_string_value(json_object_get(descriptor, "mediaType")));
    _cleanup_reference_ struct reference source = {0};
    if (!reference_parse(text, &source, err))
        return false;
    if (strcmp(source.domain, list->domain) != 0)
        return error_set(err, ERROR_INVALID,
                         "cannot use source images from a different registry than the target image: %s != %s",
                         source.domain, list->domain);
    if (strcmp(source.path, list->path) == 0)
        return true;
    struct reference target = {.domain = list->domain, .path = list->path, .digest = (char *)(uintptr_t)digest};
    _cleanup_free_ char *raw = manifest_raw(entry), *name = reference_full(&target);
    _cleanup_free_ char *pushed = put(call, &target, type, raw, blobs_of(raw, source.path), err);
    if (pushed)
        printf("Pushed ref %s with digest: %s\n", name, pushed);
    return pushed != NULL;
}

static bool manifest_push_run(struct command_call *call, struct error *err)
{
    const struct push_options *options = call->values;
    _cleanup_reference_ struct reference list = {0};
    if (!reference_parse(call->arguments[0], &list, err))
        return false;
    _cleanup_json_ json_t *entries = manifest_list_read(call, &list);
    if (!entries)
        return error_set(err, ERROR_NOT_FOUND, "No such manifest: %s", call->arguments[0]);
    if (json_array_size(entries) == 0)
        return error_set(err, ERROR_NOT_FOUND, "%s not found", call->arguments[0]);
    _cleanup_free_ char *text = manifest_list_text(entries, err);
    if (!text)
        return false;
    size_t i;
    json_t *entry;
    json_array_foreach(entries, i, entry) if (!push_member(call, &list, entry, err)) return false;
    _cleanup_free_ char *digest = put(call, &list, MEDIA_TYPE_DOCKER_LIST, text, json_array(), err);
    if (!digest)
        return false;
    puts(digest);
    return !options->removes_list || manifest_list_remove(call, &list, err);
}

#define AT(member) offsetof(struct push_options, member)
static const struct option rows[] = {
    {"insecure", 0, OPTION_BOOL, AT(is_insecure), NULL, "Allow push to an insecure registry"},
    {"purge", 'p', OPTION_BOOL, AT(removes_list), NULL, "Remove the local manifest list after push"},
};

const struct command manifest_push_command = {
    .paths = {"manifest push"},
    .usage = "[OPTIONS] MANIFEST_LIST",
    .help = "Push a manifest list to a repository",
    .long_help = "Push a manifest list to a repository" EXPERIMENTAL_HELP_OF("push"),
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct push_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = manifest_push_run,
};
