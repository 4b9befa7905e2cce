#include "api/access.h"

#include <ctype.h>

#include "api/request.h"
#include "base/memory.h"
#include "engine/scope.h"

/* --- role=read --- */

/* With an "e" ps shows environments: as an option in BSD's form, and as one it falls back to; and `-o environ`. */
static bool shows_environment(const char *ps_arguments)
{
    return !string_equal(ps_arguments, "-ef") && strchr(ps_arguments, 'e');
}

static bool check_read_only(const struct call *call, const struct route *route, struct error *err)
{
    if (route->access != ACCESS_READ)
        return error_set(err, ERROR_DENIED, "the role \"read\" of this socket does not allow %s %s", route->method,
                         route->pattern);
    if (route->handle == containers_top && shows_environment(string_or_empty(query_text(call, "ps_args"))))
        return error_set(err, ERROR_DENIED,
                         "the role \"read\" of this socket does not allow ps options with an \"e\", which may show the "
                         "environment of processes: %s",
                         query_text(call, "ps_args"));
    if (route->handle == containers_logs && query_bool(call, "details"))
        return error_set(
            err, ERROR_DENIED,
            "the role \"read\" of this socket does not allow the details of logs, which may hold values of "
            "environment variables");
    return true;
}

/* --- label= --- */

static bool check_names(const struct call *call, const json_t *filters, const char *key, struct error *err)
{
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(filters, key), i, name)
    {
        _cleanup_free_ char *id = NULL;
        if (!scope_container(call->engine, call->role->label, json_string_value(name), &id, err))
            return false;
    }
    return true;
}

/* Asks for the label beside whatever else is asked for: several labels must all be there. */
static bool narrow(struct call *call, const struct route *route, struct error *err)
{
    _cleanup_json_ json_t *filters = NULL;
    if (!query_filters(call, &filters, err))
        return false;
    if (!filters)
        filters = json_object();
    if (route->handle == containers_list &&
        (!check_names(call, filters, "before", err) || !check_names(call, filters, "since", err)))
        return false;
    if (!json_object_get(filters, "label"))
        json_object_set_new(filters, "label", json_array());
    json_array_append_new(json_object_get(filters, "label"), json_string(call->role->label));
    if (route->handle == system_events) {
        /* Events of other kinds have labels as well: those of images, say. */
        const json_t *types = json_object_get(filters, "type");
        bool is_asked = json_array_size(types) == 0;
        size_t i;
        json_t *type;
        json_array_foreach(types, i, type) is_asked |= string_equal(json_string_value(type), "container");
        json_object_set_new(filters, "type", json_pack("[s]", is_asked ? "container" : "none"));
    }
    _cleanup_free_ char *text = json_dumps(filters, JSON_COMPACT);
    strmap_set(&call->query, "filters", text);
    return true;
}

static bool check_label(struct call *call, const struct route *route, struct error *err)
{
    const char *label = call->role->label;
    switch (route->label_access) {
    case LABEL_PLAIN:
        return true;
    case LABEL_FILTERS:
        return narrow(call, route, err);
    case LABEL_CONTAINER:
        if (route->handle == containers_remove && query_bool(call, "link"))
            break;
        if (!scope_container(call->engine, label, call->target, &call->own_target, err))
            return false;
        call->target = call->own_target;
        return true;
    case LABEL_EXEC:
        return scope_exec(call->engine, label, call->target, err);
    case LABEL_DENIED:
        break;
    }
    return error_set(err, ERROR_DENIED,
                     "this socket is for the containers with the label \"%s\" and does not allow %s %s", label,
                     route->method, route->pattern);
}

bool access_check(struct call *call, const struct route *route, struct error *err)
{
    if (!call->role)
        return true;
    return (!call->role->is_read_only || check_read_only(call, route, err)) &&
           (!call->role->label || check_label(call, route, err));
}

bool access_check_exec(const struct call *call, const struct exec_request *request, struct error *err)
{
    if (!call->role || !call->role->label || !request->privileged)
        return true;
    return error_set(err, ERROR_DENIED,
                     "this socket is for the containers with the label \"%s\" and does not allow a privileged exec",
                     call->role->label);
}

/* --- what is left out of answers --- */

/* "NAME=value" becomes "NAME". */
static void conceal_environment(json_t *list)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const char *text = json_string_value(item), *equals = text ? strchr(text, '=') : NULL;
        if (equals)
            json_array_set_new(list, i, json_stringn(text, (size_t)(equals - text)));
    }
}

/* The step of a build, up to what sets variables: "ENV a=b", "ARG a=b", "RUN |1 a=b /bin/sh -c …". NULL: nothing. */
static json_t *conceal_step(const char *text)
{
    static const char *const words[] = {"ENV", "ARG", "|"};
    size_t length = strlen(text), end = length;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        for (const char *at = text; (at = strcasestr(at, words[i])); at++) {
            const char *after = at + strlen(words[i]);
            bool is_start = at == text || !isalnum((unsigned char)at[-1]);
            bool is_word = *at == '|' ? isdigit((unsigned char)*after) : isspace((unsigned char)*after);
            if (is_start && is_word)
                end = MIN(end, (size_t)(after - text));
        }
    }
    if (end == length)
        return NULL;
    _cleanup_free_ char *shown = xasprintf("%.*s …", (int)end, text);
    return json_string(shown);
}

static void conceal(json_t *json);

static void conceal_member(json_t *object, const char *key, json_t *value)
{
    if (string_equal(key, "Env")) {
        conceal_environment(value);
    } else if (string_equal(key, "CreatedBy") && json_is_string(value)) {
        json_t *shown = conceal_step(json_string_value(value));
        if (shown)
            json_object_set_new(object, key, shown);
    } else if (string_equal(key, "ContainerConfig") && json_is_object(value)) {
        json_object_set_new(value, "Cmd", json_null()); /* the step that made an old image */
        conceal(value);
    } else if (string_equal(key, "OnBuild")) {
        size_t i;
        json_t *item, *shown;
        json_array_foreach(value, i, item) if (json_is_string(item) && (shown = conceal_step(json_string_value(item))))
            json_array_set_new(value, i, shown);
    } else if (string_equal(key, "Options") && json_is_object(value)) {
        json_object_del(value, "o");
    } else {
        conceal(value);
    }
}

static void conceal(json_t *json)
{
    size_t i;
    const char *key;
    json_t *value;
    void *next;
    if (json_is_array(json)) {
        json_array_foreach(json, i, value) conceal(value);
    } else if (json_is_object(json)) {
        json_object_foreach_safe(json, next, key, value) conceal_member(json, key, value);
    }
}

void access_conceal(const struct call *call, json_t *json)
{
    if (call->role && call->role->is_read_only)
        conceal(json);
}
