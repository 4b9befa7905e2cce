/* What a document implies, and what it must not say. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "compose/canonical.h"
#include "compose/dotenv.h"
#include "compose/project.h"
#include "compose/shape.h"

static struct node *section(struct project *project, const char *name)
{
    struct node *found = node_get(project->root, name);
    if (node_is(found, NODE_MAP))
        return found;
    struct node *made = node_new(NODE_MAP, NULL);
    node_put(project->root, name, made);
    return made;
}

/* A value without one becomes an empty map, so that it can be filled. */
static struct node *filled(struct node *map, size_t i)
{
    if (map->items[i]->kind != NODE_MAP)
        node_replace(&map->items[i], node_new(NODE_MAP, map->items[i]));
    return map->items[i];
}

static void imply_dependency(struct node *service, const char *other, bool restarts)
{
    if (!node_is(node_get(service, "depends_on"), NODE_MAP))
        node_put(service, "depends_on", node_new(NODE_MAP, service));
    struct node *all = node_get(service, "depends_on");
    if (node_get(all, other))
        return;
    struct node *one = node_new(NODE_MAP, service);
    node_put(one, "condition", node_string("service_started", service));
    if (restarts)
        node_put(one, "restart", node_bool(true, service));
    node_put(one, "required", node_bool(true, service));
    node_put(all, other, one);
}

static void imply_dependencies(struct node *service)
{
    static const char *const shared[] = {"network_mode", "ipc", "pid", "uts", "cgroup"};
    const struct node *links = node_get(service, "links"), *from = node_get(service, "volumes_from");
    for (size_t i = 0; links && i < links->count; i++) {
        _cleanup_free_ char *name = xstrndup(links->items[i]->text, strcspn(links->items[i]->text, ":"));
        imply_dependency(service, name, true);
    }
    for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
        const char *mode = node_text(node_get(service, shared[i]));
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

static void imply_build(struct node *service)
{
    struct node *build = node_get(service, "build");
    if (!node_is(build, NODE_MAP))
        return;
    if (!node_get(build, "dockerfile") && !node_get(build, "dockerfile_inline"))
        node_put(build, "dockerfile", node_string("Dockerfile", build));
}

/* The environment: env files in their order, then what is written in place. */
static bool resolve_environment(struct project *project, struct node *service, struct error *err)
{
    _cleanup_node_ struct node *files = node_take(service, "env_file"), *own = node_take(service, "environment");
    if (!files && !own)
        return true;
    struct node *all = node_new(NODE_MAP, own ? own : files);
    node_put(service, "environment", all);
    _cleanup_strmap_ struct strmap read = {0};
    for (size_t i = 0; files && i < files->count; i++) {
        const char *path = node_text(node_get(files->items[i], "path"));
        struct error cause = ERROR_INIT;
        if (dotenv_read(path, &project->environment, &read, &cause))
            continue;
        bool is_missing = cause.kind == ERROR_NOT_FOUND;
        if (is_missing && !node_is_true(node_get(files->items[i], "required"))) {
            error_release(&cause);
            continue;
        }
        if (!is_missing)
            return error_move(err, &cause);
        error_release(&cause);
        return node_error(files->items[i], NULL, err, "env file %s not found: stat %s: %s", path, path,
                          errno_text(ENOENT));
    }
    for (size_t i = 0; i < read.count; i++)
        node_put(all, read.items[i].key, node_string(read.items[i].value, files));
    for (size_t i = 0; own && i < own->count; i++)
        node_put(all, own->keys[i], node_copy(own->items[i]));
    return true;
}

static void resolve_arguments(const struct project *project, struct node *service)
{
    struct node *arguments = node_get(node_get(service, "build"), "args");
    for (size_t i = 0; arguments && i < arguments->count;) {
        const char *value = strmap_get(&project->environment, arguments->keys[i]);
        if (arguments->items[i]->kind == NODE_NULL && !value) {
            node_remove_at(arguments, i);
            continue;
        }
        if (arguments->items[i]->kind == NODE_NULL)
            node_replace(&arguments->items[i], node_string(value, arguments->items[i]));
        i++;
    }
}

static bool is_active(const struct project_options *options, const struct node *service)
{
    const struct node *profiles = node_get(service, "profiles");
    if (!profiles || profiles->count == 0 || strlist_contains(&options->profiles, "*"))
        return true;
    for (size_t i = 0; i < profiles->count; i++)
        if (strlist_contains(&options->profiles, profiles->items[i]->text))
            return true;
    return false;
}

static void give_default_network(struct node *service)
{
    const struct node *networks = node_get(service, "networks");
    if (node_get(service, "network_mode") || (networks && networks->count > 0))
        return;
    struct node *map = node_new(NODE_MAP, service);
    node_put(map, "default", node_new(NODE_NULL, service));
    node_put(service, "networks", map);
}

static void give_names(struct project *project, const char *what)
{
    struct node *all = section(project, what);
    for (size_t i = 0; i < all->count; i++) {
        struct node *one = filled(all, i);
        bool is_external = node_is_true(node_get(one, "external"));
        if (!node_get(one, "name"))
            node_put(one, "name",
                     node_take_string(
                         is_external ? xstrdup(all->keys[i]) : xasprintf("%s_%s", project->name, all->keys[i]), one));
    }
}

/* Whether any service uses it. */
static bool is_used(const struct project *project, const char *what, const char *name)
{
    const struct node *services = node_get(project->root, "services");
    for (size_t i = 0; services && i < services->count; i++) {
        const struct node *used = node_get(services->items[i], what);
        if (node_is(used, NODE_MAP) && node_get(used, name))
            return true;
        const struct node *in_build =
            string_equal(what, "secrets") ? node_get(node_get(services->items[i], "build"), what) : NULL;
        for (size_t j = 0; used && j < used->count; j++)
            if (string_equal(node_text(node_get(used->items[j], "source")), name))
                return true;
        for (size_t j = 0; in_build && j < in_build->count; j++)
            if (string_equal(node_text(node_get(in_build->items[j], "source")), name))
                return true;
    }
    return false;
}

static void drop_unused(struct project *project)
{
    static const char *const kinds[] = {"networks", "volumes", "secrets", "configs"};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct node *all = node_get(project->root, kinds[i]);
        for (size_t j = 0; all && j < all->count;) {
            if (is_used(project, kinds[i], all->keys[j]))
                j++;
            else
                node_remove_at(all, j);
        }
    }
}

static void sort_by_name(struct node *map)
{
    /* Insertion: files list their services in some order already. */
    for (size_t i = 1; i < map->count; i++) {
        for (size_t j = i; j > 0 && strcmp(map->keys[j - 1], map->keys[j]) > 0; j--) {
            char *key = map->keys[j];
            struct node *item = map->items[j];
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
    struct node *services = section(project, "services");
    project->disabled = node_new(NODE_MAP, NULL);
    node_remove(project->root, "version");
    for (size_t i = 0; i < services->count; i++) {
        struct node *service = filled(services, i);
        imply_dependencies(service);
        imply_build(service);
        give_default_network(service);
        resolve_arguments(project, service);
        if (!resolve_environment(project, service, err))
            return false;
    }
    if (!node_get(section(project, "networks"), "default"))
        node_put(section(project, "networks"), "default", node_new(NODE_MAP, NULL));
    static const char *const kinds[] = {"networks", "volumes", "secrets", "configs"};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        give_names(project, kinds[i]);
    for (size_t i = 0; i < services->count;) {
        if (is_active(options, services->items[i])) {
            i++;
            continue;
        }
        _cleanup_free_ char *name = xstrdup(services->keys[i]);
        node_put(project->disabled, name, node_take(services, name));
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
    struct node *services = node_get(project->root, "services");
    if (node_get(services, name))
        return true;
    struct node *service = node_take(project->disabled, name);
    if (!service)
        return error_set(err, ERROR_NOT_FOUND, "no such service: %s", name);
    node_put(services, name, service);
    return true;
}

static bool take_selected(struct project *project, struct node *chosen, const char *name, bool with_dependencies,
                          bool is_required, struct error *err)
{
    if (node_get(chosen, name))
        return true;
    if (!enable(project, name, is_required ? err : NULL))
        return !is_required;
    struct node *service = node_take(node_get(project->root, "services"), name);
    node_put(chosen, name, service);
    const struct node *others = node_get(service, "depends_on");
    for (size_t i = 0; with_dependencies && others && i < others->count; i++) {
        bool is_needed = node_is_true(node_get(others->items[i], "required"));
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
    struct node *chosen = node_new(NODE_MAP, NULL);
    bool is_good = true;
    for (size_t i = 0; is_good && i < count; i++)
        is_good = take_selected(project, chosen, names[i], with_dependencies, true, err);
    sort_by_name(chosen);
    /* What was not chosen is as if of an inactive profile. */
    struct node *rest = node_get(project->root, "services");
    while (is_good && rest->count > 0) {
        _cleanup_free_ char *name = xstrdup(rest->keys[0]);
        node_put(project->disabled, name, node_take(rest, name));
    }
    node_put(project->root, "services", chosen);
    make_model(project);
    return is_good;
}
