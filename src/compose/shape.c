#include "compose/shape.h"

#include <string.h>

#include "base/memory.h"
#include "base/sha256.h"
#include "base/text.h"
#include "json/json_record.h"

enum shape_kind {
    ANY = 0,   /* as it is; maps by their keys */
    STRUCTURE, /* fields in their order */
    MAP_OF,    /* names to values of one shape */
    LIST_OF,
};

enum shape_flags {
    IN_JSON_NULL = 1,  /* JSON has null where there is none */
    IN_JSON_EMPTY = 2, /* JSON has {} where there is none */
    KEEPS_EMPTY = 4,   /* written though it is empty */
    KEEPS_NULL = 8,    /* the values of this map may be null */
};

struct shape;
struct shape_field {
    const char *name;
    const struct shape *shape; /* NULL: any */
    unsigned flags;
    const char *json_name; /* where JSON has another one */
};
struct shape {
    enum shape_kind kind;
    const struct shape *item; /* of maps and lists */
    const struct shape_field *fields;
    size_t field_count;
};

#define STRUCT_SHAPE(name, ...)                                                                                        \
    static const struct shape_field name##_fields[] = {__VA_ARGS__};                                                   \
    static const struct shape name = {STRUCTURE, NULL, name##_fields, ARRAY_SIZE(name##_fields)}
#define LIST_SHAPE(name, of) static const struct shape name = {LIST_OF, &(of), NULL, 0}
#define MAP_SHAPE(name, of)  static const struct shape name = {MAP_OF, &(of), NULL, 0}

/* clang-format off */
STRUCT_SHAPE(grant, {"source"}, {"target"}, {"uid"}, {"gid"}, {"mode"});
LIST_SHAPE(grants, grant);
STRUCT_SHAPE(ulimit, {"soft"}, {"hard"});
MAP_SHAPE(ulimits, ulimit);
STRUCT_SHAPE(build, {"context"}, {"dockerfile"}, {"dockerfile_inline"}, {"entitlements"}, {"args", NULL, KEEPS_NULL},
    {"ssh"}, {"labels"}, {"cache_from"}, {"cache_to"}, {"no_cache"}, {"additional_contexts"}, {"pull"}, {"extra_hosts"},
    {"isolation"}, {"network"}, {"target"}, {"secrets", &grants}, {"shm_size"}, {"tags"}, {"ulimits", &ulimits},
    {"platforms"}, {"privileged"});
STRUCT_SHAPE(watch_exec, {"command", NULL, IN_JSON_NULL}, {"user"}, {"working_dir"});
STRUCT_SHAPE(watch, {"path"}, {"action"}, {"target"}, {"exec", &watch_exec, IN_JSON_EMPTY}, {"ignore"});
LIST_SHAPE(watches, watch);
STRUCT_SHAPE(develop, {"watch", &watches});
STRUCT_SHAPE(weight_device, {"path", NULL, 0, "Path"}, {"weight", NULL, 0, "Weight"});
LIST_SHAPE(weight_devices, weight_device);
STRUCT_SHAPE(throttle, {"path", NULL, 0, "Path"}, {"rate", NULL, 0, "Rate"});
LIST_SHAPE(throttles, throttle);
STRUCT_SHAPE(blkio, {"weight"}, {"weight_device", &weight_devices}, {"device_read_bps", &throttles},
    {"device_read_iops", &throttles}, {"device_write_bps", &throttles}, {"device_write_iops", &throttles});
STRUCT_SHAPE(dependency, {"condition"}, {"restart"}, {"required", NULL, KEEPS_EMPTY});
MAP_SHAPE(dependencies, dependency);
STRUCT_SHAPE(update, {"parallelism", NULL, KEEPS_EMPTY}, {"delay"}, {"failure_action"}, {"monitor"},
    {"max_failure_ratio"}, {"order"});
STRUCT_SHAPE(device_request, {"capabilities"}, {"driver"}, {"count"}, {"device_ids"}, {"options"});
LIST_SHAPE(device_requests, device_request);
STRUCT_SHAPE(limits, {"cpus"}, {"memory"}, {"pids"}, {"devices", &device_requests}, {"generic_resources"});
STRUCT_SHAPE(resources, {"limits", &limits, KEEPS_EMPTY}, {"reservations", &limits, KEEPS_EMPTY});
STRUCT_SHAPE(restart_policy, {"condition"}, {"delay"}, {"max_attempts", NULL, KEEPS_EMPTY}, {"window"});
STRUCT_SHAPE(placement, {"constraints"}, {"preferences"}, {"max_replicas_per_node"});
STRUCT_SHAPE(deploy, {"mode"}, {"replicas", NULL, KEEPS_EMPTY}, {"labels"}, {"update_config", &update, KEEPS_EMPTY},
    {"rollback_config", &update, KEEPS_EMPTY}, {"resources", &resources, IN_JSON_EMPTY}, {"restart_policy", &restart_policy, KEEPS_EMPTY},
    {"placement", &placement, IN_JSON_EMPTY}, {"endpoint_mode"});
STRUCT_SHAPE(device, {"source"}, {"target"}, {"permissions"});
LIST_SHAPE(devices, device);
STRUCT_SHAPE(health, {"test"}, {"timeout"}, {"interval"}, {"retries", NULL, KEEPS_EMPTY}, {"start_period"},
    {"start_interval"}, {"disable"});
STRUCT_SHAPE(logging, {"driver"}, {"options"});
STRUCT_SHAPE(attachment, {"priority"}, {"aliases"}, {"ipv4_address"}, {"ipv6_address"}, {"link_local_ips"},
    {"mac_address"}, {"driver_opts"});
MAP_SHAPE(attachments, attachment);
STRUCT_SHAPE(port, {"name"}, {"mode"}, {"host_ip"}, {"target"}, {"published"}, {"protocol"}, {"app_protocol"});
LIST_SHAPE(ports, port);
STRUCT_SHAPE(bind, {"selinux"}, {"propagation"}, {"create_host_path"}, {"recursive"});
STRUCT_SHAPE(volume_options, {"labels"}, {"nocopy"}, {"subpath"});
STRUCT_SHAPE(tmpfs, {"size"}, {"mode"});
STRUCT_SHAPE(mount, {"type"}, {"source"}, {"target"}, {"read_only"}, {"consistency"},
    {"bind", &bind, KEEPS_EMPTY}, {"volume", &volume_options, KEEPS_EMPTY}, {"tmpfs", &tmpfs, KEEPS_EMPTY}, {"image"});
LIST_SHAPE(mounts, mount);
STRUCT_SHAPE(env_file, {"path"}, {"required", NULL, KEEPS_EMPTY});
LIST_SHAPE(env_files, env_file);
STRUCT_SHAPE(extends, {"file"}, {"service"});
STRUCT_SHAPE(service, {"profiles"}, {"annotations"}, {"attach", NULL, KEEPS_EMPTY}, {"build", &build, KEEPS_EMPTY},
    {"develop", &develop, KEEPS_EMPTY}, {"blkio_config", &blkio, KEEPS_EMPTY}, {"cap_add"}, {"cap_drop"}, {"cgroup_parent"}, {"cgroup"},
    {"cpu_count"}, {"cpu_percent"}, {"cpu_period"}, {"cpu_quota"}, {"cpu_rt_period"}, {"cpu_rt_runtime"}, {"cpus"},
    {"cpuset"}, {"cpu_shares"}, {"command", NULL, IN_JSON_NULL | KEEPS_EMPTY}, {"configs", &grants}, {"container_name"},
    {"credential_spec"}, {"depends_on", &dependencies}, {"deploy", &deploy, KEEPS_EMPTY}, {"device_cgroup_rules"},
    {"devices", &devices}, {"dns"}, {"dns_opt"}, {"dns_search"}, {"domainname"},
    {"entrypoint", NULL, IN_JSON_NULL | KEEPS_EMPTY}, {"environment", NULL, KEEPS_NULL}, {"env_file", &env_files},
    {"expose"}, {"extends", &extends}, {"external_links"}, {"extra_hosts"}, {"group_add"}, {"gpus"}, {"hostname"},
    {"healthcheck", &health, KEEPS_EMPTY}, {"image"}, {"init", NULL, KEEPS_EMPTY}, {"ipc"}, {"isolation"}, {"labels"},
    {"label_file"}, {"links"}, {"logging", &logging, KEEPS_EMPTY}, {"log_driver"}, {"log_opt"}, {"mem_limit"}, {"mem_reservation"},
    {"memswap_limit"}, {"mem_swappiness"}, {"mac_address"}, {"models"}, {"network_mode"},
    {"networks", &attachments, KEEPS_NULL}, {"oom_kill_disable"}, {"oom_score_adj"}, {"pid"}, {"pids_limit"},
    {"platform"}, {"ports", &ports}, {"privileged"}, {"pull_policy"}, {"read_only"}, {"restart"}, {"runtime"},
    {"scale", NULL, KEEPS_EMPTY}, {"secrets", &grants}, {"security_opt"}, {"shm_size"}, {"stdin_open"},
    {"stop_grace_period", NULL, KEEPS_EMPTY}, {"stop_signal"}, {"storage_opt"}, {"sysctls"}, {"tmpfs"}, {"tty"},
    {"ulimits", &ulimits}, {"use_api_socket"}, {"user"}, {"userns_mode"}, {"uts"}, {"volume_driver"},
    {"volumes", &mounts}, {"volumes_from"}, {"working_dir"}, {"post_start"}, {"pre_stop"});
MAP_SHAPE(services, service);
STRUCT_SHAPE(pool, {"subnet"}, {"gateway"}, {"ip_range"}, {"aux_addresses"});
LIST_SHAPE(pools, pool);
STRUCT_SHAPE(ipam, {"driver"}, {"config", &pools});
STRUCT_SHAPE(network, {"name"}, {"driver"}, {"driver_opts"}, {"ipam", &ipam, IN_JSON_EMPTY}, {"external"}, {"internal"},
    {"attachable"}, {"labels"}, {"enable_ipv4", NULL, KEEPS_EMPTY}, {"enable_ipv6", NULL, KEEPS_EMPTY});
MAP_SHAPE(networks, network);
STRUCT_SHAPE(volume, {"name"}, {"driver"}, {"driver_opts"}, {"external"}, {"labels"});
MAP_SHAPE(volumes, volume);
STRUCT_SHAPE(object, {"name"}, {"file"}, {"environment"}, {"content"}, {"external"}, {"labels"}, {"driver"},
    {"driver_opts"}, {"template_driver"});
MAP_SHAPE(objects, object);
STRUCT_SHAPE(project, {"name"}, {"services", &services, KEEPS_EMPTY}, {"networks", &networks}, {"volumes", &volumes},
    {"secrets", &objects}, {"configs", &objects});
/* clang-format on */

struct writer {
    enum shape_form form;
    bool escapes;
};

static json_t *write_value(const struct writer *writer, const struct element *node, const struct shape *shape,
                           unsigned flags);

static char *escaped(const struct writer *writer, const char *text)
{
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    for (; *text; text++) {
        strbuf_add_char(&out, *text);
        if (*text == '$' && writer->escapes)
            strbuf_add_char(&out, '$');
    }
    return text_to_utf8(strbuf_text(&out));
}

static bool is_empty(const struct element *node)
{
    if (!node || node->kind == ELEMENT_NULL)
        return true;
    if (node->kind == ELEMENT_LIST || node->kind == ELEMENT_MAP)
        return node->count == 0;
    if (node->kind == ELEMENT_BOOL)
        return !node->integer;
    if (node->kind == ELEMENT_STRING)
        return !*node->text;
    return node->number == 0;
}

/* Go's maps are written in the order of their keys; yaml.v3 puts numbers in them by value. */
static int compare_keys(const char *a, const char *b, enum shape_form form)
{
    for (; form == FORM_YAML && *a && *b; a++, b++) {
        size_t left = strspn(a, "0123456789"), right = strspn(b, "0123456789");
        if (left && right) {
            long long x = strtoll(a, NULL, 10), y = strtoll(b, NULL, 10);
            if (x != y)
                return x < y ? -1 : 1;
            a += left - 1;
            b += right - 1;
            continue;
        }
        bool is_a = (*a | 32) >= 'a' && (*a | 32) <= 'z', is_b = (*b | 32) >= 'a' && (*b | 32) <= 'z';
        if (*a != *b && is_a != is_b)
            return is_a ? 1 : -1;
        if (*a != *b)
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
    }
    return strcmp(a, b);
}

struct sorted {
    const char *key;
    const struct element *item;
    enum shape_form form;
};

static int by_key(const void *left, const void *right)
{
    const struct sorted *a = left, *b = right;
    return compare_keys(a->key, b->key, a->form);
}

static struct sorted *sort_keys(const struct element *map, enum shape_form form)
{
    struct sorted *sorted = xcalloc(map->count + 1, sizeof(*sorted));
    for (size_t i = 0; i < map->count; i++)
        sorted[i] = (struct sorted){map->keys[i], map->items[i], form};
    qsort(sorted, map->count, sizeof(*sorted), by_key);
    return sorted;
}

static json_t *write_map(const struct writer *writer, const struct element *map, const struct shape *of, unsigned flags)
{
    json_t *json = json_object();
    _cleanup_free_ struct sorted *sorted = sort_keys(map, writer->form);
    for (size_t i = 0; i < map->count; i++) {
        bool is_null = sorted[i].item->kind == ELEMENT_NULL;
        bool becomes_empty = is_null && of && !(flags & KEEPS_NULL);
        json_object_set_new(json, sorted[i].key,
                            becomes_empty ? json_object() : write_value(writer, sorted[i].item, of, 0));
    }
    return json;
}

static void add_field(const struct writer *writer, json_t *json, const struct element *from,
                      const struct shape_field *field)
{
    const struct element *item = element_get(from, field->name);
    const char *name = writer->form == FORM_JSON && field->json_name ? field->json_name : field->name;
    bool is_given = item && item->kind != ELEMENT_NULL;
    if (is_given && (!is_empty(item) || field->flags & KEEPS_EMPTY)) {
        _cleanup_json_ json_t *value = write_value(writer, item, field->shape, field->flags);
        json_object_set(json, name, value);
    } else if (writer->form == FORM_JSON && field->flags & IN_JSON_NULL) {
        json_object_set_new(json, name, json_null());
    } else if (writer->form == FORM_JSON && field->flags & IN_JSON_EMPTY) {
        struct element nothing = {.kind = ELEMENT_MAP};
        json_object_set_new(json, name, write_value(writer, &nothing, field->shape, 0));
    }
}

static json_t *write_structure(const struct writer *writer, const struct element *node, const struct shape *shape)
{
    json_t *json = json_object();
    for (size_t i = 0; i < shape->field_count; i++)
        add_field(writer, json, node, &shape->fields[i]);
    if (writer->form == FORM_JSON)
        return json;
    _cleanup_free_ struct sorted *sorted = sort_keys(node, writer->form);
    for (size_t i = 0; i < node->count; i++)
        if (string_starts_with(sorted[i].key, "x-"))
            json_object_set_new(json, sorted[i].key, write_value(writer, sorted[i].item, NULL, 0));
    return json;
}

static json_t *write_value(const struct writer *writer, const struct element *node, const struct shape *shape,
                           unsigned flags)
{
    if (node->kind == ELEMENT_STRING) {
        _cleanup_free_ char *text = escaped(writer, node->text);
        return json_string(text);
    }
    if (node->kind == ELEMENT_LIST) {
        json_t *json = json_array();
        for (size_t i = 0; i < node->count; i++)
            json_array_append_new(json, write_value(writer, node->items[i], shape ? shape->item : NULL, 0));
        return json;
    }
    if (node->kind != ELEMENT_MAP)
        return element_to_json(node);
    if (shape && shape->kind == STRUCTURE)
        return write_structure(writer, node, shape);
    return write_map(writer, node, shape ? shape->item : NULL, flags);
}

json_t *shape_project(const struct element *root, enum shape_form form, bool escapes)
{
    struct writer writer = {form, escapes};
    if (form == FORM_YAML)
        return write_structure(&writer, root, &project);
    /* docker compose makes a map of it first: sorted, with the extensions. */
    _cleanup_json_ json_t *fields = write_structure(&writer, root, &project);
    json_t *json = json_object();
    _cleanup_free_ struct sorted *sorted = sort_keys(root, form);
    for (size_t i = 0; i < root->count; i++) {
        json_t *value = json_object_get(fields, sorted[i].key);
        if (value)
            json_object_set(json, sorted[i].key, value);
        else if (string_starts_with(sorted[i].key, "x-"))
            json_object_set_new(json, sorted[i].key, write_value(&writer, sorted[i].item, NULL, 0));
    }
    return json;
}

char *shape_hash(const json_t *configuration)
{
    _cleanup_json_ json_t *copy = json_copy((json_t *)(uintptr_t)configuration);
    json_object_del(copy, "build");
    json_object_del(copy, "pull_policy");
    json_object_del(copy, "scale");
    const json_t *deploy_given = json_object_get(copy, "deploy");
    if (deploy_given) {
        json_t *without = json_copy((json_t *)(uintptr_t)deploy_given);
        json_object_del(without, "replicas");
        json_object_set_new(copy, "deploy", without);
    }
    _cleanup_free_ char *text = json_format(copy);
    char hex[SHA256_HEX_SIZE];
    sha256_hex(text, strlen(text), hex);
    return xstrdup(hex);
}
