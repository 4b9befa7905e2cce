#include "api/access.h"

#include <ctype.h>

#include "api/request.h"
#include "api/role.h"
#include "base/memory.h"

static const struct role read_role = {"read"};

const void *api_role_tag(enum api_role role)
{
    return role == API_ROLE_READ ? &read_role : NULL;
}

/* With an "e" ps shows environments: as an option in BSD's form, and as one it falls back to; and `-o environ`. */
static bool shows_environment(const char *ps_arguments)
{
    return !string_equal(ps_arguments, "-ef") && strchr(ps_arguments, 'e');
}

bool access_check(const struct call *call, const struct route *route, struct error *err)
{
    if (!call->role)
        return true;
    const char *name = call->role->name;
    if (route->access != ACCESS_READ)
        return error_set(err, ERROR_DENIED, "the role \"%s\" of this socket does not allow %s %s", name, route->method,
                         route->pattern);
    if (route->handle == containers_top && shows_environment(string_or_empty(query_text(call, "ps_args"))))
        return error_set(err, ERROR_DENIED,
                         "the role \"%s\" of this socket does not allow ps options with an \"e\", which may show the "
                         "environment of processes: %s",
                         name, query_text(call, "ps_args"));
    if (route->handle == containers_logs && query_bool(call, "details"))
        return error_set(err, ERROR_DENIED,
                         "the role \"%s\" of this socket does not allow the details of logs, which may hold values of "
                         "environment variables",
                         name);
    return true;
}

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
    if (call->role)
        conceal(json);
}
