#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/health.h"
#include "engine/links.h"
#include "engine/mounts.h"
#include "engine/names.h"
#include "engine/validate.h"
#include "engine/volumes.h"
#include "runtime/defaults.h"

/* As Docker's runconfig merge: what the user gave wins; the image's environment follows the user's. */
void config_merge(struct container_config *config, const struct container_config *image)
{
    if (!string_is_set(config->user))
        string_replace(&config->user, image->user);
    for (size_t i = 0; i < image->exposed_ports.count; i++)
        if (!strlist_contains(&config->exposed_ports, image->exposed_ports.items[i]))
            strlist_add(&config->exposed_ports, image->exposed_ports.items[i]);
    for (size_t i = 0; i < image->env.count; i++) {
        _cleanup_free_ char *key = xstrndup(image->env.items[i], strcspn(image->env.items[i], "="));
        bool is_given = false;
        for (size_t j = 0; j < config->env.count && !is_given; j++) {
            size_t length = strlen(key);
            is_given = strncmp(config->env.items[j], key, length) == 0 &&
                       (config->env.items[j][length] == '=' || config->env.items[j][length] == '\0');
        }
        if (!is_given)
            strlist_add(&config->env, image->env.items[i]);
    }
    for (size_t i = 0; i < image->labels.count; i++)
        if (!strmap_get(&config->labels, image->labels.items[i].key))
            strmap_set(&config->labels, image->labels.items[i].key, image->labels.items[i].value);
    if (config->entrypoint.count == 0) {
        if (config->cmd.count == 0)
            strlist_copy(&config->cmd, &image->cmd);
        if (!strlist_is_given(&config->entrypoint))
            strlist_copy(&config->entrypoint, &image->entrypoint);
    }
    if (!string_is_set(config->working_dir))
        string_replace(&config->working_dir, image->working_dir);
    if (config->volumes.count == 0)
        strlist_copy(&config->volumes, &image->volumes); /* with it, null or {} as the image has it */
    for (size_t i = 0; i < image->volumes.count; i++)
        if (!strlist_contains(&config->volumes, image->volumes.items[i]))
            strlist_add(&config->volumes, image->volumes.items[i]);
    if (!string_is_set(config->stop_signal))
        string_replace(&config->stop_signal, image->stop_signal);
    if (config->shell.count == 0 && image->shell.count)
        strlist_copy(&config->shell, &image->shell);
    health_merge(config, image);
}

static bool resolve_image(struct engine *engine, struct create_request *request, struct container_record *record,
                          struct error *err)
{
    if (!string_is_set(request->config.image)) {
        if (request->config.cmd.count == 0 && request->config.entrypoint.count == 0)
            return error_set(err, ERROR_INVALID, "no command specified");
        return error_set(err, ERROR_INVALID, "an image must be given");
    }
    _cleanup_image_ struct image image = {0};
    if (!image_get(engine->store, request->config.image, &image, err))
        return false;
    record->image_id = xstrdup(image.id);
    strlist_copy(&record->diff_ids, &image.parsed.rootfs.diff_ids);
    config_merge(&request->config, &image.parsed.config);
    return true;
}

static bool take_command(struct container_record *record, struct error *err)
{
    struct container_config *config = &record->config;
    if (config->entrypoint.count == 1 && !config->entrypoint.items[0][0])
        strlist_release(&config->entrypoint);
    if (config->entrypoint.count == 0 && config->cmd.count == 0)
        return error_set(err, ERROR_INVALID, "no command specified");
    const struct strlist *first = config->entrypoint.count ? &config->entrypoint : &config->cmd;
    record->path = xstrdup(first->items[0]);
    strlist_give(&record->args);
    for (size_t i = 1; i < first->count; i++)
        strlist_add(&record->args, first->items[i]);
    for (size_t i = 0; config->entrypoint.count && i < config->cmd.count; i++)
        strlist_add(&record->args, config->cmd.items[i]);
    return true;
}

static void set_hostname(struct engine *engine, struct container_record *record)
{
    struct container_config *config = &record->config;
    const char *mode = record->host_config.network_mode;
    if (string_is_set(config->hostname))
        return;
    if (string_starts_with(mode, "container:")) {
        _cleanup_container_ struct container *other = container_find(engine, mode + strlen("container:"), NULL);
        if (other)
            string_replace(&config->hostname, other->record.config.hostname);
        return;
    }
    struct utsname names;
    if (string_equal(mode, "host") && uname(&names) == 0) {
        string_replace(&config->hostname, names.nodename);
    } else {
        free(config->hostname); /* it may be given and empty */
        config->hostname = xstrndup(record->id, ID_SHORT_LENGTH);
    }
}

/* As Docker: who is not confined otherwise is not confined by labels either, and inspect says so. */
static void set_label_option(struct host_config *host)
{
    for (size_t i = 0; i < host->security_opt.count; i++)
        if (string_starts_with(host->security_opt.items[i], "label"))
            return;
    if (host->privileged || string_equal(host->ipc_mode, "host") || string_equal(host->pid_mode, "host"))
        strlist_add(&host->security_opt, "label=disable");
}

static void set_system_paths(struct host_config *host)
{
    bool is_open = host->privileged;
    for (size_t i = 0; i < host->security_opt.count; i++)
        is_open = is_open || string_equal(host->security_opt.items[i], "systempaths=unconfined");
    if (is_open) {
        strlist_release(&host->masked_paths);
        strlist_release(&host->readonly_paths);
        return;
    }
    if (!strlist_is_given(&host->masked_paths))
        defaults_masked_paths(&host->masked_paths);
    if (!strlist_is_given(&host->readonly_paths))
        defaults_readonly_paths(&host->readonly_paths);
}

static bool is_address(int family, const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(family, text, bytes) == 1;
}

/* Addresses are for networks of the user's own. As Docker, all that is wrong with them is told at once. */
static bool check_addresses(const char *network, const struct endpoint_ipam_config *ipam, struct error *err)
{
    const char *v4 = ipam ? string_or_empty(ipam->ipv4_address) : "",
               *v6 = ipam ? string_or_empty(ipam->ipv6_address) : "";
    _cleanup_strlist_ struct strlist problems = {0};
    if (*v4 || *v6)
        strlist_add(&problems, "user specified IP address is supported on user defined networks only");
    if (*v4 && !is_address(AF_INET, v4))
        strlist_addf(&problems, "invalid IPv4 address: %s", v4);
    if (*v6 && !is_address(AF_INET6, v6))
        strlist_addf(&problems, "invalid IPv6 address: %s", v6);
    for (size_t i = 0; ipam && i < ipam->link_local_ips.count; i++)
        if (!is_address(AF_INET, ipam->link_local_ips.items[i]) && !is_address(AF_INET6, ipam->link_local_ips.items[i]))
            strlist_addf(&problems, "invalid link-local IP address: %s", ipam->link_local_ips.items[i]);
    if ((*v4 || *v6) && !string_starts_with(network, "container:"))
        strlist_add(&problems, "user specified IP address is supported only when connecting to networks with user "
                               "configured subnets");
    if (!problems.count)
        return true;
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < problems.count; i++)
        strbuf_addf(&text, "\n%s%s", problems.count > 1 ? "* " : "", problems.items[i]);
    return error_set(err, ERROR_INVALID, "invalid config for network %s: invalid endpoint settings:%s", network,
                     strbuf_text(&text));
}

#define MAC_LENGTH 17 /* six pairs of digits, colons between them */

static bool check_mac_address(const char *network, const char *text, struct error *err)
{
    bool is_valid = !string_is_set(text) || strlen(text) == MAC_LENGTH;
    for (size_t i = 0; is_valid && string_is_set(text) && i < MAC_LENGTH; i++)
        is_valid = i % 3 == 2 ? text[i] == ':' : isxdigit((unsigned char)text[i]) != 0;
    return is_valid ||
           error_set(err, ERROR_INVALID, "invalid config for network %s: invalid MAC address %s", network, text);
}

/* Docker checks an address of a network of the user's own against that network, where it is there already. */
static bool check_endpoint(struct engine *engine, const char *network, const struct endpoint_settings *asked,
                           struct error *err)
{
    if (!check_mac_address(network, asked->mac_address, err))
        return false;
    if (network_is_predefined(network) && !string_equal(network, "bridge")) {
        if (!check_addresses(network, asked->ipam_config, err))
            return false;
        if (asked->aliases.count > 0)
            return error_set(err, ERROR_INVALID,
                             "invalid config for network %s: invalid endpoint settings:\nnetwork-scoped alias is "
                             "supported only for containers in user defined networks",
                             network);
    } else {
        _cleanup_free_ char *problems = network_endpoint_problems(engine->network, network, asked);
        if (problems)
            return error_set(err, ERROR_INVALID, "invalid config for network %s: invalid endpoint settings:%s", network,
                             problems);
    }
    return true;
}

/* The name of a network that is there, else what was given: then its absence is told at the start. */
static char *network_key(struct engine *engine, const char *reference)
{
    struct network_record network = {0};
    const char *name = network_name(reference);
    bool is_found = network_get(engine->network, name, &network, NULL);
    char *key = xstrdup(is_found ? network.name : name);
    record_release(&network_record_type, &network);
    return key;
}

/* The endpoint of the network mode is always there, as inspect shows it; what the request says of it is kept. */
static bool take_endpoints(struct engine *engine, struct container_record *record, struct networking_config *networking,
                           struct error *err)
{
    const char *mode = record->host_config.network_mode;
    struct record_map *asked = &networking->endpoints_config;
    if (string_starts_with(mode, "container:")) {
        const struct endpoint_settings *theirs = record_map_get(asked, &endpoint_settings_type, mode);
        return !theirs || check_addresses(mode, theirs->ipam_config, err);
    }
    _cleanup_free_ char *main = network_key(engine, mode);
    for (size_t i = 0; i < asked->keys.count; i++) {
        _cleanup_free_ char *key = network_key(engine, asked->keys.items[i]);
        const struct endpoint_settings *theirs = RECORD_AT(*asked, struct endpoint_settings, i);
        bool is_main = string_equal(key, main);
        if (!is_main && (string_equal(main, "host") || string_equal(main, "none") || string_equal(key, "host") ||
                         string_equal(key, "none")))
            return error_set(err, ERROR_INVALID,
                             "conflicting options: cannot attach both user-defined and non-user-defined network-modes");
        if (!check_endpoint(engine, key, theirs, err))
            return false;
        struct endpoint_settings *place = record_map_put(&record->endpoints, &endpoint_settings_type, key);
        record_copy(&endpoint_settings_type, place, theirs);
        /* The endpoint forgets its address with each exit; the config is what the next start goes by. */
        if (is_main && string_is_set(theirs->mac_address))
            string_replace(&record->config.mac_address, theirs->mac_address);
    }
    if (!check_mac_address(main, record->config.mac_address, err))
        return false;
    struct endpoint_settings *own = record_map_put(&record->endpoints, &endpoint_settings_type, main);
    if (string_is_set(record->config.mac_address))
        string_replace(&own->mac_address, record->config.mac_address);
    return true;
}

static bool check_other_containers(struct engine *engine, const struct host_config *host, struct error *err)
{
    const char *modes[] = {host->pid_mode, host->ipc_mode};
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        if (!modes[i] || !string_starts_with(modes[i], "container:"))
            continue;
        _cleanup_error_ struct error why = ERROR_INIT;
        _cleanup_container_ struct container *other = container_find(engine, modes[i] + 10, &why);
        if (!other)
            return error_set(err, ERROR_INVALID, "%s", error_message(&why));
    }
    return true;
}

static bool choose_name(struct engine *engine, struct container_record *record, const char *name, struct error *err)
{
    if (string_is_set(name)) {
        const char *plain = name[0] == '/' ? name + 1 : name;
        if (!name_is_valid(plain))
            return error_set(err, ERROR_INVALID,
                             "Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name);
        record->name = xstrdup(plain);
        return true;
    }
    for (unsigned attempt = 0; attempt < 6; attempt++) {
        free(record->name);
        record->name = name_generate(attempt);
        if (!container_name_is_taken(engine, record->name))
            return true;
    }
    string_replace(&record->name, record->id);
    return true;
}

static bool fill_record(struct engine *engine, const char *name, struct create_request *request,
                        struct container_record *record, struct strlist *warnings, struct error *err)
{
    char id[ID_LENGTH + 1];
    id_generate(id);
    record->id = xstrdup(id);
    record->created = clock_now();
    if (!choose_name(engine, record, name, err))
        return false;
    if (!validate_request(request, warnings, err) || !check_other_containers(engine, &request->host_config, err) ||
        !resolve_image(engine, request, record, err))
        return false;
    request_defaults(&engine->options, request);
    if (!mounts_collect(engine, request, &record->mounts, err) || !mounts_find_images(engine, &record->mounts, err))
        return false;
    volumes_name(record);
    record->config = request->config;
    request->config = (struct container_config){0};
    record->host_config = request->host_config;
    request->host_config = (struct host_config){0};
    set_hostname(engine, record);
    set_label_option(&record->host_config);
    set_system_paths(&record->host_config);
    return take_command(record, err) && take_endpoints(engine, record, &request->networking_config, err);
}

static void remove_files(struct container *container)
{
    _cleanup_free_ char *folder = container_path(container, NULL);
    container_layer_remove(container->engine->store, container->record.id, NULL);
    tree_remove(-1, folder, NULL);
}

bool container_create(struct engine *engine, const char *name, struct create_request *request, char **id,
                      struct strlist *warnings, struct error *err)
{
    int64_t begin = clock_monotonic();
    _cleanup_container_ struct container *container = container_new(engine);
    bool is_good = fill_record(engine, name, request, &container->record, warnings, err);
    /* In this order: the second zeroes the whole request, of which its table knows only a part. */
    record_release(&container_config_type, &request->config);
    record_release(&create_request_type, request);
    if (!is_good || !container_begin(container, container->record.id, err))
        return false;
    /* The name is taken first, so that two who want it cannot both go on; the operation keeps others off until the
       container is whole. */
    if (!container_table_add(engine, container, err))
        return false;
    is_good = links_take(container, err) && container_layer_create(engine->store, container->record.id, err) &&
              container_layer_use_image(engine->store, container->record.id, container->record.image_id, err) &&
              mounts_keep_images(engine, container->record.id, &container->record.mounts, err) &&
              volumes_prepare(container, err) && container_save(container, DURABLE, err);
    if (!is_good) {
        container_lock(container);
        container->is_removed = true;
        container_unlock(container);
        container_table_remove(engine, container);
        volumes_remove_anonymous(container);
        remove_files(container);
    }
    if (is_good)
        container_event(container, "create", NULL);
    container_end(container);
    if (!is_good)
        return false;
    metrics_observe(&engine->metrics, ACTION_CREATE, begin);
    *id = xstrdup(container->record.id);
    return true;
}
