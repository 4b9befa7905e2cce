#include "network/nftables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/memory.h"

#define ELEMENT_SPACE 128 /* bytes that one element takes at most, with its nests */
#define HEAD_SPACE    256

static struct nlmsghdr *put_head(char *place, uint16_t type, uint16_t flags, uint32_t sequence, uint8_t family,
                                 uint16_t resource)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(place);
    message->nlmsg_type = type;
    message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    message->nlmsg_seq = sequence;
    struct nfgenmsg *head = mnl_nlmsg_put_extra_header(message, sizeof(*head));
    head->nfgen_family = family;
    head->version = NFNETLINK_V0;
    head->res_id = htons(resource);
    return message;
}

static void put_data(struct nlmsghdr *message, uint16_t type, const void *data, size_t length)
{
    struct nlattr *nest = mnl_attr_nest_start(message, type);
    mnl_attr_put(message, NFTA_DATA_VALUE, length, data);
    mnl_attr_nest_end(message, nest);
}

/* The fields of a concatenation are padded to four bytes each. */
static void put_element(struct nlmsghdr *message, const struct firewall_port *port, bool is_addition)
{
    unsigned char key[12] = {0}, value[8] = {0};
    size_t length = 0;
    uint32_t host_address = htonl(port->host_address), address = htonl(port->address);
    uint16_t host_port = htons(port->host_port), target_port = htons(port->port);
    if (port->host_address) {
        memcpy(key, &host_address, sizeof(host_address));
        length = 4;
    }
    key[length] = port->protocol;
    memcpy(key + length + 4, &host_port, sizeof(host_port));
    memcpy(value, &address, sizeof(address));
    memcpy(value + 4, &target_port, sizeof(target_port));
    struct nlattr *element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
    put_data(message, NFTA_SET_ELEM_KEY, key, length + 8);
    if (is_addition)
        put_data(message, NFTA_SET_ELEM_DATA, value, sizeof(value));
    mnl_attr_nest_end(message, element);
}

/* One message for the elements of one map; NULL where there are none. */
static size_t put_elements(char *place, uint32_t sequence, const char *table, bool is_addition, bool is_any,
                           const struct firewall_port *ports, size_t count)
{
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++)
        chosen += (ports[i].host_address == 0) == is_any;
    if (!chosen)
        return 0;
    uint16_t type = (NFNL_SUBSYS_NFTABLES << 8) | (is_addition ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM);
    struct nlmsghdr *message =
        put_head(place, type, (is_addition ? NLM_F_CREATE : 0) | NLM_F_ACK, sequence, NFPROTO_INET, 0);
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, table);
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, is_any ? "published_any" : "published");
    struct nlattr *elements = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
    for (size_t i = 0; i < count; i++)
        if ((ports[i].host_address == 0) == is_any)
            put_element(message, &ports[i], is_addition);
    mnl_attr_nest_end(message, elements);
    return message->nlmsg_len;
}

/* Sends the batch and takes the answers to `expected` messages. Returns 0 or the first error that was told. */
static int exchange(const char *batch, size_t length, unsigned expected)
{
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (!socket)
        return errno;
    int result = 0;
    char answer[8192];
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 || mnl_socket_sendto(socket, batch, length) < 0)
        result = errno;
    for (unsigned answered = 0; !result && answered < expected;) {
        ssize_t n = mnl_socket_recvfrom(socket, answer, sizeof(answer));
        if (n < 0) {
            result = errno;
            break;
        }
        int left = (int)n;
        for (const struct nlmsghdr *message = (const void *)answer; mnl_nlmsg_ok(message, left);
             message = mnl_nlmsg_next(message, &left)) {
            if (message->nlmsg_type != NLMSG_ERROR)
                continue;
            const struct nlmsgerr *told = mnl_nlmsg_get_payload(message);
            if (told->error && !result)
                result = -told->error;
            answered++;
        }
    }
    mnl_socket_close(socket);
    return result;
}

/* An attribute's length has 16 bits: a nest holds this many elements. */
#define ELEMENTS_AT_ONCE 400

static int change(const char *table, bool is_addition, const struct firewall_port *ports, size_t count)
{
    _cleanup_free_ char *batch = xcalloc(1, 2 * HEAD_SPACE + 2 * (HEAD_SPACE + count * ELEMENT_SPACE));
    size_t length = put_head(batch, NFNL_MSG_BATCH_BEGIN, 0, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES)->nlmsg_len;
    unsigned expected = 0;
    for (int is_any = 0; is_any < 2; is_any++) {
        size_t added = put_elements(batch + length, expected + 1, table, is_addition, is_any, ports, count);
        length += added;
        expected += added > 0;
    }
    length += put_head(batch + length, NFNL_MSG_BATCH_END, 0, expected + 1, AF_UNSPEC, NFNL_SUBSYS_NFTABLES)->nlmsg_len;
    return exchange(batch, length, expected);
}

bool nftables_change_ports(const char *table, bool is_addition, const struct firewall_port *ports, size_t count,
                           bool *is_table_missing, struct error *err)
{
    int result = 0;
    for (size_t done = 0; done < count && !result; done += ELEMENTS_AT_ONCE)
        result = change(table, is_addition, ports + done, MIN(count - done, (size_t)ELEMENTS_AT_ONCE));
    *is_table_missing = result == ENOENT;
    return result == 0 || error_errno_value(err, result, "cannot change nftables table %s", table);
}
