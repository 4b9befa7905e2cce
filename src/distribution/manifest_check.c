#include "distribution/manifest_check.h"

#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "json/json_record.h"
#include "json/json_writer.h"

#define MAX_CHILDREN 10000

/* A manifest or an index: whichever it is, it must not be both. */
struct document {
    int64_t schema_version;
    char *media_type;
    char *artifact_type;
    struct descriptor *config;
    struct record_list layers, manifests; /* of struct descriptor */
    struct descriptor *subject;
    struct strmap annotations;
};
#define FIELD(macro, name, member, flags) macro(struct document, name, member, flags)
static const struct field document_fields[] = {
    FIELD(FIELD_INT64, "schemaVersion", schema_version, CASE_EXACT),
    FIELD(FIELD_STRING, "mediaType", media_type, CASE_EXACT),
    FIELD(FIELD_STRING, "artifactType", artifact_type, CASE_EXACT),
    FIELD_OPT_RECORD(struct document, "config", config, CASE_EXACT, struct descriptor, &descriptor_type),
    FIELD_RECORDS(struct document, "layers", layers, CASE_EXACT, &descriptor_type),
    FIELD_RECORDS(struct document, "manifests", manifests, CASE_EXACT, &descriptor_type),
    FIELD_OPT_RECORD(struct document, "subject", subject, CASE_EXACT, struct descriptor, &descriptor_type),
    FIELD(FIELD_MAP, "annotations", annotations, CASE_EXACT),
};
#undef FIELD
static const struct record_type document_type = RECORD_TYPE("Manifest", struct document, document_fields);

void checked_manifest_release(struct checked_manifest *manifest)
{
    manifest_entry_release(&manifest->entry);
    strlist_release(&manifest->children);
    for (size_t i = 0; i < manifest->needed_count; i++)
        free(manifest->needed[i].digest);
    free(manifest->needed);
    *manifest = (struct checked_manifest){0};
}

/* "application/json; charset=utf-8" → "application/json". The caller frees; NULL for NULL. */
static char *bare_type(const char *text)
{
    return text ? xstrndup(text, strcspn(text, "; \t")) : NULL;
}

static bool is_image_type(const char *type)
{
    return string_equal(type, MEDIA_TYPE_OCI_MANIFEST) || string_equal(type, MEDIA_TYPE_DOCKER_MANIFEST);
}

static bool choose_type(const struct document *document, const char *content_type, char **out, struct error *err)
{
    _cleanup_free_ char *given = bare_type(content_type);
    const char *inside = string_is_set(document->media_type) ? document->media_type : NULL;
    const char *type = string_is_set(given) ? given : inside;
    if (!type)
        return error_set(err, ERROR_INVALID, "no Content-Type, and no mediaType in the manifest");
    if (inside && strcmp(inside, type) != 0)
        return error_set(err, ERROR_INVALID, "mediaType in manifest should be '%s' not '%s'", type, inside);
    if (!is_image_type(type) && !media_type_is_index(type))
        return error_set(err, ERROR_INVALID, "unsupported manifest media type: %s", type);
    if (document->schema_version != 2)
        return error_set(err, ERROR_INVALID, "unrecognized manifest schema version %lld",
                         (long long)document->schema_version);
    if (media_type_is_index(type) && (document->config || document->layers.items || !document->manifests.items))
        return error_set(err, ERROR_INVALID, "an index has manifests, and neither config nor layers");
    if (is_image_type(type) && (!document->config || document->manifests.items))
        return error_set(err, ERROR_INVALID, "an image manifest has a config, and no manifests");
    *out = xstrdup(type);
    return true;
}

static bool check_descriptor(const char *what, const struct descriptor *descriptor, struct error *err)
{
    if (!digest_is_valid(descriptor->digest))
        return error_set(err, ERROR_INVALID, "%s: invalid digest, or one of an unknown algorithm: '%s'", what,
                         string_or_empty(descriptor->digest));
    if (descriptor->size < 0)
        return error_set(err, ERROR_INVALID, "%s %s: negative size", what, descriptor->digest);
    return true;
}

/* Layers that are fetched from elsewhere need not be here (image-spec, layer.md "Non-Distributable Layers"). */
static bool is_foreign(const struct descriptor *descriptor)
{
    const char *type = string_or_empty(descriptor->media_type);
    return descriptor->urls.count > 0 || strstr(type, ".nondistributable.") || strstr(type, ".foreign.");
}

static bool add_child(struct checked_manifest *out, const char *what, const struct descriptor *descriptor,
                      bool may_be_manifest, struct error *err)
{
    if (!check_descriptor(what, descriptor, err))
        return false;
    if (out->children.count >= MAX_CHILDREN)
        return error_set(err, ERROR_INVALID, "more than %d references", MAX_CHILDREN);
    strlist_add(&out->children, descriptor->digest);
    if (!is_foreign(descriptor))
        *APPEND(out->needed, out->needed_count) =
            (struct manifest_child){xstrdup(descriptor->digest), descriptor->size, may_be_manifest};
    return true;
}

static bool add_children(struct checked_manifest *out, const struct document *document, struct error *err)
{
    if (document->config && !add_child(out, "config", document->config, false, err))
        return false;
    for (size_t i = 0; i < document->layers.count; i++)
        if (!add_child(out, "layer", RECORD_AT(document->layers, struct descriptor, i), false, err))
            return false;
    for (size_t i = 0; i < document->manifests.count; i++)
        if (!add_child(out, "manifest", RECORD_AT(document->manifests, struct descriptor, i), true, err))
            return false;
    return true;
}

/* What its subject's referrers tell of it (distribution-spec, "Listing Referrers"). */
static bool describe(struct checked_manifest *out, const struct document *document, struct error *err)
{
    struct manifest_entry *entry = &out->entry;
    if (string_is_set(document->artifact_type))
        entry->artifact_type = xstrdup(document->artifact_type);
    else if (document->config && string_is_set(document->config->media_type))
        entry->artifact_type = xstrdup(document->config->media_type);
    if (document->subject) {
        if (!check_descriptor("subject", document->subject, err))
            return false;
        entry->subject = xstrdup(document->subject->digest);
    }
    if (document->annotations.count > 0) {
        struct strbuf text = STRBUF_INIT;
        struct json_writer writer = {.out = &text};
        json_writer_map(&writer, NULL, &document->annotations);
        entry->annotations = strbuf_take(&text);
    }
    return true;
}

bool manifest_check(const char *content_type, const char *body, size_t length, struct checked_manifest *out,
                    struct error *err)
{
    struct document document = {0};
    _cleanup_checked_manifest_ struct checked_manifest checked = {0};
    if (memchr(body, '\0', length) || !record_parse(&document_type, body, length, &document, err)) {
        if (!err || err->kind == ERROR_NONE)
            error_set(err, ERROR_INVALID, "a NUL byte in the manifest");
        return false;
    }
    bool is_good = choose_type(&document, content_type, &checked.entry.media_type, err) &&
                   add_children(&checked, &document, err) && describe(&checked, &document, err);
    record_release(&document_type, &document);
    if (!is_good)
        return false;
    *out = checked;
    checked = (struct checked_manifest){0};
    return true;
}
