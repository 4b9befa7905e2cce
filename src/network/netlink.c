#include "network/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/random.h>

#include "base/memory.h"
#include "base/text.h"

#define ALIAS       "wherry"
#define BUFFER_SIZE 32768 /* what libmnl recommends for dumps on any page size */

/* Sends one request and hands every message of the answer to `each`. Returns 0, or -1 with errno. */
static int transact(struct nlmsghdr *request, mnl_cb_t each, void *context)
{
    static unsigned sequence;
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!socket)
        return -1;
    request->nlmsg_seq = __atomic_add_fetch(&sequence, 1, __ATOMIC_RELAXED);
    char answer[BUFFER_SIZE];
    int result = -1;
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 &&
        mnl_socket_sendto(socket, request, request->nlmsg_len) >= 0) {
        unsigned port = mnl_socket_get_portid(socket);
        do {
            ssize_t n = mnl_socket_recvfrom(socket, answer, sizeof(answer));
            result = n < 0 ? -1 : mnl_cb_run(answer, (size_t)n, request->nlmsg_seq, port, each, context);
        } while (result > 0);
    }
    int saved = errno;
    mnl_socket_close(socket);
    errno = saved;
    return result;
}

static struct nlmsghdr *start_message(char *buffer, uint16_t type, uint16_t flags)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
    message->nlmsg_type = type;
    message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    return message;
}

static struct nlmsghdr *start_link_message(char *buffer, uint16_t type, uint16_t flags, unsigned index)
{
    struct nlmsghdr *message = start_message(buffer, type, flags);
    struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof(*link));
    link->ifi_family = AF_UNSPEC;
    link->ifi_index = (int)index;
    return message;
}

static int see_link(const struct nlmsghdr *message, void *context)
{
    bool *is_ours = context;
    struct nlattr *attribute;
    mnl_attr_for_each(attribute, message, sizeof(struct ifinfomsg))
    {
        if (mnl_attr_get_type(attribute) == IFLA_IFALIAS)
            *is_ours = strcmp(mnl_attr_get_str(attribute), ALIAS) == 0;
    }
    return MNL_CB_OK;
}

unsigned netlink_find(const char *name, bool *is_ours)
{
    unsigned index = if_nametoindex(name);
    *is_ours = false;
    if (!index)
        return 0;
    char buffer[1024];
    struct nlmsghdr *message = start_link_message(buffer, RTM_GETLINK, NLM_F_ACK, index);
    return transact(message, see_link, is_ours) == 0 ? index : 0;
}

struct address_search {
    unsigned index;
    bool is_found;
    struct ip_prefix found;
};

static int see_address(const struct nlmsghdr *message, void *context)
{
    struct address_search *search = context;
    const struct ifaddrmsg *address = mnl_nlmsg_get_payload(message);
    if (address->ifa_index != search->index || search->is_found)
        return MNL_CB_OK;
    struct nlattr *attribute;
    mnl_attr_for_each(attribute, message, sizeof(*address))
    {
        if (mnl_attr_get_type(attribute) != IFA_LOCAL)
            continue;
        search->found =
            (struct ip_prefix){ip_from_bytes(IP_V4, mnl_attr_get_payload(attribute)), address->ifa_prefixlen};
        search->is_found = true;
    }
    return MNL_CB_OK;
}

bool netlink_address(unsigned index, struct ip_prefix *out)
{
    char buffer[1024];
    struct nlmsghdr *message = start_message(buffer, RTM_GETADDR, NLM_F_DUMP);
    struct ifaddrmsg *address = mnl_nlmsg_put_extra_header(message, sizeof(*address));
    address->ifa_family = AF_INET;
    struct address_search search = {.index = index};
    if (transact(message, see_address, &search) < 0 || !search.is_found)
        return false;
    *out = search.found;
    return true;
}

bool netlink_add_address(const char *name, struct ip_prefix prefix, struct error *err)
{
    char buffer[1024], text[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    size_t length = ip_bytes(prefix.address, bytes);
    struct nlmsghdr *message = start_message(buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK);
    struct ifaddrmsg *address = mnl_nlmsg_put_extra_header(message, sizeof(*address));
    address->ifa_family = prefix.address.family == IP_V4 ? AF_INET : AF_INET6;
    address->ifa_prefixlen = (uint8_t)prefix.length;
    address->ifa_index = if_nametoindex(name);
    mnl_attr_put(message, IFA_LOCAL, length, bytes);
    mnl_attr_put(message, IFA_ADDRESS, length, bytes);
    if (prefix.address.family == IP_V4) {
        ip_bytes(ip_last(prefix), bytes);
        mnl_attr_put(message, IFA_BROADCAST, length, bytes);
    } else {
        mnl_attr_put_u32(message, IFA_FLAGS, IFA_F_NODAD); /* the address is ours to give */
    }
    if (transact(message, NULL, NULL) == 0 || errno == EEXIST)
        return true;
    return error_errno(err, "cannot give %s the address %s", name, ip_format(prefix.address, text));
}

static bool set_up(unsigned index)
{
    char buffer[1024];
    struct nlmsghdr *message = start_link_message(buffer, RTM_NEWLINK, NLM_F_ACK, index);
    struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
    link->ifi_flags = link->ifi_change = IFF_UP;
    mnl_attr_put_strz(message, IFLA_IFALIAS, ALIAS);
    return transact(message, NULL, NULL) == 0;
}

static bool set_up_new(const char *name, struct error *err)
{
    if (set_up(if_nametoindex(name)))
        return true;
    error_errno(err, "set up link %s", name);
    netlink_remove(name, NULL);
    return false;
}

bool netlink_make_bridge(const char *name, int64_t mtu, struct error *err)
{
    /* A MAC of its own: without one a bridge takes the lowest of its ports', which changes as containers come and go.
     */
    uint8_t mac[6] = {0x02, 0x42};
    if (getrandom(mac + 2, 4, 0) != 4)
        return error_errno(err, "getrandom");
    char buffer[1024];
    struct nlmsghdr *message = start_link_message(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, 0);
    mnl_attr_put_strz(message, IFLA_IFNAME, name);
    mnl_attr_put(message, IFLA_ADDRESS, sizeof(mac), mac);
    if (mtu)
        mnl_attr_put_u32(message, IFLA_MTU, (uint32_t)mtu);
    struct nlattr *info = mnl_attr_nest_start(message, IFLA_LINKINFO);
    mnl_attr_put_strz(message, IFLA_INFO_KIND, "bridge");
    mnl_attr_nest_end(message, info);
    if (transact(message, NULL, NULL) < 0)
        return error_errno(err, "cannot make bridge %s", name);
    return set_up_new(name, err);
}

static int make_link(const char *name, const char *kind, const char *parent, int vlan)
{
    char buffer[1024];
    struct nlmsghdr *message = start_link_message(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, 0);
    mnl_attr_put_strz(message, IFLA_IFNAME, name);
    if (parent)
        mnl_attr_put_u32(message, IFLA_LINK, if_nametoindex(parent));
    struct nlattr *info = mnl_attr_nest_start(message, IFLA_LINKINFO);
    mnl_attr_put_strz(message, IFLA_INFO_KIND, kind);
    if (vlan >= 0) {
        struct nlattr *data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
        mnl_attr_put_u16(message, IFLA_VLAN_ID, (uint16_t)vlan);
        mnl_attr_nest_end(message, data);
    }
    mnl_attr_nest_end(message, info);
    return transact(message, NULL, NULL);
}

/* The words of Go's syscall.Errno, which clients of Docker know. */
static bool link_failed(struct error *err, const char *kind)
{
    return errno == EOPNOTSUPP ? error_set(err, ERROR_INTERNAL, "operation not supported: this kernel has no %s", kind)
                               : error_errno(err, "cannot make a link of kind %s", kind);
}

bool netlink_make_dummy(const char *name, struct error *err)
{
    return make_link(name, "dummy", NULL, -1) == 0 ? set_up_new(name, err) : link_failed(err, "dummy");
}

bool netlink_make_vlan(const char *name, const char *parent, uint16_t id, struct error *err)
{
    return make_link(name, "vlan", parent, id) == 0 ? set_up_new(name, err) : link_failed(err, "vlan");
}

bool netlink_can_make(const char *kind, const char *parent, struct error *err)
{
    char name[IFNAMSIZ];
    uint32_t random;
    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        return error_errno(err, "getrandom");
    snprintf(name, sizeof(name), "wt-%08x", random);
    if (make_link(name, kind, parent, -1) < 0)
        return link_failed(err, kind);
    return netlink_remove(name, err);
}

bool netlink_set_master(const char *name, const char *bridge, struct error *err)
{
    char buffer[1024];
    struct nlmsghdr *message = start_link_message(buffer, RTM_NEWLINK, NLM_F_ACK, if_nametoindex(name));
    mnl_attr_put_u32(message, IFLA_MASTER, if_nametoindex(bridge));
    return transact(message, NULL, NULL) == 0 || error_errno(err, "make %s a port of %s", name, bridge);
}

bool netlink_remove(const char *name, struct error *err)
{
    unsigned index = if_nametoindex(name);
    if (!index)
        return true;
    char buffer[1024];
    struct nlmsghdr *message = start_link_message(buffer, RTM_DELLINK, NLM_F_ACK, index);
    return transact(message, NULL, NULL) == 0 || error_errno(err, "remove link %s", name);
}

static bool set_port(const char *name, uint16_t attribute, struct error *err)
{
    char buffer[1024];
    struct nlmsghdr *message = start_link_message(buffer, RTM_SETLINK, NLM_F_ACK, if_nametoindex(name));
    struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
    link->ifi_family = AF_BRIDGE;
    struct nlattr *info = mnl_attr_nest_start(message, IFLA_PROTINFO);
    mnl_attr_put_u8(message, attribute, 1);
    mnl_attr_nest_end(message, info);
    return transact(message, NULL, NULL) == 0 || error_errno(err, "set up port %s of the bridge", name);
}

bool netlink_set_hairpin(const char *name, struct error *err)
{
    return set_port(name, IFLA_BRPORT_MODE, err);
}

bool netlink_set_isolated(const char *name, struct error *err)
{
    return set_port(name, IFLA_BRPORT_ISOLATED, err);
}

struct route_list {
    enum ip_family family;
    struct ip_prefix *items;
    size_t count;
};

static int see_route(const struct nlmsghdr *message, void *context)
{
    struct route_list *list = context;
    const struct rtmsg *route = mnl_nlmsg_get_payload(message);
    if (route->rtm_dst_len == 0 || route->rtm_type != RTN_UNICAST)
        return MNL_CB_OK;
    struct nlattr *attribute;
    mnl_attr_for_each(attribute, message, sizeof(*route))
    {
        if (mnl_attr_get_type(attribute) == RTA_DST)
            *APPEND(list->items, list->count) =
                (struct ip_prefix){ip_from_bytes(list->family, mnl_attr_get_payload(attribute)), route->rtm_dst_len};
    }
    return MNL_CB_OK;
}

bool netlink_routes(enum ip_family family, struct ip_prefix **items, size_t *count, struct error *err)
{
    char buffer[1024];
    struct nlmsghdr *message = start_message(buffer, RTM_GETROUTE, NLM_F_DUMP);
    struct rtmsg *route = mnl_nlmsg_put_extra_header(message, sizeof(*route));
    route->rtm_family = family == IP_V4 ? AF_INET : AF_INET6;
    struct route_list list = {.family = family};
    if (transact(message, see_route, &list) < 0) {
        free(list.items);
        return error_errno(err, "list routes");
    }
    *items = list.items;
    *count = list.count;
    return true;
}

struct port_list {
    unsigned bridge;
    struct strlist *names;
};

static int see_port(const struct nlmsghdr *message, void *context)
{
    struct port_list *list = context;
    const char *name = NULL;
    unsigned bridge = 0;
    struct nlattr *attribute;
    mnl_attr_for_each(attribute, message, sizeof(struct ifinfomsg))
    {
        if (mnl_attr_get_type(attribute) == IFLA_IFNAME)
            name = mnl_attr_get_str(attribute);
        else if (mnl_attr_get_type(attribute) == IFLA_MASTER)
            bridge = mnl_attr_get_u32(attribute);
    }
    if (name && bridge == list->bridge)
        strlist_add(list->names, name);
    return MNL_CB_OK;
}

bool netlink_ports(unsigned bridge, struct strlist *out, struct error *err)
{
    char buffer[1024];
    struct nlmsghdr *message = start_message(buffer, RTM_GETLINK, NLM_F_DUMP);
    struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof(*link));
    link->ifi_family = AF_UNSPEC;
    struct port_list list = {bridge, out};
    return transact(message, see_port, &list) == 0 || error_errno(err, "list the ports of a bridge");
}
