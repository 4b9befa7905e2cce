/* What a registry says of a reference, without its layers. */
#include <string.h>

#include "base/memory.h"
#include "registry/registry_internal.h"
#include "json/json_record.h"

static json_t *platform_json(const struct platform *platform)
{
    return record_to_json(&platform_type, platform);
}

static json_t *index_platforms(const json_t *json, struct error *err)
{
    struct index index = {0};
    if (!record_from_json(&index_type, json, &index, err))
        return NULL;
    json_t *platforms = json_array();
    for (size_t i = 0; i < index.manifests.count; i++) {
        const struct descriptor *descriptor = RECORD_AT(index.manifests, struct descriptor, i);
        if (descriptor->platform)
            json_array_append_new(platforms, platform_json(descriptor->platform));
    }
    record_release(&index_type, &index);
    return platforms;
}

static json_t *config_platforms(struct session *session, const json_t *json, struct error *err)
{
    struct manifest manifest = {0};
    if (!record_from_json(&manifest_type, json, &manifest, err))
        return NULL;
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    json_t *platforms = NULL;
    struct platform platform = {0};
    if (fetch_blob(session, &manifest.config, MAX_CONFIG, &text, err) &&
        record_parse(&platform_type, strbuf_text(&text), text.length, &platform, err)) {
        platforms = json_array();
        if (string_is_set(platform.os) || string_is_set(platform.architecture))
            json_array_append_new(platforms, platform_json(&platform));
        record_release(&platform_type, &platform);
    }
    record_release(&manifest_type, &manifest);
    return platforms;
}

static struct session *open_and_fetch(struct registry *registry, const struct registry_call *call,
                                      const struct reference *reference, struct fetched_manifest *manifest,
                                      struct error *err)
{
    size_t start = 0;
    for (;;) {
        struct session *session = session_open(registry, call, reference->domain, reference->path, "pull", start, err);
        if (!session || fetch_manifest(session, reference->digest ? reference->digest : reference->tag, manifest, err))
            return session;
        bool is_mirror = session->is_mirror;
        start = session->position + 1;
        session_close(session);
        if (!is_mirror)
            return NULL;
    }
}

json_t *registry_inspect(struct registry *registry, const struct registry_call *call, const struct reference *reference,
                         struct error *err)
{
    _cleanup_fetched_ struct fetched_manifest manifest = {0};
    _cleanup_(session_closep) struct session *session = open_and_fetch(registry, call, reference, &manifest, err);
    if (!session)
        return NULL;
    _cleanup_json_ json_t *json = json_parse(strbuf_text(&manifest.body), manifest.body.length, err);
    if (!json)
        return NULL;
    json_t *platforms =
        media_type_is_index(manifest.media_type) ? index_platforms(json, err) : config_platforms(session, json, err);
    if (!platforms)
        return NULL;
    return json_pack("{s:{s:s, s:s, s:I}, s:o}", "Descriptor", "mediaType", manifest.media_type, "digest",
                     manifest.digest, "size", (json_int_t)manifest.body.length, "Platforms", platforms);
}

json_t *registry_manifest(struct registry *registry, const struct registry_call *call,
                          const struct reference *reference, struct error *err)
{
    _cleanup_fetched_ struct fetched_manifest manifest = {0};
    _cleanup_(session_closep) struct session *session = open_and_fetch(registry, call, reference, &manifest, err);
    if (!session)
        return NULL;
    json_t *body = json_stringn(strbuf_text(&manifest.body), manifest.body.length);
    if (!body) {
        error_set(err, ERROR_INVALID, "the manifest is no text");
        return NULL;
    }
    json_t *answer = json_pack("{s:s, s:s, s:I, s:o}", "mediaType", manifest.media_type, "digest", manifest.digest,
                               "size", (json_int_t)manifest.body.length, "body", body);
    _cleanup_json_ json_t *json = json_parse(strbuf_text(&manifest.body), manifest.body.length, NULL);
    struct error ignored = ERROR_INIT;
    json_t *platforms = media_type_is_index(manifest.media_type) ? NULL : config_platforms(session, json, &ignored);
    error_release(&ignored);
    if (json_array_size(platforms) > 0)
        json_object_set(answer, "platform", json_array_get(platforms, 0));
    json_decref(platforms);
    return answer;
}
