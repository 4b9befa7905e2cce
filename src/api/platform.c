#include "api/platform.h"

#include <string.h>

#include "base/memory.h"
#include "oci/manifest.h"
#include "store/store.h"
#include "json/json_record.h"

const char *platform_architecture(void)
{
    static _Thread_local char name[32];
    struct platform host = {0};
    platform_host(&host);
    snprintf(name, sizeof(name), "%s", host.architecture);
    record_release(&platform_type, &host);
    return name;
}

bool query_platform(const char *text, struct platform *out, struct error *err)
{
    struct platform platform = {0};
    if (!record_parse(&platform_type, text, strlen(text), &platform, err))
        return error_prefix(err, "failed to parse platform");
    bool has_parts = string_is_set(platform.os) && string_is_set(platform.architecture);
    if (!has_parts) {
        bool has_any = string_is_set(platform.os) || string_is_set(platform.architecture) ||
                       string_is_set(platform.variant) || string_is_set(platform.os_version);
        record_release(&platform_type, &platform);
        return error_set(err, ERROR_INVALID, "%s",
                         has_any ? "both OS and Architecture must be provided" : "failed to parse platform: empty");
    }
    *out = platform;
    return true;
}

static bool check(struct store *store, const struct platform *platform, const char *reference, struct error *err)
{
    _cleanup_image_ struct image image = {0};
    return !string_is_set(reference) || !image_get(store, reference, &image, NULL) ||
           image_check_platform(&image, reference, platform, err);
}

bool platform_check_json(struct store *store, const char *text, const char *reference, struct error *err)
{
    struct platform platform = {0};
    if (!query_platform(text, &platform, err))
        return false;
    bool is_fitting = check(store, &platform, reference, err);
    record_release(&platform_type, &platform);
    return is_fitting;
}

bool platform_check_query(const struct call *call, int since, const char *reference, struct error *err)
{
    const char *text = call->version >= since ? strmap_get(&call->query, "platform") : NULL;
    return !string_is_set(text) || platform_check_json(engine_store(call->engine), text, reference, err);
}

bool platform_check(struct store *store, const char *text, const char *reference, struct error *err)
{
    struct platform platform = {0};
    if (!platform_parse(text, &platform, err))
        return false;
    bool is_fitting = check(store, &platform, reference, err);
    record_release(&platform_type, &platform);
    return is_fitting;
}
