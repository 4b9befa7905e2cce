/* /etc/hosts and /etc/resolv.conf of a container: written whole at its start, and changed line by line while it runs,
   so that what the container itself has written stays. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/engine_state.h"
#include "engine/links.h"
#include "engine/networks.h"
#include "network/network.h"

#define FILE_LIMIT ((size_t)1 << 20)

/* A container's file is also changed from the starts of others, those that it has links to: who writes looks up their
   addresses under this lock, so that the last one has the newest. Taken before the lock of a container. */
static pthread_mutex_t hosts_lock = PTHREAD_MUTEX_INITIALIZER;

static char *host_hosts_file(const struct strlist *extra_hosts)
{
    struct strbuf text = STRBUF_INIT;
    (void)file_read(AT_FDCWD, "/etc/hosts", FILE_LIMIT, &text, NULL);
    if (text.length && text.data[text.length - 1] != '\n')
        strbuf_add_char(&text, '\n');
    for (size_t i = 0; i < extra_hosts->count; i++) {
        const char *colon = strchr(extra_hosts->items[i], ':');
        if (colon)
            strbuf_addf(&text, "%s\t%.*s\n", colon + 1, (int)(colon - extra_hosts->items[i]), extra_hosts->items[i]);
    }
    return strbuf_take(&text);
}

static bool needs_resolver(const struct record_map *endpoints)
{
    for (size_t i = 0; i < endpoints->keys.count; i++)
        if (!network_is_predefined(endpoints->keys.items[i]))
            return true;
    return false;
}

static char *resolv_conf(const struct host_config *host, bool has_resolver)
{
    bool is_host = string_equal(host->network_mode, "host");
    return has_resolver ? network_internal_resolv_conf(&host->dns, &host->dns_search, &host->dns_options)
                        : network_resolv_conf(is_host, &host->dns, &host->dns_search, &host->dns_options);
}

static bool write_file(const struct container *container, const char *name, const char *text, struct error *err)
{
    _cleanup_free_ char *path = container_path(container, name);
    return file_write_text(AT_FDCWD, path, text, 0644, err);
}

/* The addresses in the order of the interfaces. */
bool networks_write_files(struct container *container, const struct record_map *endpoints, struct error *err)
{
    const struct container_config *config = &container->record.config;
    const struct host_config *host = &container->record.host_config;
    _cleanup_strlist_ struct strlist addresses = {0}, extra = {0};
    const struct endpoint_settings *gateway = networks_gateway(endpoints, NULL);
    for (size_t i = 0; i < endpoints->keys.count; i++) {
        const struct endpoint_settings *endpoint = RECORD_AT(*endpoints, struct endpoint_settings, i);
        if (string_is_set(endpoint->ip_address))
            strlist_add(&addresses, endpoint->ip_address);
        if (string_is_set(endpoint->global_ipv6_address))
            strlist_add(&addresses, endpoint->global_ipv6_address);
    }
    strlist_copy(&extra, &host->extra_hosts);
    pthread_mutex_lock(&hosts_lock);
    links_hosts(container, &extra);
    _cleanup_free_ char *hosts = string_equal(host->network_mode, "host")
                                     ? host_hosts_file(&extra)
                                     : network_hosts_file(config->hostname, config->domainname, &addresses, &extra,
                                                          gateway ? gateway->gateway : NULL);
    _cleanup_free_ char *resolv = resolv_conf(host, needs_resolver(endpoints));
    _cleanup_free_ char *hostname = xasprintf("%s\n", string_or_empty(config->hostname));
    bool is_written = write_file(container, "hosts", hosts, err);
    pthread_mutex_unlock(&hosts_lock);
    return is_written && write_file(container, "resolv.conf", resolv, err) &&
           write_file(container, "hostname", hostname, err);
}

static bool is_line_of(const char *line, const char *address)
{
    return string_is_set(address) && string_starts_with(line, address) && line[strlen(address)] == '\t';
}

static void add_host(struct strbuf *text, const char *address, const struct container_config *config)
{
    if (!string_is_set(address))
        return;
    if (string_is_set(config->domainname))
        strbuf_addf(text, "%s\t%s.%s %s\n", address, config->hostname, config->domainname, config->hostname);
    else
        strbuf_addf(text, "%s\t%s\n", address, config->hostname);
}

static bool change_hosts(struct container *container, const struct endpoint_settings *gone,
                         const struct endpoint_settings *come, struct error *err)
{
    _cleanup_free_ char *path = container_path(container, "hosts");
    _cleanup_strbuf_ struct strbuf old = STRBUF_INIT, text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, path, FILE_LIMIT, &old, err))
        return false;
    _cleanup_strlist_ struct strlist lines = strlist_split(strbuf_text(&old), '\n');
    for (size_t i = 0; i < lines.count; i++) {
        const char *line = lines.items[i];
        if (*line && !(gone && (is_line_of(line, gone->ip_address) || is_line_of(line, gone->global_ipv6_address))))
            strbuf_addf(&text, "%s\n", line);
    }
    if (come) {
        add_host(&text, come->ip_address, &container->record.config);
        add_host(&text, come->global_ipv6_address, &container->record.config);
    }
    return file_write_text(AT_FDCWD, path, strbuf_text(&text), 0644, err);
}

/* Is it the first name of the line? */
static bool has_name(const char *line, const char *name)
{
    const char *tab = strchr(line, '\t');
    size_t length = strlen(name);
    return tab && strncmp(tab + 1, name, length) == 0 && (!tab[1 + length] || strchr(" \t.", tab[1 + length]));
}

static bool move_host(struct container *container, const char *name, const char *address, struct error *err)
{
    _cleanup_free_ char *path = container_path(container, "hosts");
    _cleanup_strbuf_ struct strbuf old = STRBUF_INIT, text = STRBUF_INIT;
    if (access(path, F_OK) < 0 && errno == ENOENT)
        return true; /* it has never been started */
    if (!file_read(AT_FDCWD, path, FILE_LIMIT, &old, err))
        return false;
    _cleanup_strlist_ struct strlist lines = strlist_split(strbuf_text(&old), '\n');
    for (size_t i = 0; i < lines.count; i++) {
        const char *line = lines.items[i];
        bool is_it = has_name(line, name);
        if (is_it && address)
            strbuf_addf(&text, "%s%s\n", address, strchr(line, '\t'));
        else if (*line && !is_it)
            strbuf_addf(&text, "%s\n", line);
    }
    return file_write_text(AT_FDCWD, path, strbuf_text(&text), 0644, err);
}

bool networks_move_host(struct container *container, const char *name, const char *address, struct error *err)
{
    pthread_mutex_lock(&hosts_lock);
    bool is_moved = move_host(container, name, address, err);
    pthread_mutex_unlock(&hosts_lock);
    return is_moved;
}

bool networks_change_files(struct container *container, const struct endpoint_settings *gone,
                           const struct endpoint_settings *come, bool gets_resolver, struct error *err)
{
    pthread_mutex_lock(&hosts_lock);
    bool is_changed = (!gone && !come) || change_hosts(container, gone, come, err);
    pthread_mutex_unlock(&hosts_lock);
    if (!is_changed)
        return false;
    if (!gets_resolver)
        return true;
    _cleanup_free_ char *resolv = resolv_conf(&container->record.host_config, true);
    return write_file(container, "resolv.conf", resolv, err);
}
