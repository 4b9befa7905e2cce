/* Images that are here: list, inspect, history, tag, remove. */
#include "api/request.h"
#include "api/respond.h"
#include "base/memory.h"
#include "engine/containers.h"
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
    json_t *json = image_inspect_json(engine_store(call->engine), call->target, call->version, err);
    return json && respond_json(call, 200, json);
}

bool images_history(struct call *call, struct error *err)
{
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

/* The image_user_function: a running container before one that is not. */
static char *find_user(void *context, const char *image_id, bool *is_running)
{
    struct call *call = context;
    struct list_options options = {.is_all = true};
    _cleanup_json_ json_t *containers = container_list(call->engine, &options, call->version, NULL);
    char *user = NULL;
    size_t i;
    json_t *container;
    *is_running = false;
    json_array_foreach(containers, i, container)
    {
        if (!string_equal(json_string_value(json_object_get(container, "ImageID")), image_id))
            continue;
        const char *state = string_or_empty(json_string_value(json_object_get(container, "State")));
        *is_running =
            string_equal(state, "running") || string_equal(state, "paused") || string_equal(state, "restarting");
        string_replace(&user, json_string_value(json_object_get(container, "Id")));
        if (*is_running)
            break;
    }
    return user ? user : xstrdup("");
}

bool images_remove(struct call *call, struct error *err)
{
    struct image_removal *removals = NULL;
    size_t count = 0;
    if (!image_remove(engine_store(call->engine), call->target, query_bool(call, "force"), query_bool(call, "noprune"),
                      find_user, call, &removals, &count, err))
        return false;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        if (removals[i].image_id)
            image_event(call->engine, removals[i].is_deletion ? "delete" : "untag", removals[i].image_id,
                        removals[i].image_id);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            list, json_pack("{s:o}", removals[i].is_deletion ? "Deleted" : "Untagged", json_text(removals[i].what)));
    image_removals_free(removals, count);
    return respond_json(call, 200, list);
}
