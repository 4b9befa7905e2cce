#include "network/firewall.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/spawn.h"
#include "network/firewall_table.h"
#include "network/nftables.h"

struct firewall {
    pthread_mutex_t mutex;
    char *table;
    bool is_loaded;
    bool is_absent;
    struct firewall_content content;
    /* What the kernel had after our last change: when its generation is another one, others have changed something. */
    uint32_t generation;
    struct nftables_count count;
};

struct firewall *firewall_new(const char *name, bool is_absent)
{
    struct firewall *firewall = NEW(struct firewall);
    pthread_mutex_init(&firewall->mutex, NULL);
    firewall->table = xasprintf("wherry-%s", name);
    firewall->is_absent = is_absent;
    return firewall;
}

void firewall_free(struct firewall *firewall)
{
    if (!firewall)
        return;
    pthread_mutex_destroy(&firewall->mutex);
    for (size_t i = 0; i < firewall->content.bridge_count; i++)
        free(firewall->content.bridges[i].trusted);
    free(firewall->table);
    free(firewall->content.bridges);
    free(firewall->content.ports);
    free(firewall);
}

bool firewall_is_absent(struct firewall *firewall)
{
    pthread_mutex_lock(&firewall->mutex);
    bool is_absent = firewall->is_absent;
    pthread_mutex_unlock(&firewall->mutex);
    return is_absent;
}

/* --- the whole table --- */

/* *is_missing: there is no nft program. */
static bool run_nft(const char *text, bool *is_missing, struct error *err)
{
    const char *const argv[] = {"nft", "-f", "-", NULL};
    struct error why = ERROR_INIT;
    *is_missing = false;
    if (run(argv, text, 65536, NULL, &why))
        return true;
    *is_missing = why.errno_value == ENOENT;
    error_set(err, ERROR_INTERNAL, "cannot load the nftables table (networks need a kernel with nf_tables): %s",
              error_message(&why));
    error_release(&why);
    return false;
}

static void remember(struct firewall *firewall)
{
    if (!nftables_generation(&firewall->generation))
        firewall->generation = 0; /* looked at again at the next use */
}

/* `add` before `delete` makes a table that may be missing safe to delete, in the same transaction. */
#define FORGET_TABLE "add table inet %s\ndelete table inet %s\n"

/* A table of another version may have sets of the same name and of other types: then it is made anew. */
static bool load(struct firewall *firewall, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT, whole = STRBUF_INIT;
    firewall_table_text(firewall->table, &firewall->content, &text);
    bool is_missing;
    if (firewall->is_absent)
        return true;
    firewall->is_loaded = run_nft(strbuf_text(&text), &is_missing, NULL);
    if (!firewall->is_loaded && !is_missing) {
        strbuf_addf(&whole, FORGET_TABLE "%s", firewall->table, firewall->table, strbuf_text(&text));
        firewall->is_loaded = run_nft(strbuf_text(&whole), &is_missing, err);
    }
    if (is_missing) {
        log_warning("the nft program (package nftables) is missing: published ports are carried by wherryd, containers "
                    "do not reach other hosts, and there are no internal networks");
        firewall->is_absent = true;
        return true;
    }
    if (firewall->is_loaded) {
        nftables_count(firewall->table, &firewall->count);
        remember(firewall);
    }
    return firewall->is_loaded;
}

bool firewall_load(struct firewall *firewall, struct error *err)
{
    pthread_mutex_lock(&firewall->mutex);
    bool is_done = firewall->content.bridge_count == 0 || firewall->is_loaded || load(firewall, err);
    pthread_mutex_unlock(&firewall->mutex);
    return is_done;
}

bool firewall_is_loaded(struct firewall *firewall)
{
    pthread_mutex_lock(&firewall->mutex);
    bool is_loaded = firewall->is_loaded;
    pthread_mutex_unlock(&firewall->mutex);
    return is_loaded;
}

static bool is_whole(const struct firewall *firewall)
{
    struct nftables_count count = {0};
    nftables_count(firewall->table, &count);
    return count.rules == firewall->count.rules && count.bridges == firewall->count.bridges;
}

bool firewall_is_whole(struct firewall *firewall, char **table)
{
    *table = xstrdup(firewall->table);
    pthread_mutex_lock(&firewall->mutex);
    bool is_good = !firewall->is_loaded || is_whole(firewall);
    pthread_mutex_unlock(&firewall->mutex);
    return is_good;
}

bool firewall_repair(struct firewall *firewall, struct error *err)
{
    uint32_t generation;
    bool is_done = true;
    pthread_mutex_lock(&firewall->mutex);
    if (firewall->is_loaded && nftables_generation(&generation) && generation != firewall->generation) {
        if (is_whole(firewall))
            firewall->generation = generation;
        else
            is_done = load(firewall, err);
    }
    pthread_mutex_unlock(&firewall->mutex);
    return is_done;
}

bool firewall_unload(struct firewall *firewall, struct error *err)
{
    _cleanup_free_ char *text = xasprintf(FORGET_TABLE, firewall->table, firewall->table);
    struct nftables_count count = {0};
    bool is_missing;
    pthread_mutex_lock(&firewall->mutex);
    nftables_count(firewall->table, &count);
    bool is_done = firewall->is_absent || (count.of_user ? load(firewall, err) : run_nft(text, &is_missing, err));
    firewall->is_loaded = false;
    pthread_mutex_unlock(&firewall->mutex);
    return is_done;
}

/* --- changes --- */

static void drop_bridge(struct firewall_content *content, const char *name)
{
    for (size_t i = 0; i < content->bridge_count; i++)
        if (string_equal(content->bridges[i].name, name)) {
            free(content->bridges[i].trusted);
            content->bridges[i] = content->bridges[--content->bridge_count];
            return;
        }
}

bool firewall_add_bridge(struct firewall *firewall, const struct firewall_bridge *bridge, struct error *err)
{
    pthread_mutex_lock(&firewall->mutex);
    drop_bridge(&firewall->content, bridge->name);
    struct firewall_bridge *added = APPEND(firewall->content.bridges, firewall->content.bridge_count);
    *added = *bridge;
    added->trusted =
        bridge->trusted_count ? xmemdup(bridge->trusted, bridge->trusted_count * sizeof(*bridge->trusted)) : NULL;
    bool is_done = !firewall->is_loaded || load(firewall, err);
    if (!is_done)
        drop_bridge(&firewall->content, bridge->name);
    pthread_mutex_unlock(&firewall->mutex);
    return is_done;
}

bool firewall_remove_bridge(struct firewall *firewall, const char *name, struct error *err)
{
    pthread_mutex_lock(&firewall->mutex);
    drop_bridge(&firewall->content, name);
    bool is_done = !firewall->is_loaded || load(firewall, err);
    pthread_mutex_unlock(&firewall->mutex);
    return is_done;
}

static bool is_same_port(const struct firewall_port *a, const struct firewall_port *b)
{
    return ip_equal(a->host_address, b->host_address) && a->protocol == b->protocol && a->host_port == b->host_port &&
           ip_equal(a->address, b->address) && a->port == b->port;
}

static void drop_ports(struct firewall_content *content, const struct firewall_port *ports, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = content->port_count; j-- > 0;)
            if (is_same_port(&content->ports[j], &ports[i])) {
                content->ports[j] = content->ports[--content->port_count];
                break;
            }
}

/* "closed" does not tell addresses apart: does a port that stays need it, or has another one of the list named it? */
static bool is_closed_elsewhere(const struct firewall_port *ports, size_t count, const struct firewall_port *port)
{
    for (size_t i = 0; i < count; i++)
        if (&ports[i] != port && ports[i].is_closed && ports[i].protocol == port->protocol &&
            ports[i].host_port == port->host_port && ports[i].count == port->count)
            return true;
    return false;
}

/* The elements alone; the whole table where it has gone, or where one was not as it should be. */
static bool change_ports(struct firewall *firewall, bool is_addition, const struct firewall_port *ports, size_t count,
                         struct error *err)
{
    struct error why = ERROR_INIT;
    if (!firewall->is_loaded)
        return true;
    _cleanup_free_ struct firewall_element *elements = xcalloc(2 * count + 1, sizeof(*elements));
    size_t element_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct firewall_port port = ports[i];
        if (port.is_closed)
            port.is_closed =
                !is_closed_elsewhere(ports, i, &ports[i]) &&
                (is_addition || !is_closed_elsewhere(firewall->content.ports, firewall->content.port_count, &ports[i]));
        element_count += firewall_port_elements(&port, elements + element_count);
    }
    if (nftables_change(firewall->table, is_addition, elements, element_count, &why)) {
        remember(firewall);
        return true;
    }
    if (why.errno_value != ENOENT && why.errno_value != EEXIST)
        return error_move(err, &why);
    error_release(&why);
    return load(firewall, err);
}

bool firewall_add_ports(struct firewall *firewall, const struct firewall_port *ports, size_t count, struct error *err)
{
    if (!count)
        return true;
    pthread_mutex_lock(&firewall->mutex);
    for (size_t i = 0; i < count; i++)
        *APPEND(firewall->content.ports, firewall->content.port_count) = ports[i];
    bool is_done = change_ports(firewall, true, ports, count, err);
    if (!is_done)
        drop_ports(&firewall->content, ports, count);
    pthread_mutex_unlock(&firewall->mutex);
    return is_done;
}

bool firewall_remove_ports(struct firewall *firewall, const struct firewall_port *ports, size_t count,
                           struct error *err)
{
    if (!count)
        return true;
    pthread_mutex_lock(&firewall->mutex);
    drop_ports(&firewall->content, ports, count);
    bool is_done = change_ports(firewall, false, ports, count, err);
    pthread_mutex_unlock(&firewall->mutex);
    return is_done;
}

/* --- sysctls --- */

static bool switch_on(const char *path, struct error *err)
{
    _cleanup_strbuf_ struct strbuf now = STRBUF_INIT;
    if (file_read(AT_FDCWD, path, 16, &now, NULL) && *strbuf_text(&now) == '1')
        return true;
    return file_write_text(AT_FDCWD, path, "1", 0644, err);
}

bool firewall_enable_forwarding(enum ip_family family, struct error *err)
{
    if (family == IP_V4)
        return switch_on("/proc/sys/net/ipv4/ip_forward", err);
    /* As Docker: new links, too. */
    return switch_on("/proc/sys/net/ipv6/conf/default/forwarding", err) &&
           switch_on("/proc/sys/net/ipv6/conf/all/forwarding", err);
}

bool firewall_enable_loopback(const char *bridge, struct error *err)
{
    _cleanup_free_ char *path = xasprintf("/proc/sys/net/ipv4/conf/%s/route_localnet", bridge);
    return switch_on(path, err);
}
