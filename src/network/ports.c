/* Published ports: which port of the host leads to which container. A port is held by a socket, so that no other
   program can take it, and told to the firewall, which does the work. What reaches the socket all the same is carried
   over by proxy.c. Many ports in a row that keep their numbers are one element of the firewall. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "network/conntrack.h"
#include "network/manager.h"
#include "network/proxy.h"

#define BACKLOG 128

/* From so many on, ports in a row become one element. */
#define RANGE_MINIMUM 16

struct published {
    char container_id[ID_LENGTH + 1];
    char *port;      /* "80/tcp" */
    char *host_ip;   /* as shown */
    char *host_port; /* as shown */
    int socket;
    struct firewall_port rule;
    uint16_t range_first, range_count; /* of the element that it is a part of; 0: it has its own */
    size_t place;                      /* in the book's items */
    struct published *next;            /* of the same protocol and host's port */
};

#define PROTOCOLS 3
struct port_book {
    pthread_mutex_t mutex;
    struct published **items;
    size_t count;
    struct published *by_port[PROTOCOLS][65536];
    uint32_t first_dynamic, last_dynamic; /* the kernel's ephemeral range */
    uint32_t last_given[PROTOCOLS];
    struct proxy *proxy;
};

/* Where a binding leads from and to, for one address of the host. */
struct way {
    char *host_ip;
    struct ip_address host, target;
    bool is_routed; /* the host has no part in it */
};

/* What is to be known of the network. */
struct ways {
    enum gateway_mode modes[2];
    bool has_closed_ports;
    struct ip_address targets[2]; /* the container's */
};

/* The two ends of a binding, read. */
struct wish {
    const char *port;
    uint16_t target;
    uint8_t protocol;
    uint32_t first, last; /* on the host; 0: any */
};

static const struct {
    const char *name;
    uint8_t number;
    int socket_type;
} protocols[] = {
    {"tcp", IPPROTO_TCP, SOCK_STREAM}, {"udp", IPPROTO_UDP, SOCK_DGRAM}, {"sctp", IPPROTO_SCTP, SOCK_STREAM}};

static size_t protocol_index(uint8_t number)
{
    return number == IPPROTO_TCP ? 0 : number == IPPROTO_UDP ? 1 : 2;
}

struct port_book *port_book_new(void)
{
    struct port_book *book = NEW(struct port_book);
    pthread_mutex_init(&book->mutex, NULL);
    book->first_dynamic = 49153; /* Docker's own where the kernel does not say */
    book->last_dynamic = 65535;
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    unsigned first, last;
    if (file_read(AT_FDCWD, "/proc/sys/net/ipv4/ip_local_port_range", 64, &text, NULL) &&
        sscanf(strbuf_text(&text), "%u %u", &first, &last) == 2 && first && first <= last && last <= 65535) {
        book->first_dynamic = first;
        book->last_dynamic = last;
    }
    return book;
}

static void published_free(struct port_book *book, struct published *item)
{
    if (book && book->proxy && item->socket >= 0)
        proxy_remove(book->proxy, item->socket);
    close_fd(item->socket);
    free(item->port);
    free(item->host_ip);
    free(item->host_port);
    free(item);
}

void port_book_free(struct port_book *book)
{
    if (!book)
        return;
    for (size_t i = 0; i < book->count; i++)
        published_free(book, book->items[i]);
    proxy_free(book->proxy);
    free(book->items);
    pthread_mutex_destroy(&book->mutex);
    free(book);
}

/* --- one port --- */

static bool parse_wish(const char *port, const char *host_port, struct wish *out, struct error *err)
{
    uint64_t target, first = 0, last = 0;
    const char *slash = strchrnul(port, '/');
    _cleanup_free_ char *number = xstrndup(port, (size_t)(slash - port));
    const char *protocol = *slash ? slash + 1 : "tcp";
    size_t known = 0;
    while (known < ARRAY_SIZE(protocols) && !string_equal(protocols[known].name, protocol))
        known++;
    if (known == ARRAY_SIZE(protocols))
        return error_set(err, ERROR_INVALID, "invalid transport protocol: %s", protocol);
    const char *dash = strchrnul(string_or_empty(host_port), '-');
    _cleanup_free_ char *from = xstrndup(string_or_empty(host_port), (size_t)(dash - string_or_empty(host_port)));
    if (!parse_uint64(number, &target) || target > 65535 || (*from && !parse_uint64(from, &first)) ||
        (*dash && !parse_uint64(dash + 1, &last)) || first > 65535 || last > 65535)
        return error_set(err, ERROR_INVALID, "invalid port specification: \"%s\"", string_or_empty(host_port));
    *out = (struct wish){.port = port,
                         .target = (uint16_t)target,
                         .protocol = protocols[known].number,
                         .first = (uint32_t)first,
                         .last = (uint32_t)(*dash ? last : first)};
    return true;
}

static bool is_taken(const struct port_book *book, uint8_t protocol, const char *host_ip, uint32_t port)
{
    for (const struct published *item = book->by_port[protocol_index(protocol)][port]; item; item = item->next)
        if (!item->rule.is_routed && string_equal(item->host_ip, host_ip))
            return true;
    return false;
}

static void remember(struct port_book *book, struct published *item)
{
    struct published **chain = &book->by_port[protocol_index(item->rule.protocol)][item->rule.host_port];
    item->next = *chain;
    *chain = item;
    item->place = book->count;
    *APPEND(book->items, book->count) = item;
}

static void forget(struct port_book *book, const struct published *item)
{
    struct published **chain = &book->by_port[protocol_index(item->rule.protocol)][item->rule.host_port];
    while (*chain != item)
        chain = &(*chain)->next;
    *chain = item->next;
    book->items[item->place] = book->items[--book->count];
    book->items[item->place]->place = item->place;
}

static const char *protocol_name(uint8_t number)
{
    return protocols[protocol_index(number)].name;
}

/* A socket that holds the port; -1 with errno. */
static int hold(uint8_t protocol, struct ip_address host, uint32_t port)
{
    struct sockaddr_storage address;
    socklen_t length = ip_sockaddr(host, (uint16_t)port, &address);
    int type = protocols[protocol_index(protocol)].socket_type;
    _cleanup_close_ int fd = socket(address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (fd < 0)
        return -1;
    if (host.family == IP_V6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
    if (type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (const struct sockaddr *)&address, length) < 0 || (type == SOCK_STREAM && listen(fd, BACKLOG) < 0))
        return -1;
    return TAKE_FD(fd);
}

static bool bind_failed(struct error *err, uint8_t protocol, const char *host_ip, uint32_t port, int why)
{
    const char *text = why == EADDRINUSE      ? "bind: address already in use"
                       : why == EADDRNOTAVAIL ? "bind: cannot assign requested address"
                       : why == EACCES        ? "bind: permission denied"
                                              : NULL;
    if (why == EPROTONOSUPPORT)
        return error_set(err, ERROR_INTERNAL, "Error starting userland proxy: protocol not supported");
    bool is_v6 = strchr(host_ip, ':');
    _cleanup_free_ char *place = xasprintf(is_v6 ? "[%s]:%u" : "%s:%u", host_ip, port);
    return error_set(err, ERROR_INTERNAL, "Error starting userland proxy: listen %s%s %s: %s", protocol_name(protocol),
                     is_v6 ? "6" : "4", place, text ? text : errno_text(why));
}

static struct published *item_new(const struct network_publish *where, const struct ways *ways, const struct wish *wish,
                                  const struct way *way, uint32_t port)
{
    struct published *item = NEW(struct published);
    snprintf(item->container_id, sizeof(item->container_id), "%s", where->container_id);
    item->socket = -1;
    item->port = xstrdup(wish->port);
    item->host_ip = xstrdup(way->host_ip);
    item->host_port = way->is_routed ? xstrdup("") : xasprintf("%u", port);
    item->rule = (struct firewall_port){.host_address = way->host,
                                        .protocol = wish->protocol,
                                        .host_port = (uint16_t)port,
                                        .count = 1,
                                        .address = way->target,
                                        .port = wish->target,
                                        .is_routed = way->is_routed,
                                        .is_closed = ways->has_closed_ports && !way->is_routed};
    return item;
}

/* --- one binding: a port of the host, the same for all of the addresses --- */

#define WAYS_MAXIMUM 2

/* Tries one port; `made` gets an item for each address. *why is the reason where it is in use. */
static bool try_port(struct port_book *book, const struct network_publish *where, const struct ways *ways,
                     const struct wish *wish, const struct way *list, size_t count, uint32_t port,
                     struct published **made, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct way *way = &list[i];
        bool is_free = way->is_routed || !is_taken(book, wish->protocol, way->host_ip, port);
        if (!is_free)
            error_set(err, ERROR_INTERNAL, "Bind for %s:%u failed: port is already allocated", way->host_ip, port);
        int fd = is_free && !way->is_routed ? hold(wish->protocol, way->host, port) : -1;
        if (is_free && fd < 0 && !way->is_routed && !where->is_again)
            is_free = bind_failed(err, wish->protocol, way->host_ip, port, errno);
        if (!is_free) {
            close_fd(fd);
            while (i-- > 0) {
                published_free(NULL, made[i]);
                made[i] = NULL;
            }
            return false;
        }
        made[i] = item_new(where, ways, wish, way, port);
        made[i]->socket = fd;
    }
    return true;
}

static bool find_port(struct port_book *book, const struct network_publish *where, const struct ways *ways,
                      const struct wish *wish, const struct way *list, size_t list_count, struct published **made,
                      struct error *err)
{
    if (wish->first && wish->first == wish->last)
        return try_port(book, where, ways, wish, list, list_count, wish->first, made, err);
    uint32_t first = wish->first ? wish->first : book->first_dynamic;
    uint32_t last = wish->first ? wish->last : book->last_dynamic, count = last - first + 1;
    uint32_t *given = &book->last_given[protocol_index(wish->protocol)];
    uint32_t start = wish->first || *given < first || *given >= last ? first : *given + 1;
    for (uint32_t step = 0; step < count; step++) {
        uint32_t port = first + (start - first + step) % count;
        struct error why = ERROR_INIT;
        if (try_port(book, where, ways, wish, list, list_count, port, made, &why)) {
            if (!wish->first)
                *given = port;
            return true;
        }
        bool is_last = step + 1 == count;
        /* Another port would do no better where the address or the protocol is not there. */
        if (is_last || strstr(error_message(&why), "cannot assign") || strstr(error_message(&why), "not supported"))
            return error_move(err, &why);
        error_release(&why);
    }
    return error_set(err, ERROR_INTERNAL, "Bind for %s:%u failed: port is already allocated", list[0].host_ip, first);
}

static bool has_ipv6(void)
{
    return access("/proc/net/if_inet6", F_OK) == 0;
}

/* To the container's address of the same family; where it has none, a socket carries over to the other one. */
static bool add_way(const struct ways *ways, const char *host_ip, bool is_asked, struct way *list, size_t *count,
                    struct error *err)
{
    struct way *way = &list[*count];
    if (!ip_parse(host_ip, &way->host))
        return error_set(err, ERROR_INVALID, "invalid host IP address: %s", host_ip);
    int family = family_index(way->host.family);
    way->target = ways->targets[family];
    way->is_routed = way->target.family && ways->modes[family] == GATEWAY_ROUTED;
    if (!way->target.family) {
        /* Docker's proxy carries from IPv6 to IPv4; the other way we do where the host's address was asked for. */
        bool is_carried = way->host.family == IP_V6 || is_asked;
        if (!is_carried || ways->modes[!family] == GATEWAY_ROUTED || !ways->targets[!family].family)
            return true;
        way->target = ways->targets[!family];
    }
    way->host_ip = xstrdup(host_ip);
    (*count)++;
    return true;
}

static bool find_ways(const struct network_publish *where, const struct ways *ways, const char *host_ip,
                      struct way *list, size_t *count, struct error *err)
{
    const char *given = string_is_set(host_ip) ? host_ip : where->host_ip;
    if (string_is_set(given))
        return add_way(ways, given, true, list, count, err);
    return add_way(ways, "0.0.0.0", false, list, count, err) &&
           (!has_ipv6() || add_way(ways, "::", false, list, count, err));
}

/* --- all bindings of a container --- */

struct publication {
    struct published **items;
    size_t count;
};

static void undo(struct publication *publication)
{
    for (size_t i = 0; i < publication->count; i++)
        published_free(NULL, publication->items[i]);
    free(publication->items);
}

static bool publish_one(struct port_book *book, const struct network_publish *where, const struct ways *ways,
                        const char *port, const struct port_binding *binding, struct publication *publication,
                        struct error *err)
{
    struct wish wish = {0};
    struct published *made[WAYS_MAXIMUM] = {0};
    struct way list[WAYS_MAXIMUM] = {0};
    size_t count = 0;
    bool is_done = parse_wish(port, binding->host_port, &wish, err) &&
                   find_ways(where, ways, binding->host_ip, list, &count, err) &&
                   (!count || find_port(book, where, ways, &wish, list, count, made, err));
    for (size_t i = 0; i < count; i++) {
        free(list[i].host_ip);
        if (!is_done)
            continue;
        *APPEND(publication->items, publication->count) = made[i];
        remember(book, made[i]); /* at once: the next binding must not take it, too */
    }
    return is_done;
}

/* --- ranges --- */

static int compare(const void *left, const void *right)
{
    const struct firewall_port *a = &(*(struct published *const *)left)->rule,
                               *b = &(*(struct published *const *)right)->rule;
    if (a->host_address.family != b->host_address.family)
        return a->host_address.family < b->host_address.family ? -1 : 1;
    if (a->protocol != b->protocol)
        return a->protocol < b->protocol ? -1 : 1;
    return (int)a->host_port - (int)b->host_port;
}

static bool can_be_in_range(const struct published *item)
{
    return ip_is_any(item->rule.host_address) && !item->rule.is_routed && item->rule.host_port == item->rule.port &&
           item->rule.host_address.family == item->rule.address.family;
}

static bool follows(const struct published *a, const struct published *b)
{
    return can_be_in_range(a) && can_be_in_range(b) && a->rule.host_address.family == b->rule.host_address.family &&
           a->rule.protocol == b->rule.protocol && a->rule.host_port + 1 == b->rule.host_port;
}

/* The rules of items: one for each range, and for each of the others. Marks the items. Returns the count. */
static size_t make_rules(const struct publication *publication, struct firewall_port *rules)
{
    size_t count = 0;
    _cleanup_free_ struct published **sorted = xcalloc(publication->count + 1, sizeof(struct published *));
    if (publication->count)
        memcpy(sorted, publication->items, publication->count * sizeof(struct published *));
    qsort(sorted, publication->count, sizeof(struct published *), compare);
    for (size_t first = 0, end; first < publication->count; first = end) {
        for (end = first + 1; end < publication->count && follows(sorted[end - 1], sorted[end]);)
            end++;
        bool is_range = end - first >= RANGE_MINIMUM;
        for (size_t i = first; i < end; i++) {
            sorted[i]->range_first = is_range ? sorted[first]->rule.host_port : 0;
            sorted[i]->range_count = is_range ? (uint16_t)(end - first) : 0;
            if (is_range && i > first)
                continue;
            rules[count] = sorted[i]->rule;
            rules[count++].count = is_range ? (uint16_t)(end - first) : 1;
        }
    }
    return count;
}

static bool add_rules(struct network_manager *manager, const struct publication *publication, struct error *err)
{
    _cleanup_free_ struct firewall_port *rules = xcalloc(publication->count + 1, sizeof(*rules));
    size_t count = make_rules(publication, rules);
    if (!firewall_add_ports(manager->firewall, rules, count, err))
        return false;
    conntrack_forget(rules, count);
    return true;
}

static void show(struct port_book *book, const struct publication *publication, struct record_map *shown)
{
    for (size_t i = 0; i < publication->count; i++) {
        struct published *item = publication->items[i];
        struct record_list *list = record_map_put(shown, &record_list_type, item->port);
        struct port_binding *binding = record_list_add(list, &port_binding_type);
        binding->host_ip = xstrdup(item->host_ip);
        binding->host_port = xstrdup(item->host_port);
        if (item->socket < 0 || item->rule.protocol == IPPROTO_SCTP)
            continue; /* that one the firewall alone carries */
        if (!book->proxy)
            book->proxy = proxy_new();
        if (book->proxy)
            proxy_add(book->proxy, item->socket, item->rule.protocol, item->rule.address, item->rule.port);
    }
}

static void read_ways(struct network_manager *manager, const struct network_publish *where, struct ways *out)
{
    pthread_mutex_lock(&manager->mutex);
    const struct network *network = manager_find(manager, where->network, NULL);
    if (network) {
        memcpy(out->modes, network->modes, sizeof(out->modes));
        out->has_closed_ports = network->has_closed_ports;
    }
    pthread_mutex_unlock(&manager->mutex);
    ip_parse(where->address, &out->targets[0]);
    ip_parse(where->address6, &out->targets[1]);
}

bool network_publish(struct network_manager *manager, const struct network_publish *where,
                     const struct record_map *bindings, struct record_map *shown, struct error *err)
{
    struct port_book *book = manager->ports;
    struct publication publication = {0};
    struct ways ways = {0};
    bool is_good = true;
    read_ways(manager, where, &ways);
    pthread_mutex_lock(&book->mutex);
    for (size_t i = 0; i < bindings->keys.count && is_good; i++) {
        const struct record_list *list = RECORD_AT(*bindings, struct record_list, i);
        for (size_t j = 0; j < list->count && is_good; j++) {
            struct error why = ERROR_INIT;
            is_good = publish_one(book, where, &ways, bindings->keys.items[i], RECORD_AT(*list, struct port_binding, j),
                                  &publication, &why);
            if (is_good)
                continue;
            if (where->is_again) {
                log_and_release(LOG_LEVEL_WARNING, &why, "container %s", where->container_id);
                is_good = true;
                continue;
            }
            error_set(err, ERROR_INTERNAL, "driver failed programming external connectivity on endpoint %s (%s): %s",
                      where->endpoint_name, where->endpoint_id, error_message(&why));
            error_release(&why);
        }
    }
    is_good = is_good && add_rules(manager, &publication, err);
    if (is_good) {
        show(book, &publication, shown);
        free(publication.items);
    } else {
        for (size_t i = 0; i < publication.count; i++)
            forget(book, publication.items[i]);
        undo(&publication);
    }
    pthread_mutex_unlock(&book->mutex);
    return is_good;
}

/* Of a range that loses some of its ports, the others get elements of their own. */
static bool remove_rules(struct network_manager *manager, const struct publication *gone, struct error *err)
{
    struct port_book *book = manager->ports;
    struct publication left = {0};
    _cleanup_free_ struct firewall_port *rules = xcalloc(gone->count + 1, sizeof(*rules));
    size_t count = 0;
    for (size_t i = 0; i < gone->count; i++)
        forget(book, gone->items[i]);
    for (size_t i = 0; i < gone->count; i++) {
        struct published *item = gone->items[i];
        bool is_known = false;
        for (size_t j = 0; j < count && item->range_count && !is_known; j++)
            is_known = rules[j].count > 1 && rules[j].protocol == item->rule.protocol &&
                       rules[j].host_port == item->range_first &&
                       rules[j].host_address.family == item->rule.host_address.family;
        if (is_known)
            continue;
        rules[count] = item->rule;
        if (item->range_count) {
            rules[count].host_port = rules[count].port = item->range_first;
            rules[count].count = item->range_count;
        }
        for (uint32_t port = item->range_first; port < (uint32_t)item->range_first + item->range_count; port++)
            for (struct published *other = book->by_port[protocol_index(item->rule.protocol)][port]; other;
                 other = other->next)
                if (other->range_count && other->range_first == item->range_first && can_be_in_range(other) &&
                    other->rule.host_address.family == item->rule.host_address.family)
                    *APPEND(left.items, left.count) = other;
        count++;
    }
    bool is_done = firewall_remove_ports(manager->firewall, rules, count, err);
    conntrack_forget(rules, count);
    is_done = is_done && (!left.count || add_rules(manager, &left, err));
    free(left.items);
    return is_done;
}

void network_unpublish(struct network_manager *manager, const char *container_id, const char *port, const char *host_ip,
                       const char *host_port)
{
    struct port_book *book = manager->ports;
    struct publication gone = {0};
    pthread_mutex_lock(&book->mutex);
    for (size_t i = 0; i < book->count; i++) {
        struct published *item = book->items[i];
        if (string_equal(item->container_id, container_id) && (!port || string_equal(item->port, port)) &&
            (!host_ip || string_equal(item->host_ip, host_ip)) &&
            (!host_port || string_equal(item->host_port, host_port)))
            *APPEND(gone.items, gone.count) = item;
    }
    struct error err = ERROR_INIT;
    if (!remove_rules(manager, &gone, &err))
        log_and_release(LOG_LEVEL_WARNING, &err, "container %s", container_id);
    for (size_t i = 0; i < gone.count; i++)
        published_free(book, gone.items[i]);
    free(gone.items);
    pthread_mutex_unlock(&book->mutex);
}
