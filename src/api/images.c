/* Images that are here: list, inspect, history, tag, remove. */
#include "engine/images.h"
#include "api/platform.h"
#include "api/request.h"
#include "api/respond.h"
#include "base/memory.h"
#include "engine/events.h"
#include "store/image_json.h"

/* ?filter= of clients before 1.25 is a reference. Returns the filters as text (caller frees). */
static bool read_filters(const struct call *call, char **out, struct error *err)
{
    _cleanup_json_ json_t *filters = NULL;
    if (!query_filters(call, &filters, err))
        return false;
    const char *reference = call->version < 125 ? query_text(call, "filter") : NULL;
    if (string_is_set(reference)) {
        filters = filters ? filters : json_object();
        json_object_set_new(filters, "reference", json_pack("[o]", json_text(reference)));
    }
    *out = filters ? json_format(filters) : NULL;
    return true;
}

bool images_list(struct call *call, struct error *err)
{
    _cleanup_free_ char *filters = NULL;
    if (!read_filters(call, &filters, err))
        return false;
    struct image_list_options options = {
        .shows_all = query_bool(call, "all"),
        .wants_shared_size = call->version >= 142 && query_bool(call, "shared-size"),
        .filters = filters,
        .version = call->version,
    };
    json_t *list = image_list_json(engine_store(call->engine), &options, err);
    return list && respond_json(call, 200, list);
}

bool images_inspect(struct call *call, struct error *err)
{
    if (!platform_check_query(call, 149, call->target, err))
        return false;
    json_t *json = image_inspect_json(engine_store(call->engine), call->target, call->version, err);
    return json && respond_json(call, 200, json);
}

bool images_history(struct call *call, struct error *err)
{
    if (!platform_check_query(call, 148, call->target, err))
        return false;
    json_t *json = image_history_json(engine_store(call->engine), call->target, call->version, err);
    return json && respond_json(call, 200, json);
}

bool images_tag(struct call *call, struct error *err)
{
    const char *repository = query_text(call, "repo"), *tag = query_text(call, "tag");
    if (!image_tag(engine_store(call->engine), call->target, repository, string_is_set(tag) ? tag : NULL, err))
        return false;
    image_event_tag(call->engine, repository, tag);
    return respond_empty(call, 201);
}

static json_t *removals_json(const struct image_removal *removals, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            list, json_pack("{s:o}", removals[i].is_deletion ? "Deleted" : "Untagged", json_text(removals[i].what)));
    return list;
}

/* The platforms of a removal: each must be one that the image is for. */
static bool check_platforms(struct call *call, struct error *err)
{
    _cleanup_strlist_ struct strlist platforms = {0};
    if (call->version >= 150)
        http_query_all(call->exchange->query, "platforms", &platforms);
    for (size_t i = 0; i < platforms.count; i++)
        if (!platform_check_json(engine_store(call->engine), platforms.items[i], call->target, err))
            return false;
    return true;
}

bool images_remove(struct call *call, struct error *err)
{
    struct image_removal *removals = NULL;
    size_t count = 0;
    if (!check_platforms(call, err) || !engine_image_remove(call->engine, call->target, query_bool(call, "force"),
                                                            query_bool(call, "noprune"), &removals, &count, err))
        return false;
    json_t *list = removals_json(removals, count);
    image_removals_free(removals, count);
    return respond_json(call, 200, list);
}

bool images_prune(struct call *call, struct error *err)
{
    _cleanup_json_ json_t *filters = NULL;
    struct image_prune_report report = {0};
    if (!query_filters(call, &filters, err) || !engine_image_prune(call->engine, filters, &report, err))
        return false;
    json_t *list = report.count ? removals_json(report.removals, report.count) : json_null();
    image_removals_free(report.removals, report.count);
    return respond_json(call, 200,
                        json_pack("{s:o, s:I}", "ImagesDeleted", list, "SpaceReclaimed", (json_int_t)report.space));
}
