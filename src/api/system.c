#include "api/host.h"
#include "api/platform.h"
#include "api/request.h"
#include "api/respond.h"
#include "api/version.h"
#include "base/memory.h"
#include "engine/prune.h"

bool system_ping(struct call *call, struct error *err)
{
    struct strmap *headers = &call->exchange->headers;
    /* 1: the classic builder. With 2 docker would speak BuildKit's protocol. */
    strmap_set(headers, "Builder-Version", "1");
    strmap_set(headers, "Cache-Control", "no-cache, no-store, must-revalidate");
    strmap_set(headers, "Pragma", "no-cache");
    strmap_set(headers, "Swarm", "inactive");
    bool is_head = string_equal(call->exchange->head.method, "HEAD");
    http_exchange_answer(call->exchange, 200, "text/plain; charset=utf-8", "OK", is_head ? 0 : 2);
    return true;
}

bool system_version(struct call *call, struct error *err)
{
    _cleanup_free_ char *kernel = host_kernel_version();
    const char *architecture = platform_architecture();
    json_t *details = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "ApiVersion", API_VERSION_TEXT, "Arch",
                                architecture, "BuildTime", "", "Experimental", "false", "GitCommit", "", "GoVersion",
                                "", "KernelVersion", kernel, "MinAPIVersion", API_MIN_VERSION_TEXT, "Os", "linux");
    json_t *components =
        json_pack("[{s:s, s:s, s:o}]", "Name", "Engine", "Version", WHERRY_VERSION, "Details", details);
    return respond_json(call, 200,
                        json_pack("{s:{s:s}, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "Platform", "Name",
                                  "Wherry", "Components", components, "Version", WHERRY_VERSION, "ApiVersion",
                                  API_VERSION_TEXT, "MinAPIVersion", API_MIN_VERSION_TEXT, "GitCommit", "", "GoVersion",
                                  "", "Os", "linux", "Arch", architecture, "KernelVersion", kernel, "BuildTime", ""));
}

/* This version has no plugins: the list is truly empty. */
bool system_plugins(struct call *call, struct error *err)
{
    static const char *const known[] = {"capability", "enabled", NULL};
    _cleanup_json_ json_t *filters = NULL;
    return query_filters(call, &filters, err) && filter_names_check(filters, known, err) &&
           respond_json(call, 200, json_array());
}
