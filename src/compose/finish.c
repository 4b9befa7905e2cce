/* What a document implies, and what it must not say. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "compose/canonical.h"
#include "compose/dotenv.h"
#include "compose/project.h"
#include "compose/shape.h"

static struct element *section(struct project *project, const char *name)
{
    struct element *found = element_get(project->root, name);
    if (element_is(found, ELEMENT_MAP))
        return found;
    struct element *made = element_new(ELEMENT_MAP, NULL);
    element_put(project->root, name, made);
    return made;
}

/* A value without one becomes an empty map, so that it can be filled. */
static struct element *filled(struct element *map, size_t i)
{
    if (map->items[i]->kind != ELEMENT_MAP)
        element_replace(&map->items[i], element_new(ELEMENT_MAP, map->items[i]));
    return map->items[i];
}

static void imply_dependency(struct element *service, const char *other, bool restarts)
{
    if (!element_is(element_get(service, "depends_on"), ELEMENT_MAP))
        element_put(service, "depends_on", element_new(ELEMENT_MAP, service));
    struct element *all = element_get(service, "depends_on");
    if (element_get(all, other))
        return;
    struct element *one = element_new(ELEMENT_MAP, service);
    element_put(one, "condition", element_string("service_started", service));
    if (restarts)
        element_put(one, "restart", element_bool(true, service));
    element_put(one, "required", element_bool(true, service));
    element_put(all, other, one);
}

static void imply_dependencies(struct element *service)
{
    static const char *const shared[] = {"network_mode", "ipc", "pid", "uts", "cgroup"};
    const struct element *links = element_get(service, "links"), *from = element_get(service, "volumes_from");
    for (size_t i = 0; links && i < links->count; i++) {
        _cleanup_free_ char *name = xstrndup(links->items[i]->text, strcspn(links->items[i]->text, ":"));
        imply_dependency(service, name, true);
    }
    for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
        const char *mode = element_text(element_get(service, shared[i]));
        if (mode && string_starts_with(mode, "service:"))
            imply_dependency(service, mode + strlen("service:"), true);
    }
    for (size_t i = 0; from && i < from->count; i++) {
        const char *text = from->items[i]->text;
        _cleanup_free_ char *name = xstrndup(text, strcspn(text, ":"));
        if (!string_starts_with(text, "container:"))
            imply_dependency(service, name, false);
    }
}

static void imply_build(struct element *service)
{
    struct element *build = element_get(service, "build");
    if (!element_is(build, ELEMENT_MAP))
        return;
    if (!element_get(build, "dockerfile") && !element_get(build, "dockerfile_inline"))
        element_put(build, "dockerfile", element_string("Dockerfile", build));
}

/* The environment: env files in their order, then what is written in place. */
static bool resolve_environment(struct project *project, struct element *service, struct error *err)
{
    _cleanup_element_ struct element *files = element_take(service, "env_file"),
                                     *own = element_take(service, "environment");
    if (!files && !own)
        return true;
    struct element *all = element_new(ELEMENT_MAP, own ? own : files);
    element_put(service, "environment", all);
    _cleanup_strmap_ struct strmap read = {0};
    for (size_t i = 0; files && i < files->count; i++) {
        const char *path = element_text(element_get(files->items[i], "path"));
        struct error cause = ERROR_INIT;
        if (dotenv_read(path, &project->environment, &read, &cause))
            continue;
        bool is_missing = cause.kind == ERROR_NOT_FOUND;
        if (is_missing && !element_is_true(element_get(files->items[i], "required"))) {
            error_release(&cause);
            continue;
        }
        if (!is_missing)
            return error_move(err, &cause);
        error_release(&cause);
        return element_error(files->items[i], NULL, err, "env file %s not found: stat %s: %s", path, path,
                             errno_text(ENOENT));
    }
    for (size_t i = 0; i < read.count; i++)
        element_put(all, read.items[i].key, element_string(read.items[i].value, files));
    for (size_t i = 0; own && i < own->count; i++)
        element_put(all, own->keys[i], element_copy(own->items[i]));
    return true;
}

static void resolve_arguments(const struct project *project, struct element *service)
{
    struct element *arguments = element_get(element_get(service, "build"), "args");
    for (size_t i = 0; arguments && i < arguments->count;) {
        const char *value = strmap_get(&project->environment, arguments->keys[i]);
        if (arguments->items[i]->kind == ELEMENT_NULL && !value) {
            element_remove_at(arguments, i);
            continue;
        }
        if (arguments->items[i]->kind == ELEMENT_NULL)
            element_replace(&arguments->items[i], element_string(value, arguments->items[i]));
        i++;
    }
}

static bool is_active(const struct project_options *options, const struct element *service)
{
    const struct element *profiles = element_get(service, "profiles");
    if (!profiles || profiles->count == 0 || strlist_contains(&options->profiles, "*"))
        return true;
    for (size_t i = 0; i < profiles->count; i++)
        if (strlist_contains(&options->profiles, profiles->items[i]->text))
            return true;
    return false;
}

static void give_default_network(struct element *service)
{
    const struct element *networks = element_get(service, "networks");
    if (element_get(service, "network_mode") || (networks && networks->count > 0))
        return;
    struct element *map = element_new(ELEMENT_MAP, service);
    element_put(map, "default", element_new(ELEMENT_NULL, service));
    element_put(service, "networks", map);
}

static void give_names(struct project *project, const char *what)
{
    struct element *all = section(project, what);
    for (size_t i = 0; i < all->count; i++) {
        struct element *one = filled(all, i);
        bool is_external = element_is_true(element_get(one, "external"));
        if (!element_get(one, "name"))
            element_put(one, "name",
                        element_take_string(is_external ? xstrdup(all->keys[i])
                                                        : xasprintf("%s_%s", project->name, all->keys[i]),
                                            one));
    }
}

/* Whether any service uses it. */
static bool is_used(const struct project *project, const char *what, const char *name)
{
    const struct element *services = element_get(project->root, "services");
    for (size_t i = 0; services && i < services->count; i++) {
        const struct element *used = element_get(services->items[i], what);
        if (element_is(used, ELEMENT_MAP) && element_get(used, name))
            return true;
        const struct element *in_build =
            string_equal(what, "secrets") ? element_get(element_get(services->items[i], "build"), what) : NULL;
        for (size_t j = 0; used && j < used->count; j++)
            if (string_equal(element_text(element_get(used->items[j], "source")), name))
                return true;
        for (size_t j = 0; in_build && j < in_build->count; j++)
            if (string_equal(element_text(element_get(in_build->items[j], "source")), name))
                return true;
    }
    return false;
}

static void drop_unused(struct project *project)
{
    static const char *const kinds[] = {"networks", "volumes", "secrets", "configs"};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct element *all = element_get(project->root, kinds[i]);
        for (size_t j = 0; all && j < all->count;) {
            if (is_used(project, kinds[i], all->keys[j]))
                j++;
            else
                element_remove_at(all, j);
        }
    }
}

static void sort_by_name(struct element *map)
{
    /* Insertion: files list their services in some order already. */
    for (size_t i = 1; i < map->count; i++) {
        for (size_t j = i; j > 0 && strcmp(map->keys[j - 1], map->keys[j]) > 0; j--) {
            char *key = map->keys[j];
            struct element *item = map->items[j];
            map->keys[j] = map->keys[j - 1];
            map->items[j] = map->items[j - 1];
            map->keys[j - 1] = key;
            map->items[j - 1] = item;
        }
    }
}

static void make_model(struct project *project)
{
    json_decref(project->model);
    project->model = shape_project(project->root, FORM_JSON, false);
}

bool project_finish(struct project *project, const struct project_options *options, struct error *err)
{
    struct element *services = section(project, "services");
    project->disabled = element_new(ELEMENT_MAP, NULL);
    element_remove(project->root, "version");
    for (size_t i = 0; i < services->count; i++) {
        struct element *service = filled(services, i);
        imply_dependencies(service);
        imply_build(service);
        give_default_network(service);
        resolve_arguments(project, service);
        if (!resolve_environment(project, service, err))
            return false;
    }
    if (!element_get(section(project, "networks"), "default"))
        element_put(section(project, "networks"), "default", element_new(ELEMENT_MAP, NULL));
    static const char *const kinds[] = {"networks", "volumes", "secrets", "configs"};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        give_names(project, kinds[i]);
    for (size_t i = 0; i < services->count;) {
        if (is_active(options, services->items[i])) {
            i++;
            continue;
        }
        _cleanup_free_ char *name = xstrdup(services->keys[i]);
        element_put(project->disabled, name, element_take(services, name));
    }
    sort_by_name(services);
    if (!options->is_inconsistent && !project_check(project, err))
        return false;
    drop_unused(project);
    make_model(project);
    return true;
}

static bool enable(struct project *project, const char *name, struct error *err)
{
    struct element *services = element_get(project->root, "services");
    if (element_get(services, name))
        return true;
    struct element *service = element_take(project->disabled, name);
    if (!service)
        return error_set(err, ERROR_NOT_FOUND, "no such service: %s", name);
    element_put(services, name, service);
    return true;
}

static bool take_selected(struct project *project, struct element *chosen, const char *name, bool with_dependencies,
                          bool is_required, struct error *err)
{
    if (element_get(chosen, name))
        return true;
    if (!enable(project, name, is_required ? err : NULL))
        return !is_required;
    struct element *service = element_take(element_get(project->root, "services"), name);
    element_put(chosen, name, service);
    const struct element *others = element_get(service, "depends_on");
    for (size_t i = 0; with_dependencies && others && i < others->count; i++) {
        bool is_needed = element_is_true(element_get(others->items[i], "required"));
        if (!take_selected(project, chosen, others->keys[i], true, is_needed, err))
            return false;
    }
    return true;
}

bool project_select(struct project *project, char *const *names, size_t count, bool with_dependencies,
                    struct error *err)
{
    if (count == 0)
        return true;
    struct element *chosen = element_new(ELEMENT_MAP, NULL);
    bool is_good = true;
    for (size_t i = 0; is_good && i < count; i++)
        is_good = take_selected(project, chosen, names[i], with_dependencies, true, err);
    sort_by_name(chosen);
    /* What was not chosen is as if of an inactive profile. */
    struct element *rest = element_get(project->root, "services");
    while (is_good && rest->count > 0) {
        _cleanup_free_ char *name = xstrdup(rest->keys[0]);
        element_put(project->disabled, name, element_take(rest, name));
    }
    element_put(project->root, "services", chosen);
    make_model(project);
    return is_good;
}
