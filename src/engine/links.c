#include "engine/links.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/networks.h"

/* A kept link in parts. */
struct link {
    char id[ID_LENGTH + 1];
    char *name;  /* of the container that it leads to */
    char *alias; /* "db"; it may have a slash inside */
};

static void link_release(struct link *link)
{
    free(link->name);
    free(link->alias);
}

/* False for one that a record of an older version has. */
static bool link_parse(const char *text, struct link *out)
{
    const char *alias = strrchr(text, ':');
    if (strlen(text) <= ID_LENGTH + 1 || text[ID_LENGTH] != ':' || alias == text + ID_LENGTH)
        return false;
    memcpy(out->id, text, ID_LENGTH);
    out->id[ID_LENGTH] = '\0';
    out->name = xstrndup(text + ID_LENGTH + 1, (size_t)(alias - text) - ID_LENGTH - 1);
    out->alias = xstrdup(alias + 1);
    return true;
}

/* By which the container itself calls the other. */
static const char *own_name(const struct link *link)
{
    const char *slash = strrchr(link->alias, '/');
    return slash ? slash + 1 : link->alias;
}

static void copy_links(struct container *container, struct strlist *links)
{
    container_lock(container);
    strlist_copy(links, &container->record.host_config.links);
    container_unlock(container);
}

static bool is_on_bridge(const struct container_record *record)
{
    return record_map_get(&record->endpoints, &endpoint_settings_type, "bridge") != NULL;
}

/* --- create --- */

/* "name", "name:alias", and "/name:/container/alias", as inspect shows it. */
static bool split_request(const char *text, char **name, char **alias, struct error *err)
{
    if (!*text)
        return error_set(err, ERROR_INTERNAL, "empty string specified for links");
    _cleanup_strlist_ struct strlist parts = strlist_split(text, ':');
    if (parts.count > 2)
        return error_set(err, ERROR_INTERNAL, "bad format for links: %s", text);
    const char *asked = parts.items[parts.count - 1];
    if (parts.count == 2 && text[0] == '/') {
        const char *slash = strrchr(asked, '/');
        asked = slash ? slash + 1 : asked;
    }
    *name = xstrdup(parts.items[0] + (parts.count == 2 && text[0] == '/'));
    _cleanup_free_ char *joined = xasprintf("/%s", asked);
    _cleanup_free_ char *clean = path_clean(joined);
    *alias = xstrdup(clean + 1);
    return true;
}

static struct container *find_target(const struct container *container, const char *name, struct error *err)
{
    _cleanup_error_ struct error why = ERROR_INIT;
    struct container *found = NULL;
    if (!*name)
        error_set(&why, ERROR_INVALID, "invalid name or ID supplied: \"\"");
    else
        found = container_find(container->engine, name, &why);
    if (found == container) { /* nobody has heard of it yet */
        container_unref(TAKE_PTR(found));
        error_set(&why, ERROR_INVALID, "No such container: %s", name);
    }
    if (!found)
        error_set(err, ERROR_INVALID, "could not get container for %s: %s", name, error_message(&why));
    return found;
}

/* One that shares the network of another stands for that one. */
static struct container *network_owner(struct container *found, struct error *err)
{
    while (found && string_starts_with(found->record.host_config.network_mode, "container:")) {
        _cleanup_container_ struct container *sharer = found;
        const char *id = sharer->record.host_config.network_mode + strlen("container:");
        found = container_find(sharer->engine, id, err);
        if (!found)
            error_prefix(err, "Could not get container for %s", id);
    }
    return found;
}

static bool has_alias(const struct strlist *links, const char *alias)
{
    for (size_t i = 0; i < links->count; i++)
        if (string_equal(strrchr(links->items[i], ':') + 1, alias))
            return true;
    return false;
}

static bool take_link(struct container *container, const char *asked, struct strlist *links, struct error *err)
{
    _cleanup_free_ char *name = NULL, *alias = NULL;
    if (!split_request(asked, &name, &alias, err))
        return false;
    _cleanup_container_ struct container *target = network_owner(find_target(container, name, err), err);
    if (!target)
        return false;
    if (string_equal(target->record.host_config.network_mode, "host"))
        return error_set(err, ERROR_INVALID,
                         "conflicting options: host type networking can't be used with links. This would result in "
                         "undefined behavior");
    /* As Docker: a name that is in use, be it the container's own, is passed over. */
    if (!*alias || has_alias(links, alias))
        return true;
    container_lock(target);
    strlist_addf(links, "%s:%s:%s", target->record.id, target->record.name, alias);
    container_unlock(target);
    atomic_store(&target->is_linked, true);
    return true;
}

bool links_take(struct container *container, struct error *err)
{
    _cleanup_strlist_ struct strlist asked = {0}, links = {0};
    const char *mode = container->record.host_config.network_mode;
    copy_links(container, &asked);
    /* On a network of the user's own they are the endpoint's. */
    for (size_t i = 0; i < asked.count && network_is_predefined(mode); i++)
        if (!take_link(container, asked.items[i], &links, err))
            return false;
    container_lock(container);
    strlist_release(&container->record.host_config.links);
    if (links.count)
        strlist_copy(&container->record.host_config.links, &links);
    container_unlock(container);
    return true;
}

void links_recover(struct engine *engine)
{
    size_t count;
    struct container **all = container_snapshot(engine, &count);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < all[i]->record.host_config.links.count; j++) {
            _cleanup_(link_release) struct link link = {0};
            _cleanup_container_ struct container *target = link_parse(all[i]->record.host_config.links.items[j], &link)
                                                               ? container_find(engine, link.id, NULL)
                                                               : NULL;
            if (target)
                atomic_store(&target->is_linked, true);
        }
    container_snapshot_release(all, count);
}

json_t *links_json(const struct container_record *record)
{
    json_t *json = NULL;
    for (size_t i = 0; i < record->host_config.links.count; i++) {
        _cleanup_(link_release) struct link link = {0};
        if (!link_parse(record->host_config.links.items[i], &link))
            continue;
        _cleanup_free_ char *text = xasprintf("/%s:/%s/%s", link.name, record->name, link.alias);
        if (!json)
            json = json_array();
        json_array_append_new(json, json_string(text));
    }
    return json ? json : json_null();
}

/* --- what a process sees --- */

struct port {
    long number;
    char *protocol, *upper;
};

static int by_number_then_tcp(const void *left, const void *right)
{
    const struct port *a = left, *b = right;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    bool is_a_tcp = string_equal(a->protocol, "tcp"), is_b_tcp = string_equal(b->protocol, "tcp");
    return is_a_tcp == is_b_tcp ? strcmp(a->protocol, b->protocol) : is_a_tcp ? -1 : 1;
}

static char *upper_case(const char *text)
{
    char *upper = xstrdup(text);
    for (char *c = upper; *c; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    return upper;
}

static struct port *sorted_ports(const struct strlist *exposed)
{
    struct port *ports = xcalloc(exposed->count + 1, sizeof(*ports));
    for (size_t i = 0; i < exposed->count; i++) {
        const char *slash = strchr(exposed->items[i], '/');
        ports[i].number = strtol(exposed->items[i], NULL, 10);
        ports[i].protocol = xstrdup(slash ? slash + 1 : "tcp");
        ports[i].upper = upper_case(ports[i].protocol);
    }
    qsort(ports, exposed->count, sizeof(*ports), by_number_then_tcp);
    return ports;
}

__attribute__((format(printf, 2, 3))) static void put(struct strlist *environment, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct strbuf text = STRBUF_INIT;
    strbuf_vaddf(&text, format, arguments);
    va_end(arguments);
    env_put(environment, strbuf_text(&text));
    strbuf_release(&text);
}

/* The last of the ports that follow each other from the one at `first` on. */
static size_t last_in_row(const struct port *ports, size_t count, size_t first)
{
    long number = ports[first].number;
    for (size_t i = first + 1; i < count; i++)
        if (ports[i].number > ++number)
            return i - 1;
    return count - 1;
}

static void put_ports(const char *prefix, const char *address, const struct strlist *exposed,
                      struct strlist *environment)
{
    size_t count = exposed->count;
    struct port *ports = sorted_ports(exposed);
    if (count)
        put(environment, "%s_PORT=%s://%s:%ld", prefix, ports[0].protocol, address, ports[0].number);
    for (size_t i = 0; i < count; i++) {
        const struct port *first = &ports[i], *last = &ports[last_in_row(ports, count, i)];
        if (last <= first + 1)
            continue;
        _cleanup_free_ char *key = xasprintf("%s_PORT_%ld_%s", prefix, first->number, first->upper);
        put(environment, "%s_START=%s://%s:%ld", key, first->protocol, address, first->number);
        put(environment, "%s_ADDR=%s", key, address);
        put(environment, "%s_PROTO=%s", key, first->protocol);
        put(environment, "%s_PORT_START=%ld", key, first->number);
        put(environment, "%s_END=%s://%s:%ld", key, last->protocol, address, last->number);
        put(environment, "%s_PORT_END=%ld", key, last->number);
        i = (size_t)(last - ports);
    }
    for (size_t i = 0; i < count; i++) {
        _cleanup_free_ char *key = xasprintf("%s_PORT_%ld_%s", prefix, ports[i].number, ports[i].upper);
        put(environment, "%s=%s://%s:%ld", key, ports[i].protocol, address, ports[i].number);
        put(environment, "%s_ADDR=%s", key, address);
        put(environment, "%s_PORT=%ld", key, ports[i].number);
        put(environment, "%s_PROTO=%s", key, ports[i].protocol);
        free(ports[i].protocol);
        free(ports[i].upper);
    }
    free(ports);
}

static char *address_of(struct container *container)
{
    container_lock(container);
    const struct endpoint_settings *endpoint =
        record_map_get(&container->record.endpoints, &endpoint_settings_type, "bridge");
    char *address = xstrdup(endpoint ? string_or_empty(endpoint->ip_address) : "");
    container_unlock(container);
    return address;
}

static void put_link(const char *own, const struct link *link, struct container *target, struct strlist *environment)
{
    const struct container_config *config = &target->record.config;
    _cleanup_free_ char *prefix = upper_case(own_name(link)), *address = address_of(target);
    put_ports(prefix, address, &config->exposed_ports, environment);
    put(environment, "%s_NAME=/%s/%s", prefix, own, link->alias);
    for (size_t i = 0; i < config->env.count; i++)
        if (strchr(config->env.items[i], '=') && !string_starts_with(config->env.items[i], "HOME=") &&
            !string_starts_with(config->env.items[i], "PATH="))
            put(environment, "%s_ENV_%s", prefix, config->env.items[i]);
}

static bool check_target(struct container *target, const char *own, const struct link *link, struct error *err)
{
    bool is_default = true, is_running = false;
    if (target) {
        container_lock(target);
        is_default = is_on_bridge(&target->record);
        is_running = status_is_running(target->status);
        container_unlock(target);
    }
    if (!is_default)
        return error_set(err, ERROR_INTERNAL, "Cannot link to /%s, as it does not belong to the default network",
                         link->name);
    if (!is_running)
        return error_set(err, ERROR_INTERNAL, "Cannot link to a non running container: /%s AS /%s/%s", link->name, own,
                         link->alias);
    return true;
}

bool links_environment(struct container *container, struct strlist *environment, struct error *err)
{
    _cleanup_strlist_ struct strlist links = {0};
    container_lock(container);
    _cleanup_free_ char *own = xstrdup(container->record.name);
    if (is_on_bridge(&container->record))
        strlist_copy(&links, &container->record.host_config.links);
    container_unlock(container);
    for (size_t i = 0; i < links.count; i++) {
        _cleanup_(link_release) struct link link = {0};
        if (!link_parse(links.items[i], &link))
            continue;
        _cleanup_container_ struct container *target = container_find(container->engine, link.id, NULL);
        if (!check_target(target, own, &link, err))
            return false;
        if (environment && target)
            put_link(own, &link, target, environment);
    }
    return true;
}

void links_await(struct container *container)
{
    int64_t end = clock_monotonic() + 5 * NANOSECONDS_PER_SECOND;
    const struct timespec until = {end / NANOSECONDS_PER_SECOND, end % NANOSECONDS_PER_SECOND};
    _cleanup_strlist_ struct strlist links = {0};
    copy_links(container, &links);
    for (size_t i = 0; i < links.count; i++) {
        _cleanup_(link_release) struct link link = {0};
        _cleanup_container_ struct container *target =
            link_parse(links.items[i], &link) ? container_find(container->engine, link.id, NULL) : NULL;
        if (!target)
            continue;
        int failure = 0;
        container_lock(target);
        while (target->status == STATUS_RESTARTING && !failure)
            failure = pthread_cond_timedwait(&target->operation_ended, &target->lock, &until);
        container_unlock(target);
    }
}

void links_hosts(struct container *container, struct strlist *out)
{
    _cleanup_strlist_ struct strlist links = {0};
    container_lock(container);
    if (is_on_bridge(&container->record))
        strlist_copy(&links, &container->record.host_config.links);
    container_unlock(container);
    for (size_t i = 0; i < links.count; i++) {
        _cleanup_(link_release) struct link link = {0};
        _cleanup_container_ struct container *target =
            link_parse(links.items[i], &link) ? container_find(container->engine, link.id, NULL) : NULL;
        _cleanup_free_ char *address = target ? address_of(target) : NULL;
        if (!string_is_set(address))
            continue;
        bool is_named = !string_equal(own_name(&link), link.name);
        strlist_addf(out, "%s %s%s%s:%s", own_name(&link), string_or_empty(target->record.config.hostname),
                     is_named ? " " : "", is_named ? link.name : "", address);
    }
}

/* --- changes --- */

/* Calls for every link to the container, with the container that has it. */
static void each_link_to(struct container *target, void (*visit)(struct container *, struct container *, size_t))
{
    if (!atomic_load(&target->is_linked))
        return;
    size_t count;
    struct container **all = container_snapshot(target->engine, &count);
    for (size_t i = 0; i < count; i++) {
        _cleanup_strlist_ struct strlist links = {0};
        copy_links(all[i], &links);
        for (size_t j = 0; j < links.count; j++)
            if (string_starts_with(links.items[j], target->record.id))
                visit(all[i], target, j);
    }
    container_snapshot_release(all, count);
}

static void tell_address(struct container *holder, struct container *target, size_t index)
{
    _cleanup_strlist_ struct strlist links = {0};
    _cleanup_(link_release) struct link link = {0};
    copy_links(holder, &links);
    if (index >= links.count || !link_parse(links.items[index], &link))
        return;
    _cleanup_free_ char *address = address_of(target);
    struct error err = ERROR_INIT;
    if (string_is_set(address) && !networks_move_host(holder, own_name(&link), address, &err))
        log_and_release(LOG_LEVEL_WARNING, &err, "container %s", holder->record.id);
}

void links_started(struct container *container)
{
    each_link_to(container, tell_address);
}

static void tell_name(struct container *holder, struct container *target, size_t index)
{
    if (!container_begin(holder, holder->record.id, NULL))
        return;
    container_lock(target);
    _cleanup_free_ char *name = xstrdup(target->record.name);
    container_unlock(target);
    container_lock(holder);
    struct strlist *links = &holder->record.host_config.links;
    if (index < links->count && string_starts_with(links->items[index], target->record.id)) {
        _cleanup_free_ char *changed = xasprintf("%s:%s%s", target->record.id, name, strrchr(links->items[index], ':'));
        string_replace(&links->items[index], changed);
    }
    container_unlock(holder);
    struct error err = ERROR_INIT;
    if (!container_save(holder, NOT_DURABLE, &err))
        log_and_release(LOG_LEVEL_WARNING, &err, "cannot save container %s", holder->record.id);
    container_end(holder);
}

void links_renamed(struct container *container)
{
    each_link_to(container, tell_name);
}

char *links_target(struct container *container, const char *alias)
{
    _cleanup_strlist_ struct strlist links = {0};
    copy_links(container, &links);
    for (size_t i = 0; i < links.count; i++) {
        _cleanup_(link_release) struct link link = {0};
        if (link_parse(links.items[i], &link) && string_equal(link.alias, alias))
            return xstrdup(link.id);
    }
    return NULL;
}

static bool remove_alias(struct container *container, const char *alias, struct error *err)
{
    container_lock(container);
    struct strlist *links = &container->record.host_config.links;
    for (size_t i = links->count; i-- > 0;)
        if (string_equal(strrchr(links->items[i], ':') + 1, alias))
            strlist_remove(links, i);
    if (!links->count)
        strlist_release(links);
    bool is_running = status_has_process(container->status);
    container_unlock(container);
    const char *slash = strrchr(alias, '/');
    return container_save(container, DURABLE, err) &&
           (!is_running || networks_move_host(container, slash ? slash + 1 : alias, NULL, err));
}

bool links_remove(struct engine *engine, const char *reference, struct error *err)
{
    _cleanup_container_ struct container *target = container_find(engine, reference, err);
    if (!target)
        return false;
    const char *name = reference + (reference[0] == '/'), *slash = strchr(name, '/');
    if (!slash)
        return error_set(err, ERROR_INTERNAL, "Conflict, cannot remove the default link name of the container");
    _cleanup_free_ char *own = xstrndup(name, (size_t)(slash - name));
    _cleanup_container_ struct container *container = container_find(engine, own, NULL);
    if (!container)
        return error_set(err, ERROR_INTERNAL, "Cannot get parent /%s for link name /%s", own, name);
    if (!container_begin(container, own, err))
        return false;
    bool is_removed = remove_alias(container, slash + 1, err);
    container_end(container);
    return is_removed;
}

/* --- lists --- */

void link_names_collect(struct container *const *containers, size_t count, struct link_names *out)
{
    for (size_t i = 0; i < count; i++) {
        container_lock(containers[i]);
        const struct container_record *record = &containers[i]->record;
        for (size_t j = 0; j < record->host_config.links.count; j++) {
            struct link link = {0};
            if (!link_parse(record->host_config.links.items[j], &link))
                continue;
            struct link_name *place = APPEND(out->names, out->count);
            memcpy(place->id, link.id, sizeof(place->id));
            place->name = xasprintf("/%s/%s", record->name, link.alias);
            link_release(&link);
        }
        container_unlock(containers[i]);
    }
}

void link_names_of(const struct link_names *names, const struct container_record *record, struct strlist *out)
{
    strlist_addf(out, "/%s", record->name);
    for (size_t i = 0; i < names->count; i++)
        if (string_equal(names->names[i].id, record->id))
            strlist_add(out, names->names[i].name);
    strlist_sort(out);
}

void link_names_release(struct link_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i].name);
    free(names->names);
}
