/* An OCI layout (image-spec image-layout.md): index.json names manifests or further indexes, in which the host's
   platform is chosen. A name is in the annotations: io.containerd.image.name is a whole reference; ref.name is one too
   where it has a ':' or '/', and else a bare tag, which names nothing by itself. */
#include <string.h>

#include "base/memory.h"
#include "oci/manifest.h"
#include "store/load_internal.h"
#include "json/json_record.h"

#define MAX_INDEX_DEPTH 4
#define MAX_LAYERS      1024

static bool read_blob(struct load *load, const struct descriptor *descriptor, struct strbuf *out, struct error *err)
{
    const char *digest = string_or_empty(descriptor->digest);
    if (!digest_is_valid(digest))
        return error_set(err, ERROR_INVALID, "unsupported digest \"%s\" in the archive's index", digest);
    _cleanup_free_ char *name = xasprintf("blobs/sha256/%s", digest_hex(digest));
    return spool_text(&load->spool, name, out, err) && text_has_digest(out, digest, name, err);
}

static bool read_manifest(struct load *load, const struct descriptor *descriptor, struct manifest *out,
                          struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    return read_blob(load, descriptor, &text, err) && record_parse(&manifest_type, text.data, text.length, out, err);
}

static bool add_layers(struct loaded_image *image, const struct manifest *manifest, struct error *err)
{
    if (manifest->layers.count != image->parsed.rootfs.diff_ids.count)
        return error_set(err, ERROR_INVALID, "invalid manifest, layers length mismatch: expected %zu, got %zu",
                         manifest->layers.count, image->parsed.rootfs.diff_ids.count);
    if (manifest->layers.count > MAX_LAYERS)
        return error_set(err, ERROR_TOO_LARGE, "the image has more than %d layers", MAX_LAYERS);
    for (size_t i = 0; i < manifest->layers.count; i++) {
        const struct descriptor *layer = RECORD_AT(manifest->layers, struct descriptor, i);
        if (!digest_is_valid(layer->digest))
            return error_set(err, ERROR_INVALID, "unsupported digest \"%s\" of a layer",
                             string_or_empty(layer->digest));
        strlist_addf(&image->layers, "blobs/sha256/%s", digest_hex(layer->digest));
        strlist_add(&image->blob_digests, layer->digest);
    }
    return true;
}

static bool add_manifest(struct load *load, const struct descriptor *descriptor, const char *tag, struct error *err)
{
    struct manifest manifest = {0};
    if (!read_manifest(load, descriptor, &manifest, err))
        return false;

    struct loaded_image *image = NULL;
    for (size_t i = 0; i < load->count && !image; i++) {
        _cleanup_free_ char *id = digest_text(strbuf_text(&load->images[i].config), load->images[i].config.length);
        if (string_equal(id, manifest.config.digest))
            image = &load->images[i];
    }
    bool is_done = true;
    if (!image) {
        image = APPEND(load->images, load->count);
        is_done = read_blob(load, &manifest.config, &image->config, err) && loaded_image_parse(image, err) &&
                  add_layers(image, &manifest, err);
    }
    if (is_done && tag && !strlist_contains(&image->tags, tag))
        strlist_add(&image->tags, tag);
    record_release(&manifest_type, &manifest);
    return is_done;
}

static bool add_descriptor(struct load *load, const struct descriptor *descriptor, const char *tag,
                           const struct platform *host, int depth, struct error *err)
{
    if (!media_type_is_index(descriptor->media_type))
        return add_manifest(load, descriptor, tag, err);
    if (depth >= MAX_INDEX_DEPTH)
        return error_set(err, ERROR_INVALID, "the archive's indexes are nested too deeply");
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    struct index index = {0};
    if (!read_blob(load, descriptor, &text, err) || !record_parse(&index_type, text.data, text.length, &index, err))
        return false;
    const struct descriptor *chosen = index_choose(&index, host);
    bool is_done = chosen ? add_descriptor(load, chosen, tag, host, depth + 1, err)
                          : error_set(err, ERROR_NOT_FOUND,
                                      "image %s was found but does not provide the specified platform (%s/%s)",
                                      tag ? tag : descriptor->digest, host->os, host->architecture);
    record_release(&index_type, &index);
    return is_done;
}

/* The reference that a descriptor of index.json carries; *tag is NULL where it has none. */
static bool read_name(const struct descriptor *descriptor, char **tag, struct error *err)
{
    const char *name = strmap_get(&descriptor->annotations, ANNOTATION_IMAGE_NAME);
    const char *ref_name = strmap_get(&descriptor->annotations, ANNOTATION_REF_NAME);
    if (!string_is_set(name) && ref_name && strpbrk(ref_name, ":/"))
        name = ref_name;
    if (!string_is_set(name))
        return true;
    _cleanup_reference_ struct reference reference = {0};
    if (!reference_parse(name, &reference, err))
        return false;
    if (reference.tag) {
        free(TAKE_PTR(reference.digest));
        *tag = reference_full(&reference);
    }
    return true;
}

static bool check_layout(struct load *load, struct error *err)
{
    if (!spool_contains(&load->spool, "oci-layout"))
        return true;
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!spool_text(&load->spool, "oci-layout", &text, err))
        return false;
    _cleanup_json_ json_t *json = json_parse(strbuf_text(&text), text.length, err);
    if (!json)
        return error_prefix(err, "oci-layout");
    const char *version = json_string_value(json_object_get(json, "imageLayoutVersion"));
    if (!version || !string_starts_with(version, "1."))
        return error_set(err, ERROR_UNSUPPORTED, "unsupported OCI image layout version \"%s\"",
                         string_or_empty(version));
    return true;
}

/* Of several unnamed or equally named manifests with platforms, only the host's is meant. */
static bool is_for_other_platform(const struct index *index, const struct descriptor *descriptor,
                                  const struct platform *host)
{
    return descriptor->platform && index->manifests.count > 1 && platform_match(host, descriptor->platform) == 0;
}

bool load_oci(struct load *load, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    struct index index = {0};
    if (!check_layout(load, err) || !spool_text(&load->spool, "index.json", &text, err) ||
        !record_parse(&index_type, strbuf_text(&text), text.length, &index, err))
        return false;
    struct platform host = {0};
    platform_host(&host);
    bool is_done = true;
    for (size_t i = 0; is_done && i < index.manifests.count; i++) {
        const struct descriptor *descriptor = RECORD_AT(index.manifests, struct descriptor, i);
        if (is_for_other_platform(&index, descriptor, &host))
            continue;
        _cleanup_free_ char *tag = NULL;
        is_done = read_name(descriptor, &tag, err) && add_descriptor(load, descriptor, tag, &host, 0, err);
    }
    if (is_done && load->count == 0)
        is_done =
            error_set(err, ERROR_INVALID, "the archive has no image for platform %s/%s", host.os, host.architecture);
    record_release(&platform_type, &host);
    record_release(&index_type, &index);
    return is_done;
}
