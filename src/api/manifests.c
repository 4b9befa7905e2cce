/* Manifests as registries have them, for `manifest`: routes of our own (docs/api.md), because the command line does not
   speak to registries itself. */
#include <poll.h>
#include <string.h>

#include "api/request.h"
#include "api/respond.h"
#include "base/memory.h"

static bool is_gone(void *context)
{
    const struct call *call = context;
    struct pollfd poller = {.fd = call->exchange->fd, .events = POLLRDHUP};
    return poll(&poller, 1, 0) > 0 && (poller.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

static bool begin(struct call *call, struct registry_auth *auth, struct registry_call *registry,
                  struct reference *reference, struct error *err)
{
    if (!reference_parse(call->target, reference, err) ||
        !registry_auth_parse(strmap_get(&call->exchange->head.headers, "x-registry-auth"), auth, err))
        return false;
    *registry = (struct registry_call){
        .auth = auth, .is_cancelled = is_gone, .context = call, .allows_insecure = query_bool(call, "insecure")};
    return true;
}

bool manifests_get(struct call *call, struct error *err)
{
    _cleanup_registry_auth_ struct registry_auth auth = {0};
    _cleanup_reference_ struct reference reference = {0};
    struct registry_call registry;
    if (!begin(call, &auth, &registry, &reference, err))
        return false;
    json_t *manifest = registry_manifest(engine_registry(call->engine), &registry, &reference, err);
    return manifest && respond_json(call, 200, manifest);
}

static bool read_mounts(const json_t *body, struct strmap *out, struct error *err)
{
    size_t i;
    json_t *mount;
    json_array_foreach(json_object_get(body, "mounts"), i, mount)
    {
        const char *digest = json_string_value(json_object_get(mount, "digest"));
        const char *from = json_string_value(json_object_get(mount, "from"));
        if (!digest_is_valid(digest) || !string_is_set(from))
            return error_set(err, ERROR_INVALID, "a mount needs a digest and the repository it is from");
        strmap_set(out, digest, from);
    }
    return true;
}

bool manifests_put(struct call *call, struct error *err)
{
    _cleanup_registry_auth_ struct registry_auth auth = {0};
    _cleanup_reference_ struct reference reference = {0};
    _cleanup_json_ json_t *body = NULL;
    _cleanup_strmap_ struct strmap mounts = {0};
    _cleanup_free_ char *digest = NULL;
    struct registry_call registry;
    if (!begin(call, &auth, &registry, &reference, err) || !request_json(call, false, &body, err) ||
        !read_mounts(body, &mounts, err))
        return false;
    const char *type = json_string_value(json_object_get(body, "mediaType"));
    const json_t *text = json_object_get(body, "body");
    if (!string_is_set(type) || strpbrk(type, "\r\n") || !json_is_string(text))
        return error_set(err, ERROR_INVALID, "mediaType and body are needed");
    if (!registry_put_manifest(engine_registry(call->engine), &registry, &reference, type, json_string_value(text),
                               json_string_length(text), &mounts, &digest, err))
        return false;
    return respond_json(call, 201, json_pack("{s:s}", "Digest", digest));
}
