#include "runtime/interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

/* Messages to the kernel, one after the other, every one to be acknowledged; `shown` names each for the error. */
#define BATCH_SIZE     16384
#define BATCH_MESSAGES 64

struct batch {
    int socket;
    size_t length;
    uint32_t count;
    bool is_overrun;
    const char *shown[BATCH_MESSAGES];
    union {
        struct nlmsghdr header;
        char data[BATCH_SIZE];
    };
};

static struct batch *batch_new(struct error *err)
{
    struct batch *batch = NEW(struct batch);
    batch->socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (batch->socket >= 0)
        return batch;
    error_errno(err, "open a netlink socket");
    free(batch);
    return NULL;
}

static void batch_free(struct batch *batch)
{
    close_fd(batch->socket);
    free(batch);
}
DEFINE_CLEANUP(struct batch *, batch_free)

static void *batch_reserve(struct batch *batch, size_t length)
{
    size_t aligned = NLMSG_ALIGN(length);
    if (batch->length + aligned > sizeof(batch->data)) {
        batch->is_overrun = true;
        batch->length = 0;
    }
    void *place = batch->data + batch->length;
    batch->length += aligned;
    memset(place, 0, aligned);
    return place;
}

/* Begins a message with `head_size` bytes of family header, which is returned; *header is ended by batch_end. */
static void *batch_begin(struct batch *batch, uint16_t type, uint16_t flags, size_t head_size, const char *shown,
                         size_t *start)
{
    *start = batch->length;
    struct nlmsghdr *header = batch_reserve(batch, NLMSG_HDRLEN);
    header->nlmsg_type = type;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    header->nlmsg_seq = batch->count + 1;
    if (batch->count < BATCH_MESSAGES)
        batch->shown[batch->count++] = shown;
    else
        batch->is_overrun = true;
    return batch_reserve(batch, head_size);
}

static void batch_end(struct batch *batch, size_t start)
{
    struct nlmsghdr *header = (void *)(batch->data + start);
    header->nlmsg_len = (uint32_t)(batch->length - start);
}

static void add_attribute(struct batch *batch, uint16_t type, const void *data, size_t length)
{
    struct rtattr *attribute = batch_reserve(batch, RTA_LENGTH(length));
    attribute->rta_type = type;
    attribute->rta_len = (uint16_t)RTA_LENGTH(length);
    if (length)
        memcpy(RTA_DATA(attribute), data, length);
}

static size_t begin_nested(struct batch *batch, uint16_t type)
{
    size_t start = batch->length;
    add_attribute(batch, type, NULL, 0);
    return start;
}

static void end_nested(struct batch *batch, size_t start)
{
    struct rtattr *attribute = (void *)(batch->data + start);
    attribute->rta_len = (uint16_t)(batch->length - start);
}

static bool batch_send(struct batch *batch, struct error *err)
{
    if (batch->is_overrun)
        return error_set(err, ERROR_INVALID, "too many network interfaces or addresses");
    if (send(batch->socket, batch->data, batch->length, 0) < 0)
        return error_errno(err, "send to netlink");
    char reply[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
    for (uint32_t answered = 0; answered < batch->count;) {
        ssize_t n = recv(batch->socket, reply, sizeof(reply), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, "receive from netlink");
        size_t left = (size_t)n;
        for (struct nlmsghdr *header = (void *)reply; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
            if (header->nlmsg_type != NLMSG_ERROR)
                continue;
            const struct nlmsgerr *answer = NLMSG_DATA(header);
            if (answer->error && header->nlmsg_seq >= 1 && header->nlmsg_seq <= batch->count)
                return error_errno_value(err, -answer->error, "%s", batch->shown[header->nlmsg_seq - 1]);
            answered++;
        }
    }
    return true;
}

static int index_of(int socket, const char *name)
{
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    return ioctl(socket, SIOCGIFINDEX, &request) < 0 ? -1 : request.ifr_ifindex;
}

static bool parse_mac(const char *text, unsigned char mac[6])
{
    char rest;
    return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5],
                  &rest) == 6;
}

static void add_name(struct batch *batch, const char *name)
{
    add_attribute(batch, IFLA_IFNAME, name, strlen(name) + 1);
}

static void add_mtu(struct batch *batch, int64_t mtu)
{
    uint32_t value = (uint32_t)mtu;
    if (mtu)
        add_attribute(batch, IFLA_MTU, &value, sizeof(value));
}

/* Isolated: it does not talk to other such ports of the bridge (enable_icc=false). */
static void set_bridge_port(struct batch *batch, const struct launch_interface *interface)
{
    size_t start;
    struct ifinfomsg *head =
        batch_begin(batch, RTM_NEWLINK, 0, sizeof(*head), "set up the container's port of the bridge", &start);
    head->ifi_family = AF_UNSPEC;
    add_name(batch, interface->host_name);
    size_t info = begin_nested(batch, IFLA_LINKINFO);
    add_attribute(batch, IFLA_INFO_SLAVE_KIND, "bridge", strlen("bridge"));
    size_t data = begin_nested(batch, IFLA_INFO_SLAVE_DATA);
    if (interface->is_isolated)
        add_attribute(batch, IFLA_BRPORT_ISOLATED, &(unsigned char){1}, 1);
    if (interface->has_hairpin)
        add_attribute(batch, IFLA_BRPORT_MODE, &(unsigned char){1}, 1);
    end_nested(batch, data);
    end_nested(batch, info);
    batch_end(batch, start);
}

static void add_mac(struct batch *batch, const struct launch_interface *interface)
{
    unsigned char mac[6];
    if (string_is_set(interface->mac) && parse_mac(interface->mac, mac))
        add_attribute(batch, IFLA_ADDRESS, mac, sizeof(mac));
}

static void add_pair(struct batch *batch, const struct launch_interface *interface, int bridge, pid_t child)
{
    size_t start;
    struct ifinfomsg *host = batch_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*host),
                                         "create the container's interface", &start);
    host->ifi_flags = host->ifi_change = IFF_UP;
    add_name(batch, interface->host_name);
    add_mtu(batch, interface->mtu);
    if (bridge >= 0)
        add_attribute(batch, IFLA_MASTER, &(uint32_t){(uint32_t)bridge}, sizeof(uint32_t));
    size_t info = begin_nested(batch, IFLA_LINKINFO);
    add_attribute(batch, IFLA_INFO_KIND, "veth", strlen("veth"));
    size_t data = begin_nested(batch, IFLA_INFO_DATA), peer = begin_nested(batch, VETH_INFO_PEER);
    struct ifinfomsg *inside = batch_reserve(batch, sizeof(*inside));
    inside->ifi_family = AF_UNSPEC; /* not up: a veth opens only once it has its peer */
    add_name(batch, interface->name);
    add_mtu(batch, interface->mtu);
    add_mac(batch, interface);
    add_attribute(batch, IFLA_NET_NS_PID, &(uint32_t){(uint32_t)child}, sizeof(uint32_t));
    end_nested(batch, peer);
    end_nested(batch, data);
    end_nested(batch, info);
    batch_end(batch, start);
    if (interface->is_isolated || interface->has_hairpin)
        set_bridge_port(batch, interface);
}

struct mode {
    const char *name;
    uint32_t value;
};
static const struct mode macvlan_modes[] = {{"bridge", MACVLAN_MODE_BRIDGE},
                                            {"private", MACVLAN_MODE_PRIVATE},
                                            {"vepa", MACVLAN_MODE_VEPA},
                                            {"passthru", MACVLAN_MODE_PASSTHRU}};
static const struct mode ipvlan_modes[] = {{"l2", IPVLAN_MODE_L2}, {"l3", IPVLAN_MODE_L3}, {"l3s", IPVLAN_MODE_L3S}};
static const struct mode ipvlan_flags[] = {{"bridge", 0}, {"private", IPVLAN_F_PRIVATE}, {"vepa", IPVLAN_F_VEPA}};

static uint32_t mode_value(const struct mode *modes, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (string_equal(modes[i].name, name))
            return modes[i].value;
    return modes[0].value;
}

/* A link of the host's with addresses of its own, made in the container's namespace. */
static void add_vlan(struct batch *batch, const struct launch_interface *interface, int parent, pid_t child)
{
    size_t start;
    bool is_macvlan = string_equal(interface->kind, "macvlan");
    struct ifinfomsg *head = batch_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*head),
                                         "create the container's interface on its parent", &start);
    head->ifi_family = AF_UNSPEC;
    add_name(batch, interface->name);
    add_mtu(batch, interface->mtu);
    if (is_macvlan)
        add_mac(batch, interface);
    add_attribute(batch, IFLA_LINK, &(uint32_t){(uint32_t)parent}, sizeof(uint32_t));
    add_attribute(batch, IFLA_NET_NS_PID, &(uint32_t){(uint32_t)child}, sizeof(uint32_t));
    size_t info = begin_nested(batch, IFLA_LINKINFO);
    add_attribute(batch, IFLA_INFO_KIND, interface->kind, strlen(interface->kind));
    size_t data = begin_nested(batch, IFLA_INFO_DATA);
    if (is_macvlan) {
        uint32_t mode = mode_value(macvlan_modes, ARRAY_SIZE(macvlan_modes), interface->mode);
        add_attribute(batch, IFLA_MACVLAN_MODE, &mode, sizeof(mode));
    } else {
        uint16_t mode = (uint16_t)mode_value(ipvlan_modes, ARRAY_SIZE(ipvlan_modes), interface->mode);
        uint16_t flags = (uint16_t)mode_value(ipvlan_flags, ARRAY_SIZE(ipvlan_flags), interface->flag);
        add_attribute(batch, IFLA_IPVLAN_MODE, &mode, sizeof(mode));
        add_attribute(batch, IFLA_IPVLAN_FLAGS, &flags, sizeof(flags));
    }
    end_nested(batch, data);
    end_nested(batch, info);
    batch_end(batch, start);
}

static bool add_interface(struct batch *batch, const struct launch_interface *interface, pid_t child, struct error *err)
{
    unsigned char mac[6];
    int parent = -1;
    bool is_veth = !interface->kind || string_equal(interface->kind, "veth");
    if (string_is_set(interface->mac) && !parse_mac(interface->mac, mac))
        return error_set(err, ERROR_INVALID, "invalid mac address %s", interface->mac);
    if (strlen(string_or_empty(interface->host_name)) >= IFNAMSIZ ||
        strlen(string_or_empty(interface->name)) >= IFNAMSIZ)
        return error_set(err, ERROR_INVALID, "interface name %s is too long", interface->name);
    if (string_is_set(interface->parent) && (parent = index_of(batch->socket, interface->parent)) < 0)
        return error_errno(err, "%s %s", is_veth ? "bridge" : "parent link", interface->parent);
    if (is_veth)
        add_pair(batch, interface, parent, child);
    else
        add_vlan(batch, interface, parent, child);
    return true;
}

bool interfaces_create(const struct record_list *interfaces, pid_t child, struct error *err)
{
    if (!interfaces->count)
        return true;
    _cleanup_(batch_freep) struct batch *batch = batch_new(err);
    if (!batch)
        return false;
    for (size_t i = 0; i < interfaces->count; i++)
        if (!add_interface(batch, RECORD_AT(*interfaces, struct launch_interface, i), child, err))
            return false;
    return batch_send(batch, err);
}

struct address {
    unsigned char family, prefix, length;
    unsigned char bytes[16];
};

/* "172.17.0.2/16", "fd00::2/64", or without a prefix. */
static bool parse_address(const char *text, struct address *out)
{
    char host[INET6_ADDRSTRLEN];
    const char *slash = strchrnul(text, '/');
    if ((size_t)(slash - text) >= sizeof(host))
        return false;
    snprintf(host, sizeof(host), "%.*s", (int)(slash - text), text);
    bool is_v6 = strchr(host, ':') != NULL;
    int64_t prefix = is_v6 ? 128 : 32;
    if (*slash && (!parse_int64(slash + 1, &prefix) || prefix < 0 || prefix > (is_v6 ? 128 : 32)))
        return false;
    *out = (struct address){
        .family = is_v6 ? AF_INET6 : AF_INET, .prefix = (unsigned char)prefix, .length = is_v6 ? 16 : 4};
    return inet_pton(out->family, host, out->bytes) == 1;
}

static bool add_address(struct batch *batch, int index, const char *text, struct error *err)
{
    struct address address;
    if (!parse_address(text, &address))
        return error_set(err, ERROR_INVALID, "invalid address %s", text);
    size_t start;
    struct ifaddrmsg *head = batch_begin(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*head),
                                         "add the container's address", &start);
    head->ifa_family = address.family;
    head->ifa_prefixlen = address.prefix;
    head->ifa_index = (uint32_t)index;
    add_attribute(batch, IFA_LOCAL, address.bytes, address.length);
    add_attribute(batch, IFA_ADDRESS, address.bytes, address.length);
    if (address.family == AF_INET6) {
        /* The address is ours to give: nobody has to be asked whether it is in use. */
        add_attribute(batch, IFA_FLAGS, &(uint32_t){IFA_F_NODAD}, sizeof(uint32_t));
    } else if (address.prefix < 31) {
        uint32_t network, broadcast;
        memcpy(&network, address.bytes, sizeof(network));
        broadcast = network | htonl(address.prefix ? UINT32_MAX >> address.prefix : UINT32_MAX);
        add_attribute(batch, IFA_BROADCAST, &broadcast, sizeof(broadcast));
    }
    batch_end(batch, start);
    return true;
}

/* An ipvlan of layer 3 asks nobody: its default route leads through the link itself. */
static bool add_default_route(struct batch *batch, const struct launch_interface *interface, int index,
                              const char *gateway, struct error *err)
{
    struct address address;
    if (!string_is_set(gateway))
        return true;
    if (!parse_address(gateway, &address))
        return error_set(err, ERROR_INVALID, "invalid gateway %s", gateway);
    bool is_direct =
        string_equal(interface->kind, "ipvlan") && string_starts_with(string_or_empty(interface->mode), "l3");
    size_t start;
    struct rtmsg *head = batch_begin(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*head),
                                     "add the container's default route", &start);
    head->rtm_family = address.family;
    head->rtm_table = RT_TABLE_MAIN;
    head->rtm_protocol = RTPROT_BOOT;
    head->rtm_scope = is_direct && address.family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    head->rtm_type = RTN_UNICAST;
    if (!is_direct)
        add_attribute(batch, RTA_GATEWAY, address.bytes, address.length);
    add_attribute(batch, RTA_OIF, &(uint32_t){(uint32_t)index}, sizeof(uint32_t));
    batch_end(batch, start);
    return true;
}

static void bring_up(struct batch *batch, int index, const char *shown)
{
    size_t start;
    struct ifinfomsg *head = batch_begin(batch, RTM_NEWLINK, 0, sizeof(*head), shown, &start);
    head->ifi_index = index;
    head->ifi_flags = head->ifi_change = IFF_UP;
    batch_end(batch, start);
}

static bool write_setting(const char *path, const char *value)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && write(fd, value, strlen(value)) >= 0;
}

/* As Docker: without an IPv6 address of ours the interface has none, not even a link-local one; with one, it listens to
   no router. A kernel without IPv6 has no such files. */
static void set_ipv6(const struct launch_interface *interface)
{
    bool has_address = false;
    for (size_t i = 0; i < interface->addresses.count && !has_address; i++)
        has_address = strchr(interface->addresses.items[i], ':');
    _cleanup_free_ char *path =
        xasprintf("/proc/sys/net/ipv6/conf/%s/%s", interface->name, has_address ? "accept_ra" : "disable_ipv6");
    (void)write_setting(path, has_address ? "0" : "1");
}

/* "net.ipv4.conf.IFNAME.log_martians=1": the parts are checked by who asked. */
static bool set_sysctls(const struct launch_interface *interface, struct error *err)
{
    for (size_t i = 0; i < interface->sysctls.count; i++) {
        const char *setting = interface->sysctls.items[i], *equals = strchrnul(setting, '=');
        _cleanup_free_ char *key = xstrndup(setting, (size_t)(equals - setting));
        for (char *dot = key; *dot; dot++)
            if (*dot == '.')
                *dot = '/';
        const char *place = strcasestr(key, "/IFNAME/");
        if (!place)
            return error_set(err, ERROR_INVALID, "invalid sysctl of an interface: %s", setting);
        _cleanup_free_ char *path =
            xasprintf("/proc/sys/%.*s/%s/%s", (int)(place - key), key, interface->name, place + strlen("/IFNAME/"));
        if (!write_setting(path, *equals ? equals + 1 : ""))
            return error_errno(err, "failed to set sysctl %s", setting);
    }
    return true;
}

bool interfaces_configure(const struct record_list *interfaces, struct error *err)
{
    _cleanup_(batch_freep) struct batch *batch = batch_new(err);
    if (!batch)
        return false;
    bring_up(batch, 1, "bring the loopback interface up"); /* the kernel's LOOPBACK_IFINDEX */
    for (size_t i = 0; i < interfaces->count; i++) {
        const struct launch_interface *interface = RECORD_AT(*interfaces, struct launch_interface, i);
        int index = index_of(batch->socket, interface->name);
        if (index < 0)
            return error_errno(err, "interface %s", interface->name);
        set_ipv6(interface);
        bring_up(batch, index, "bring the container's interface up");
        for (size_t j = 0; j < interface->addresses.count; j++)
            if (!add_address(batch, index, interface->addresses.items[j], err))
                return false;
        if (!add_default_route(batch, interface, index, interface->gateway, err) ||
            !add_default_route(batch, interface, index, interface->gateway6, err))
            return false;
    }
    if (!batch_send(batch, err))
        return false;
    for (size_t i = 0; i < interfaces->count; i++)
        if (!set_sysctls(RECORD_AT(*interfaces, struct launch_interface, i), err))
            return false;
    return true;
}

/* Of one family: the one that is there goes, whatever it is, and the new one comes. */
static bool replace_gateway(unsigned char family, const char *gateway, struct error *err)
{
    struct address address = {.family = family};
    bool is_set = string_is_set(gateway);
    if (is_set && !parse_address(gateway, &address))
        return error_set(err, ERROR_INVALID, "invalid gateway %s", gateway);
    for (int turn = 0; turn < (is_set ? 2 : 1); turn++) {
        bool is_new = turn == 1;
        _cleanup_(batch_freep) struct batch *batch = batch_new(err);
        size_t start;
        if (!batch)
            return false;
        struct rtmsg *head = batch_begin(batch, is_new ? RTM_NEWROUTE : RTM_DELROUTE, is_new ? NLM_F_CREATE : 0,
                                         sizeof(*head), "set the container's default route", &start);
        head->rtm_family = family;
        head->rtm_table = RT_TABLE_MAIN;
        head->rtm_scope = is_new ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE;
        if (is_new) {
            head->rtm_protocol = RTPROT_BOOT;
            head->rtm_type = RTN_UNICAST;
            add_attribute(batch, RTA_GATEWAY, address.bytes, address.length);
        }
        batch_end(batch, start);
        struct error why = ERROR_INIT;
        if (batch_send(batch, &why))
            continue;
        bool was_none =
            !is_new && (why.errno_value == ESRCH || why.errno_value == ENOENT || why.errno_value == EAFNOSUPPORT);
        if (!was_none)
            return error_move(err, &why);
        error_release(&why);
    }
    return true;
}

bool interfaces_set_gateways(const char *gateway, const char *gateway6, struct error *err)
{
    return replace_gateway(AF_INET, gateway, err) && replace_gateway(AF_INET6, gateway6, err);
}

void interface_remove(const char *name)
{
    _cleanup_(batch_freep) struct batch *batch = batch_new(NULL);
    if (!batch)
        return;
    int index = index_of(batch->socket, name);
    if (index < 0)
        return;
    size_t start;
    struct ifinfomsg *head = batch_begin(batch, RTM_DELLINK, 0, sizeof(*head), "remove an interface", &start);
    head->ifi_index = index;
    batch_end(batch, start);
    batch_send(batch, NULL);
}

void interface_remove_with_address(const char *text)
{
    struct address wanted;
    struct ifaddrs *all = NULL;
    if (!parse_address(text, &wanted) || getifaddrs(&all) < 0)
        return;
    for (const struct ifaddrs *item = all; item; item = item->ifa_next) {
        if (!item->ifa_addr || item->ifa_addr->sa_family != wanted.family)
            continue;
        const void *own = wanted.family == AF_INET ? (const void *)&((struct sockaddr_in *)item->ifa_addr)->sin_addr
                                                   : (const void *)&((struct sockaddr_in6 *)item->ifa_addr)->sin6_addr;
        if (memcmp(own, wanted.bytes, wanted.length) != 0)
            continue;
        interface_remove(item->ifa_name);
        break;
    }
    freeifaddrs(all);
}
