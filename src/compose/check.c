/* Rules between the parts of a project, which the schema cannot express. */
#include <string.h>

#include "base/memory.h"
#include "compose/project.h"

#define INVALID "invalid compose project"

static bool check_use(const struct project *project, const struct element *service, const char *name, const char *what,
                      const char *noun, struct error *err)
{
    const struct element *used = element_get(service, what), *all = element_get(project->root, what);
    for (size_t i = 0; used && i < used->count; i++) {
        const struct element *item = used->items[i];
        const char *source = used->kind == ELEMENT_MAP ? used->keys[i] : element_text(element_get(item, "source"));
        bool is_volume = string_equal(what, "volumes");
        if (is_volume && (!source || !string_equal(element_text(element_get(item, "type")), "volume")))
            continue;
        if (string_is_set(source) && !element_get(all, source))
            return element_error(item, NULL, err, "service \"%s\" refers to undefined %s %s: " INVALID, name, noun,
                                 source);
    }
    return true;
}

static bool check_distinct(const struct element *service, const char *name, const char *key, const char *const *path,
                           const char *shown, struct error *err)
{
    const struct element *one = element_get(service, key), *other = element_get(service, "deploy");
    for (; other && *path; path++)
        other = element_get(other, *path);
    if (!one || !other)
        return true;
    bool is_same = one->kind == ELEMENT_STRING ? string_equal(one->text, other->text) : one->number == other->number;
    return is_same ||
           element_error(one, NULL, err, "services.%s: can't set distinct values on '%s' and 'deploy.%s': " INVALID,
                         name, key, shown);
}

static bool check_service(const struct project *project, const struct element *service, const char *name,
                          struct error *err)
{
    const struct element *networks = element_get(service, "networks"), *build = element_get(service, "build");
    if (!build && !element_text(element_get(service, "image")) && !element_get(service, "provider"))
        return element_error(service, NULL, err,
                             "service \"%s\" has neither an image nor a build context specified: " INVALID, name);
    if (element_get(service, "network_mode") && networks && networks->count > 0)
        return element_error(networks, NULL, err,
                             "service %s declares mutually exclusive `network_mode` and `networks`: " INVALID, name);
    if (element_get(build, "dockerfile") && element_get(build, "dockerfile_inline"))
        return element_error(build, NULL, err,
                             "service \"%s\" declares mutually exclusive dockerfile and dockerfile_inline: " INVALID,
                             name);
    const struct element *scale = element_get(service, "scale"),
                         *replicas = element_get(element_get(service, "deploy"), "replicas"),
                         *count = scale ? scale : replicas;
    if (element_get(service, "container_name") && count && count->number > 1)
        return element_error(
            count, NULL, err,
            "services.%s: can't set container_name and scale above 1, as container name must be unique: " INVALID,
            name);
    static const char *const
        memory[] = {"resources", "limits", "memory", NULL},
        *const pids[] = {"resources", "limits", "pids", NULL}, *const cpus[] = {"resources", "limits", "cpus", NULL},
        *const scales[] = {"replicas", NULL}, *const reserved[] = {"resources", "reservations", "memory", NULL};
    return check_distinct(service, name, "mem_limit", memory, "resources.limits.memory", err) &&
           check_distinct(service, name, "mem_reservation", reserved, "resources.reservations.memory", err) &&
           check_distinct(service, name, "pids_limit", pids, "resources.limits.pids", err) &&
           check_distinct(service, name, "cpus", cpus, "resources.limits.cpus", err) &&
           check_distinct(service, name, "scale", scales, "replicas", err) &&
           check_use(project, service, name, "networks", "network", err) &&
           check_use(project, service, name, "volumes", "volume", err) &&
           check_use(project, service, name, "secrets", "secret", err) &&
           check_use(project, service, name, "configs", "config", err);
}

/* Depth-first; `state` of a service is 1 while its dependencies are looked at, 2 after that. */
static bool check_order(const struct element *services, size_t i, char *state, struct strlist *chain, struct error *err)
{
    strlist_add(chain, services->keys[i]);
    state[i] = 1;
    const struct element *others = element_get(services->items[i], "depends_on");
    for (size_t j = 0; others && j < others->count; j++) {
        for (size_t k = 0; k < services->count; k++) {
            if (!string_equal(services->keys[k], others->keys[j]) || state[k] == 2)
                continue;
            if (state[k] == 0 && !check_order(services, k, state, chain, err))
                return false;
            if (state[k] == 2)
                continue;
            while (!string_equal(chain->items[0], services->keys[k]))
                strlist_remove(chain, 0);
            strlist_add(chain, services->keys[k]);
            _cleanup_free_ char *text = strlist_join(chain, " -> ");
            return element_error(others->items[j], NULL, err, "dependency cycle detected: %s", text);
        }
    }
    strlist_remove(chain, chain->count - 1);
    state[i] = 2;
    return true;
}

static bool check_dependencies(const struct project *project, const struct element *services, struct error *err)
{
    for (size_t i = 0; i < services->count; i++) {
        const struct element *others = element_get(services->items[i], "depends_on");
        for (size_t j = 0; others && j < others->count; j++) {
            const char *other = others->keys[j];
            bool is_known = element_get(services, other) || element_get(project->disabled, other);
            if (!is_known && element_is_true(element_get(others->items[j], "required")))
                return element_error(others->items[j], NULL, err,
                                     "service \"%s\" depends on undefined service \"%s\": " INVALID, services->keys[i],
                                     other);
        }
    }
    _cleanup_free_ char *state = xcalloc(services->count + 1, 1);
    for (size_t i = 0; i < services->count; i++) {
        _cleanup_strlist_ struct strlist chain = {0};
        if (state[i] == 0 && !check_order(services, i, state, &chain, err))
            return false;
    }
    return true;
}

static bool check_objects(const struct project *project, const char *what, struct error *err)
{
    static const char *const sources[] = {"file", "environment", "content"};
    const struct element *all = element_get(project->root, what);
    for (size_t i = 0; all && i < all->count; i++) {
        int given = 0;
        for (size_t j = 0; j < ARRAY_SIZE(sources); j++)
            given += element_get(all->items[i], sources[j]) != NULL;
        bool is_external = element_is_true(element_get(all->items[i], "external"));
        if (given > 1)
            return element_error(all->items[i], NULL, err,
                                 "%s.%s: file|environment|content attributes are mutually exclusive", what,
                                 all->keys[i]);
        if (given == 0 && !is_external && !element_get(all->items[i], "driver"))
            return element_error(all->items[i], NULL, err, "%s.%s: one of file|environment|content must be set", what,
                                 all->keys[i]);
    }
    return true;
}

bool project_check(const struct project *project, struct error *err)
{
    const struct element *services = element_get(project->root, "services");
    for (size_t i = 0; i < services->count; i++)
        if (!check_service(project, services->items[i], services->keys[i], err))
            return false;
    return check_dependencies(project, services, err) && check_objects(project, "secrets", err) &&
           check_objects(project, "configs", err);
}
