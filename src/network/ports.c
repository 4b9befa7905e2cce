/* Published ports: which port of the host leads to which container. A port is held by a socket, so that no other
   program can take it, and told to the firewall, which does the work. What reaches the socket all the same (IPv6, which
   cannot be translated to an IPv4 address) is carried over by proxy.c. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "network/manager.h"
#include "network/proxy.h"

#define BACKLOG 128

struct published {
    char container_id[ID_LENGTH + 1];
    char *port;      /* "80/tcp" */
    char *host_ip;   /* as shown */
    char *host_port; /* as shown */
    int socket;
    bool has_rule; /* IPv4 */
    struct firewall_port rule;
};

struct port_book {
    pthread_mutex_t mutex;
    struct published **items;
    size_t count;
    uint32_t first_dynamic, last_dynamic; /* the kernel's ephemeral range */
    uint32_t last_given[3];               /* by protocol */
    struct proxy *proxy;
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
    for (size_t i = 0; i < book->count; i++) {
        const struct published *item = book->items[i];
        if (item->rule.protocol == protocol && item->rule.host_port == port && string_equal(item->host_ip, host_ip))
            return true;
    }
    return false;
}

static const char *protocol_name(uint8_t number)
{
    return protocols[protocol_index(number)].name;
}

/* A socket that holds the port; -1 with errno. */
static int hold(uint8_t protocol, const char *host_ip, uint32_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    bool is_v4 = inet_pton(AF_INET, host_ip, &v4.sin_addr) == 1;
    if (!is_v4 && inet_pton(AF_INET6, host_ip, &v6.sin6_addr) != 1) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    int type = protocols[protocol_index(protocol)].socket_type;
    _cleanup_close_ int fd = socket(is_v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (fd < 0)
        return -1;
    if (!is_v4)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
    if (type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    const struct sockaddr *address = is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
    if (bind(fd, address, is_v4 ? sizeof(v4) : sizeof(v6)) < 0 || (type == SOCK_STREAM && listen(fd, BACKLOG) < 0))
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

static struct published *item_new(const struct network_publish *where, const struct wish *wish, const char *host_ip,
                                  uint32_t port)
{
    struct published *item = NEW(struct published);
    struct in_addr host = {0}, target = {0};
    snprintf(item->container_id, sizeof(item->container_id), "%s", where->container_id);
    item->socket = -1;
    item->port = xstrdup(wish->port);
    item->host_ip = xstrdup(host_ip);
    item->host_port = xasprintf("%u", port);
    inet_pton(AF_INET, where->address, &target);
    item->has_rule = inet_pton(AF_INET, host_ip, &host) == 1;
    item->rule = (struct firewall_port){.host_address = ntohl(host.s_addr),
                                        .protocol = wish->protocol,
                                        .host_port = (uint16_t)port,
                                        .address = ntohl(target.s_addr),
                                        .port = wish->target};
    return item;
}

/* --- one binding: a port of the host, the same for all of the addresses --- */

/* Tries one port; `made` gets an item for each address. *why is the reason where it is in use. */
static bool try_port(struct port_book *book, const struct network_publish *where, const struct wish *wish,
                     const struct strlist *hosts, uint32_t port, struct published **made, struct error *err)
{
    for (size_t i = 0; i < hosts->count; i++) {
        const char *host_ip = hosts->items[i];
        bool is_free = !is_taken(book, wish->protocol, host_ip, port);
        if (!is_free)
            error_set(err, ERROR_INTERNAL, "Bind for %s:%u failed: port is already allocated", host_ip, port);
        int fd = is_free ? hold(wish->protocol, host_ip, port) : -1;
        if (is_free && fd < 0 && !where->is_again)
            is_free = bind_failed(err, wish->protocol, host_ip, port, errno);
        if (!is_free) {
            close_fd(fd);
            while (i-- > 0) {
                published_free(NULL, made[i]);
                made[i] = NULL;
            }
            return false;
        }
        made[i] = item_new(where, wish, host_ip, port);
        made[i]->socket = fd;
    }
    return true;
}

static bool find_port(struct port_book *book, const struct network_publish *where, const struct wish *wish,
                      const struct strlist *hosts, struct published **made, struct error *err)
{
    if (wish->first && wish->first == wish->last)
        return try_port(book, where, wish, hosts, wish->first, made, err);
    uint32_t first = wish->first ? wish->first : book->first_dynamic;
    uint32_t last = wish->first ? wish->last : book->last_dynamic, count = last - first + 1;
    uint32_t *given = &book->last_given[protocol_index(wish->protocol)];
    uint32_t start = wish->first || *given < first || *given >= last ? first : *given + 1;
    for (uint32_t step = 0; step < count; step++) {
        uint32_t port = first + (start - first + step) % count;
        struct error why = ERROR_INIT;
        if (try_port(book, where, wish, hosts, port, made, &why)) {
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
    return error_set(err, ERROR_INTERNAL, "Bind for %s:%u failed: port is already allocated", hosts->items[0], first);
}

static bool has_ipv6(void)
{
    return access("/proc/net/if_inet6", F_OK) == 0;
}

static void host_addresses(const struct network_publish *where, const char *host_ip, struct strlist *out)
{
    const char *given = string_is_set(host_ip) ? host_ip : where->host_ip;
    if (string_is_set(given)) {
        strlist_add(out, given);
        return;
    }
    strlist_add(out, "0.0.0.0");
    if (has_ipv6())
        strlist_add(out, "::");
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

static void forget(struct port_book *book, const struct published *item)
{
    for (size_t i = 0; i < book->count; i++)
        if (book->items[i] == item) {
            memmove(&book->items[i], &book->items[i + 1], (book->count - i - 1) * sizeof(struct published *));
            book->count--;
            return;
        }
}

static bool publish_one(struct port_book *book, const struct network_publish *where, const char *port,
                        const struct port_binding *binding, struct publication *publication, struct error *err)
{
    struct wish wish = {0};
    struct published *made[2] = {0};
    _cleanup_strlist_ struct strlist hosts = {0};
    host_addresses(where, binding->host_ip, &hosts);
    if (!parse_wish(port, binding->host_port, &wish, err) || !find_port(book, where, &wish, &hosts, made, err))
        return false;
    for (size_t i = 0; i < hosts.count; i++) {
        *APPEND(publication->items, publication->count) = made[i];
        *APPEND(book->items, book->count) = made[i]; /* at once: the next binding must not take it, too */
    }
    return true;
}

static bool add_rules(struct network_manager *manager, const struct publication *publication, struct error *err)
{
    size_t count = 0;
    _cleanup_free_ struct firewall_port *rules = xcalloc(publication->count + 1, sizeof(*rules));
    for (size_t i = 0; i < publication->count; i++)
        if (publication->items[i]->has_rule)
            rules[count++] = publication->items[i]->rule;
    return firewall_add_ports(manager->firewall, rules, count, err);
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
            continue;
        if (!book->proxy)
            book->proxy = proxy_new();
        if (book->proxy)
            proxy_add(book->proxy, item->socket, item->rule.protocol, item->rule.address, item->rule.port);
    }
}

bool network_publish(struct network_manager *manager, const struct network_publish *where,
                     const struct record_map *bindings, struct record_map *shown, struct error *err)
{
    struct port_book *book = manager->ports;
    struct publication publication = {0};
    bool is_good = true;
    pthread_mutex_lock(&book->mutex);
    for (size_t i = 0; i < bindings->keys.count && is_good; i++) {
        const struct record_list *list = RECORD_AT(*bindings, struct record_list, i);
        for (size_t j = 0; j < list->count && is_good; j++) {
            struct error why = ERROR_INIT;
            is_good = publish_one(book, where, bindings->keys.items[i], RECORD_AT(*list, struct port_binding, j),
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
    size_t count = 0;
    _cleanup_free_ struct firewall_port *rules = xcalloc(gone.count + 1, sizeof(*rules));
    for (size_t i = 0; i < gone.count; i++) {
        forget(book, gone.items[i]);
        if (gone.items[i]->has_rule)
            rules[count++] = gone.items[i]->rule;
    }
    struct error err = ERROR_INIT;
    if (!firewall_remove_ports(manager->firewall, rules, count, &err))
        log_and_release(LOG_LEVEL_WARNING, &err, "container %s", container_id);
    for (size_t i = 0; i < gone.count; i++)
        published_free(book, gone.items[i]);
    free(gone.items);
    pthread_mutex_unlock(&book->mutex);
}
