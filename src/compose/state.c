#include "compose/state.h"

#include <string.h>

#include "base/memory.h"
#include "json/json_record.h"

void compose_state_release(struct compose_state *state)
{
    for (size_t i = 0; i < state->count; i++) {
        struct compose_container *one = &state->containers[i];
        free(one->id);
        free(one->name);
        free(one->service);
        free(one->state);
        free(one->hash);
        free(one->image);
        json_decref(one->row);
    }
    free(state->containers);
    *state = (struct compose_state){0};
}

const char *label_of(const json_t *row, const char *name)
{
    const json_t *labels = json_object_get(row, "Labels");
    return string_or_empty(json_string_value(json_object_get(labels, name)));
}

json_t *compose_get_labelled(struct client *client, const char *path, const char *project, const char *label,
                             struct error *err)
{
    _cleanup_json_ json_t *filters = json_object(), *labels = json_array();
    _cleanup_free_ char *own = xasprintf(LABEL("project") "=%s", project);
    json_array_append_new(labels, json_string(own));
    if (label)
        json_array_append_new(labels, json_string(label));
    json_object_set(filters, "label", labels);
    _cleanup_free_ char *text = json_format(filters);
    _cleanup_strbuf_ struct strbuf full = STRBUF_INIT;
    strbuf_add_string(&full, path);
    client_query_add(&full, "filters", text);
    return client_get_json(client, strbuf_text(&full), err);
}

static int by_service(const void *left, const void *right)
{
    const struct compose_container *a = left, *b = right;
    int order = strcmp(a->service, b->service);
    if (order == 0)
        order = a->number < b->number ? -1 : a->number > b->number;
    return order ? order : strcmp(a->name, b->name);
}

void compose_state_sort(struct compose_state *state)
{
    if (state->count > 0)
        qsort(state->containers, state->count, sizeof(*state->containers), by_service);
}

bool compose_state_read(struct client *client, const char *project, bool with_oneoffs, struct compose_state *out,
                        struct error *err)
{
    _cleanup_json_ json_t *rows = compose_get_labelled(client, "/containers/json?all=1", project,
                                                       with_oneoffs ? NULL : LABEL("oneoff") "=False", err);
    if (!rows)
        return false;
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        const char *name = string_or_empty(json_string_value(json_array_get(json_object_get(row, "Names"), 0)));
        struct compose_container *one = APPEND(out->containers, out->count);
        one->id = xstrdup(string_or_empty(json_string_value(json_object_get(row, "Id"))));
        one->name = xstrdup(*name == '/' ? name + 1 : name);
        one->service = xstrdup(label_of(row, LABEL("service")));
        one->state = xstrdup(string_or_empty(json_string_value(json_object_get(row, "State"))));
        one->hash = xstrdup(label_of(row, LABEL("config-hash")));
        one->image = xstrdup(label_of(row, LABEL("image")));
        one->number = (int)strtol(label_of(row, LABEL("container-number")), NULL, 10);
        one->is_oneoff = string_equal(label_of(row, LABEL("oneoff")), "True");
        one->row = json_incref(row);
    }
    compose_state_sort(out);
    return true;
}
