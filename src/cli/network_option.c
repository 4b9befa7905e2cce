#include "cli/network_option.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "cli/flag_checks.h"
#include "json/json_record.h"

struct attachment {
    char *target;
    struct strlist aliases, links, link_local_ips;
    struct strmap driver_options;
    char *ip, *ip6, *mac_address;
    int64_t gateway_priority;
};

static void attachment_release(struct attachment *attachment)
{
    free(attachment->target);
    strlist_release(&attachment->aliases);
    strlist_release(&attachment->links);
    strlist_release(&attachment->link_local_ips);
    strmap_release(&attachment->driver_options);
    free(attachment->ip);
    free(attachment->ip6);
    free(attachment->mac_address);
}

/* "word=word…" is docker's sign of the long form. */
static bool is_long_form(const char *value)
{
    size_t word = 0;
    while (isalnum((unsigned char)value[word]) || value[word] == '_' || value[word] == '-')
        word++;
    return word > 0 && value[word] == '=' && value[word + 1];
}

static bool set_field(struct attachment *out, const char *key, const char *value, struct error *err)
{
    if (string_equal(key, "name")) {
        string_replace(&out->target, value);
    } else if (string_equal(key, "alias")) {
        strlist_add(&out->aliases, value);
    } else if (string_equal(key, "link-local-ip")) {
        strlist_add(&out->link_local_ips, value);
    } else if (string_equal(key, "ip")) {
        string_replace(&out->ip, value);
    } else if (string_equal(key, "ip6")) {
        string_replace(&out->ip6, value);
    } else if (string_equal(key, "mac-address")) {
        string_replace(&out->mac_address, value);
    } else if (string_equal(key, "driver-opt")) {
        size_t length = strcspn(value, "=");
        if (!value[length])
            return error_set(err, ERROR_INVALID, "invalid key value pair format in driver options");
        _cleanup_free_ char *name = xstrndup(value, length);
        strmap_set(&out->driver_options, name, value + length + 1);
    } else if (string_equal(key, "gw-priority")) {
        if (!parse_int64(value, &out->gateway_priority))
            return error_set(err, ERROR_INVALID, "invalid gw-priority: invalid syntax");
    } else {
        return error_set(err, ERROR_INVALID, "invalid field key %s", key);
    }
    return true;
}

static bool attachment_parse(const char *value, struct attachment *out, struct error *err)
{
    if (!is_long_form(value)) {
        out->target = xstrdup(value);
        return true;
    }
    _cleanup_strlist_ struct strlist fields = {0};
    if (!csv_split(value, &fields, err))
        return false;
    for (size_t i = 0; i < fields.count; i++) {
        char *field = fields.items[i];
        size_t length = strcspn(field, "=");
        if (!field[length])
            return error_set(err, ERROR_INVALID, "invalid field %s", field);
        _cleanup_free_ char *key = xstrndup(field, length);
        for (char *at = key; *at; at++)
            *at = (char)tolower((unsigned char)*at);
        if (!set_field(out, key, field + length + 1, err))
            return false;
    }
    if (!string_is_set(out->target))
        return error_set(err, ERROR_INVALID, "network name/id is not specified");
    return true;
}

bool check_network(void *place, const char *value, struct error *err)
{
    _cleanup_(attachment_release) struct attachment attachment = {0};
    if (!attachment_parse(value, &attachment, err))
        return false;
    strlist_add(place, value);
    return true;
}

static bool is_user_defined(const char *mode)
{
    return !string_equal(mode, "default") && !string_equal(mode, "bridge") && !string_equal(mode, "host") &&
           !string_equal(mode, "none") && !string_starts_with(mode, "container:");
}

static bool take_older_text(char **place, const char *value, const char *flag, const char *what, struct error *err)
{
    if (!string_is_set(value))
        return true;
    if (*place)
        return error_set(err, ERROR_INVALID, "conflicting options: cannot specify both --%s and per-network %s", flag,
                         what);
    *place = xstrdup(value);
    return true;
}

static bool take_older_list(struct strlist *place, const struct strlist *values, const char *flag, const char *what,
                            struct error *err)
{
    if (values->count == 0)
        return true;
    if (place->count > 0)
        return error_set(err, ERROR_INVALID, "conflicting options: cannot specify both --%s and per-network %s", flag,
                         what);
    strlist_copy(place, values);
    return true;
}

/* The flags that are older than the long form belong to the first network. */
static bool take_older_flags(struct attachment *first, const struct container_options *options, struct error *err)
{
    bool is_own = is_user_defined(first->target);
    return take_older_list(&first->aliases, &options->network_alias, "network-alias", "alias", err) &&
           (!is_own || take_older_list(&first->links, &options->link, "link", "links", err)) &&
           take_older_text(&first->ip, options->ip, "ip", "IPv4 address", err) &&
           take_older_text(&first->ip6, options->ip6, "ip6", "IPv6 address", err) &&
           take_older_text(&first->mac_address, options->mac_address, "mac-address", "MAC address", err) &&
           take_older_list(&first->link_local_ips, &options->link_local_ip, "link-local-ip", "link-local IP addresses",
                           err);
}

static bool is_mac_address(const char *text)
{
    for (int i = 0; i < 6; i++, text += 2) {
        if (i > 0 && *text != ':' && *text != '-')
            return false;
        text += i > 0;
        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]))
            return false;
    }
    return !*text;
}

static json_t *list_json(const struct strlist *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}

/* EndpointSettings: only what was asked for; NULL (without an error) where nothing was. */
static bool endpoint_json(const struct attachment *attachment, json_t **out, struct error *err)
{
    if (attachment->aliases.count > 0 && !is_user_defined(attachment->target))
        return error_set(err, ERROR_INVALID, "network-scoped aliases are only supported for user-defined networks");
    if (attachment->mac_address && !is_mac_address(attachment->mac_address))
        return error_set(err, ERROR_INVALID, "%s is not a valid mac address", attachment->mac_address);
    json_t *endpoint = json_object();
    if (attachment->aliases.count > 0)
        json_object_set_new(endpoint, "Aliases", list_json(&attachment->aliases));
    if (attachment->links.count > 0)
        json_object_set_new(endpoint, "Links", list_json(&attachment->links));
    if (attachment->mac_address)
        json_object_set_new(endpoint, "MacAddress", json_string(attachment->mac_address));
    if (attachment->gateway_priority)
        json_object_set_new(endpoint, "GwPriority", json_integer((json_int_t)attachment->gateway_priority));
    if (attachment->driver_options.count > 0) {
        json_t *map = json_object();
        for (size_t i = 0; i < attachment->driver_options.count; i++)
            json_object_set_new(map, attachment->driver_options.items[i].key,
                                json_string(attachment->driver_options.items[i].value));
        json_object_set_new(endpoint, "DriverOpts", map);
    }
    if (attachment->ip || attachment->ip6 || attachment->link_local_ips.count > 0) {
        json_t *addresses = json_object();
        if (attachment->ip)
            json_object_set_new(addresses, "IPv4Address", json_string(attachment->ip));
        if (attachment->ip6)
            json_object_set_new(addresses, "IPv6Address", json_string(attachment->ip6));
        if (attachment->link_local_ips.count > 0)
            json_object_set_new(addresses, "LinkLocalIPs", list_json(&attachment->link_local_ips));
        json_object_set_new(endpoint, "IPAMConfig", addresses);
    }
    *out = endpoint;
    return true;
}

bool network_options_apply(const struct container_options *options, char **mode, json_t **endpoints, struct error *err)
{
    _cleanup_json_ json_t *all = json_object();
    _cleanup_free_ char *first_target = NULL;
    bool has_user_defined = false, has_other = false;
    size_t count = options->network.count ? options->network.count : 1;
    for (size_t i = 0; i < count; i++) {
        _cleanup_(attachment_release) struct attachment attachment = {0};
        if (!attachment_parse(options->network.count ? options->network.items[i] : "default", &attachment, err))
            return false;
        if (!*attachment.target)
            return error_set(err, ERROR_INVALID, "no name set for network");
        if (is_user_defined(attachment.target))
            has_user_defined = true;
        else
            has_other = true;
        if (i == 0) {
            first_target = xstrdup(attachment.target);
            if (!take_older_flags(&attachment, options, err))
                return false;
        }
        json_t *endpoint = NULL;
        if (!endpoint_json(&attachment, &endpoint, err))
            return false;
        if (json_object_get(all, attachment.target)) {
            json_decref(endpoint);
            return error_set(err, ERROR_INVALID, "network \"%s\" is specified multiple times", attachment.target);
        }
        if (count == 1 && json_object_size(endpoint) == 0)
            json_decref(endpoint);
        else
            json_object_set_new(all, attachment.target, endpoint);
    }
    if (has_user_defined && has_other)
        return error_set(err, ERROR_INVALID,
                         "conflicting options: cannot attach both user-defined and non-user-defined "
                         "network-modes");
    *mode = TAKE_PTR(first_target);
    *endpoints = json_incref(all);
    return true;
}
