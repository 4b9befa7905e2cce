#include <string.h>

#include "base/memory.h"
#include "registry/registry_internal.h"
#include "store/digest.h"

void fetched_manifest_release(struct fetched_manifest *manifest)
{
    strbuf_release(&manifest->body);
    free(manifest->media_type);
    free(manifest->digest);
    *manifest = (struct fetched_manifest){0};
}

static char *digest_of(const struct strbuf *text)
{
    struct digester *digester = digester_new();
    digester_add(digester, strbuf_text(text), text->length);
    char *digest = digester_finish(digester);
    digester_free(digester);
    return digest;
}

bool fetch_manifest(struct session *session, const char *what, struct fetched_manifest *out, struct error *err)
{
    static const char *const types[] = {MEDIA_TYPE_DOCKER_MANIFEST, MEDIA_TYPE_DOCKER_LIST, MEDIA_TYPE_OCI_MANIFEST,
                                        MEDIA_TYPE_OCI_INDEX};
    _cleanup_free_ char *url = session_url(session, "manifests/%s", what);
    struct transfer_request request = {.method = "GET", .url = url};
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        strlist_addf(&request.headers, "Accept: %s", types[i]);
    _cleanup_(transfer_closep) struct transfer *transfer = session_send(session, session->transport, &request, err);
    strlist_release(&request.headers);
    if (!transfer)
        return false;
    if (transfer_status(transfer) != 200)
        return session_refused(transfer, err);
    _cleanup_fetched_ struct fetched_manifest manifest = {0};
    if (!transfer_read_all(transfer, MAX_MANIFEST, &manifest.body, err))
        return false;
    manifest.digest = digest_of(&manifest.body);
    const char *told = transfer_header(transfer, "docker-content-digest");
    const char *expected = digest_is_valid(what) ? what : digest_is_valid(told) ? told : manifest.digest;
    if (strcmp(expected, manifest.digest) != 0)
        return error_set(err, ERROR_INTERNAL, "manifest verification failed for digest %s", expected);
    const char *type = string_or_empty(transfer_header(transfer, "content-type"));
    manifest.media_type = xstrndup(type, strcspn(type, "; "));
    *out = manifest;
    manifest = (struct fetched_manifest){0};
    return true;
}

bool fetch_blob(struct session *session, const struct descriptor *descriptor, size_t limit, struct strbuf *out,
                struct error *err)
{
    if (!digest_is_valid(descriptor->digest))
        return error_set(err, ERROR_INVALID, "unsupported digest \"%s\"", string_or_empty(descriptor->digest));
    _cleanup_free_ char *url = session_url(session, "blobs/%s", descriptor->digest);
    struct transfer_request request = {.method = "GET", .url = url};
    _cleanup_(transfer_closep) struct transfer *transfer = session_send(session, session->transport, &request, err);
    if (!transfer)
        return false;
    if (transfer_status(transfer) != 200)
        return session_refused(transfer, err);
    if (!transfer_read_all(transfer, limit, out, err))
        return false;
    _cleanup_free_ char *digest = digest_of(out);
    if (strcmp(digest, descriptor->digest) != 0)
        return error_set(err, ERROR_INTERNAL, "image config verification failed for digest %s", descriptor->digest);
    return true;
}

char *digest_short(const char *digest)
{
    const char *colon = strchr(digest, ':');
    return xasprintf("%.12s", colon ? colon + 1 : digest);
}
