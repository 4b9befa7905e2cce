#include "network/conntrack.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#include "base/memory.h"

#define TUPLE_MAXIMUM 256

struct flow {
    uint8_t family;
    uint16_t length;
    unsigned char tuple[TUPLE_MAXIMUM]; /* CTA_TUPLE_ORIG as it came */
};

struct search {
    const struct firewall_port *ports;
    size_t count;
    struct flow *found;
    size_t found_count;
};

static void read_ip(const struct nlattr *nest, struct ip_address *target)
{
    const struct nlattr *attribute;
    mnl_attr_for_each_nested(attribute, nest)
    {
        if (mnl_attr_get_type(attribute) == CTA_IP_V4_DST)
            *target = ip_from_bytes(IP_V4, mnl_attr_get_payload(attribute));
        else if (mnl_attr_get_type(attribute) == CTA_IP_V6_DST)
            *target = ip_from_bytes(IP_V6, mnl_attr_get_payload(attribute));
    }
}

static void read_protocol(const struct nlattr *nest, uint8_t *protocol, uint16_t *port)
{
    const struct nlattr *attribute;
    mnl_attr_for_each_nested(attribute, nest)
    {
        if (mnl_attr_get_type(attribute) == CTA_PROTO_NUM)
            *protocol = mnl_attr_get_u8(attribute);
        else if (mnl_attr_get_type(attribute) == CTA_PROTO_DST_PORT)
            *port = ntohs(mnl_attr_get_u16(attribute));
    }
}

static bool is_meant(const struct search *search, struct ip_address target, uint16_t port)
{
    for (size_t i = 0; i < search->count; i++) {
        const struct firewall_port *rule = &search->ports[i];
        if (rule->protocol == IPPROTO_UDP && rule->host_address.family == target.family && port >= rule->host_port &&
            port < rule->host_port + MAX(rule->count, 1) &&
            (ip_is_any(rule->host_address) || ip_equal(rule->host_address, target)))
            return true;
    }
    return false;
}

static int see_flow(const struct nlmsghdr *message, void *context)
{
    struct search *search = context;
    const struct nfgenmsg *head = mnl_nlmsg_get_payload(message);
    struct nlattr *attribute, *part;
    mnl_attr_for_each(attribute, message, sizeof(*head))
    {
        struct ip_address target = {0};
        uint8_t protocol = 0;
        uint16_t port = 0;
        if (mnl_attr_get_type(attribute) != CTA_TUPLE_ORIG || mnl_attr_get_payload_len(attribute) > TUPLE_MAXIMUM)
            continue;
        mnl_attr_for_each_nested(part, attribute)
        {
            if (mnl_attr_get_type(part) == CTA_TUPLE_IP)
                read_ip(part, &target);
            else if (mnl_attr_get_type(part) == CTA_TUPLE_PROTO)
                read_protocol(part, &protocol, &port);
        }
        if (protocol != IPPROTO_UDP || !is_meant(search, target, port))
            continue;
        struct flow *flow = APPEND(search->found, search->found_count);
        flow->family = head->nfgen_family;
        flow->length = mnl_attr_get_payload_len(attribute);
        memcpy(flow->tuple, mnl_attr_get_payload(attribute), flow->length);
    }
    return MNL_CB_OK;
}

static struct nlmsghdr *start(char *buffer, uint16_t type, uint16_t flags, uint8_t family)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
    message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
    message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    message->nlmsg_seq = 1;
    struct nfgenmsg *head = mnl_nlmsg_put_extra_header(message, sizeof(*head));
    head->nfgen_family = family;
    head->version = NFNETLINK_V0;
    return message;
}

static void collect(struct mnl_socket *socket, struct search *search)
{
    char buffer[32768];
    const struct nlmsghdr *message = start(buffer, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);
    if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
        return;
    for (int result = 1; result > 0;) {
        ssize_t n = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
        result = n < 0 ? -1 : mnl_cb_run(buffer, (size_t)n, 1, 0, see_flow, search);
    }
}

void conntrack_forget(const struct firewall_port *ports, size_t count)
{
    struct search search = {.ports = ports, .count = count};
    bool has_udp = false;
    for (size_t i = 0; i < count; i++)
        has_udp = has_udp || ports[i].protocol == IPPROTO_UDP;
    struct mnl_socket *socket = has_udp ? mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC) : NULL;
    if (!socket)
        return;
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0)
        collect(socket, &search);
    for (size_t i = 0; i < search.found_count; i++) {
        char buffer[1024];
        const struct flow *flow = &search.found[i];
        struct nlmsghdr *message = start(buffer, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, flow->family);
        mnl_attr_put(message, CTA_TUPLE_ORIG | NLA_F_NESTED, flow->length, flow->tuple);
        if (mnl_socket_sendto(socket, message, message->nlmsg_len) >= 0)
            (void)mnl_socket_recvfrom(socket, buffer, sizeof(buffer)); /* it may have ended meanwhile */
    }
    free(search.found);
    mnl_socket_close(socket);
}
