/* GET /images/search: what a registry found, filtered as Docker does. */
#include <string.h>

#include "api/request.h"
#include "api/respond.h"
#include "base/memory.h"

#include <poll.h>

#define LIMIT_DEFAULT 25
#define LIMIT_MAX     100

struct search_filter {
    int is_automated, is_official; /* -1: any */
    int64_t stars;
};

static bool bad_filter(const char *name, const json_t *values, struct error *err)
{
    struct strbuf text = STRBUF_INIT;
    size_t i;
    json_t *value;
    json_array_foreach(values, i, value)
        strbuf_addf(&text, "%s%s", i ? " " : "", string_or_empty(json_string_value(value)));
    error_set(err, ERROR_INVALID, "invalid filter '%s=[%s]'", name, strbuf_text(&text));
    strbuf_release(&text);
    return false;
}

static bool read_bool(const char *name, const json_t *values, int *out, struct error *err)
{
    const char *text = string_or_empty(json_string_value(json_array_get(values, 0)));
    bool is_true = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    if (json_array_size(values) != 1 || (!is_true && strcmp(text, "false") != 0 && strcmp(text, "0") != 0))
        return bad_filter(name, values, err);
    *out = is_true;
    return true;
}

static bool read_filter(const json_t *filters, struct search_filter *out, struct error *err)
{
    const char *name;
    json_t *values;
    json_object_foreach((json_t *)filters, name, values)
    {
        if (strcmp(name, "is-automated") == 0) {
            if (!read_bool(name, values, &out->is_automated, err))
                return false;
        } else if (strcmp(name, "is-official") == 0) {
            if (!read_bool(name, values, &out->is_official, err))
                return false;
        } else if (strcmp(name, "stars") == 0) {
            size_t i;
            json_t *value;
            json_array_foreach(values, i, value)
            {
                int64_t stars;
                if (!parse_atoi(json_string_value(value), ERROR_INVALID, &stars, err))
                    return error_prefix(err, "invalid filter 'stars=%s'", string_or_empty(json_string_value(value)));
                out->stars = MAX(out->stars, stars);
            }
        } else {
            return error_set(err, ERROR_INVALID, "invalid filter '%s'", name);
        }
    }
    return true;
}

static bool matches(const json_t *result, const struct search_filter *filter)
{
    bool is_official = json_is_true(json_object_get(result, "is_official"));
    return filter->is_automated != 1 && (filter->is_official < 0 || is_official == (filter->is_official == 1)) &&
           json_integer_value(json_object_get(result, "star_count")) >= filter->stars;
}

static bool is_gone(void *context)
{
    const struct call *call = context;
    struct pollfd poller = {.fd = call->exchange->fd, .events = POLLRDHUP};
    return poll(&poller, 1, 0) > 0 && (poller.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

bool images_search(struct call *call, struct error *err)
{
    const char *text = query_text(call, "limit");
    int64_t limit = 0;
    if (string_is_set(text) && !parse_atoi(text, ERROR_INVALID, &limit, err))
        return error_prefix(err, "invalid limit specified");
    if (string_is_set(text) && limit != 0 && (limit < 1 || limit > LIMIT_MAX))
        return error_set(err, ERROR_INVALID, "limit %lld is outside the range of [1, %d]", (long long)limit, LIMIT_MAX);
    _cleanup_json_ json_t *filters = NULL;
    struct search_filter filter = {.is_automated = -1, .is_official = -1};
    if (!query_filters(call, &filters, err) || !read_filter(filters, &filter, err))
        return false;
    const char *term = string_or_empty(query_text(call, "term"));
    if (strstr(term, "://"))
        return error_set(err, ERROR_INVALID, "invalid repository name: repository name (%s) should not have a scheme",
                         term);
    struct registry_call registry = {.is_cancelled = is_gone, .context = call};
    _cleanup_registry_auth_ struct registry_auth auth = {0};
    struct error ignored = ERROR_INIT;
    if (!registry_auth_parse(strmap_get(&call->exchange->head.headers, "x-registry-auth"), &auth, &ignored))
        error_release(&ignored);
    registry.auth = &auth;
    _cleanup_json_ json_t *results =
        registry_search(engine_registry(call->engine), &registry, term, limit ? limit : LIMIT_DEFAULT, err);
    if (!results)
        return false;
    json_t *list = json_array();
    size_t i;
    json_t *result;
    json_array_foreach(results, i, result)
    {
        if (!matches(result, &filter))
            continue;
        json_array_append_new(list, json_pack("{s:I, s:b, s:o, s:b, s:o}", "star_count",
                                              (json_int_t)json_integer_value(json_object_get(result, "star_count")),
                                              "is_official", json_is_true(json_object_get(result, "is_official")),
                                              "name", json_text(json_string_value(json_object_get(result, "name"))),
                                              "is_automated", 0, "description",
                                              json_text(json_string_value(json_object_get(result, "description")))));
    }
    return respond_json(call, 200, list);
}
