#include "network/nftables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

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
static size_t put_key(const struct firewall_element *element, uint16_t port, unsigned char key[24])
{
    uint16_t wire = htons(port);
    memset(key, 0, 24);
    size_t length = ip_bytes(element->key, key);
    key[length] = element->protocol;
    memcpy(key + length + 4, &wire, sizeof(wire));
    return length + 8;
}

static void put_element(struct nlmsghdr *message, const struct firewall_element *element, bool is_addition)
{
    unsigned char key[24], value[24] = {0};
    bool is_in_ranges = string_starts_with(element->set, "ranges") || string_starts_with(element->set, "closed_ranges");
    size_t length = put_key(element, element->first, key), value_length = ip_bytes(element->value, value);
    struct nlattr *nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
    put_data(message, NFTA_SET_ELEM_KEY, key, length);
    if (is_in_ranges) {
        put_key(element, element->last, key);
        put_data(message, NFTA_SET_ELEM_KEY_END, key, length);
    }
    if (is_addition && value_length) {
        uint16_t wire = htons(element->value_port);
        memcpy(value + value_length, &wire, sizeof(wire));
        put_data(message, NFTA_SET_ELEM_DATA, value, value_length + (element->value_port ? 4 : 0));
    }
    mnl_attr_nest_end(message, nest);
}

/* One message for the elements of one set or map; 0 where there are none. */
static size_t put_elements(char *place, uint32_t sequence, const char *table, bool is_addition, const char *set,
                           const struct firewall_element *elements, size_t count)
{
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++)
        chosen += string_equal(elements[i].set, set);
    if (!chosen)
        return 0;
    uint16_t type = (NFNL_SUBSYS_NFTABLES << 8) | (is_addition ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM);
    struct nlmsghdr *message =
        put_head(place, type, (is_addition ? NLM_F_CREATE : 0) | NLM_F_ACK, sequence, NFPROTO_INET, 0);
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, table);
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set);
    struct nlattr *nest = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
    for (size_t i = 0; i < count; i++)
        if (string_equal(elements[i].set, set))
            put_element(message, &elements[i], is_addition);
    mnl_attr_nest_end(message, nest);
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

static int change(const char *table, bool is_addition, const struct firewall_element *elements, size_t count)
{
    _cleanup_free_ char *batch = xcalloc(1, (FIREWALL_PORT_SETS + 2) * HEAD_SPACE + count * ELEMENT_SPACE);
    size_t length = put_head(batch, NFNL_MSG_BATCH_BEGIN, 0, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES)->nlmsg_len;
    unsigned expected = 0;
    for (size_t i = 0; i < FIREWALL_PORT_SETS; i++) {
        size_t added =
            put_elements(batch + length, expected + 1, table, is_addition, firewall_port_sets[i], elements, count);
        length += added;
        expected += added > 0;
    }
    length += put_head(batch + length, NFNL_MSG_BATCH_END, 0, expected + 1, AF_UNSPEC, NFNL_SUBSYS_NFTABLES)->nlmsg_len;
    return exchange(batch, length, expected);
}

bool nftables_change(const char *table, bool is_addition, const struct firewall_element *elements, size_t count,
                     struct error *err)
{
    int result = 0;
    for (size_t done = 0; done < count && !result; done += ELEMENTS_AT_ONCE)
        result = change(table, is_addition, elements + done, MIN(count - done, (size_t)ELEMENTS_AT_ONCE));
    return result == 0 || error_errno_value(err, result, "cannot change nftables table %s", table);
}

/* --- questions --- */

#define DUMP_SIZE 32768

/* Hands every message of the answer to `each`. */
static bool ask(struct nlmsghdr *request, mnl_cb_t each, void *context)
{
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (!socket)
        return false;
    char answer[DUMP_SIZE];
    int result = -1;
    bool is_dump = request->nlmsg_flags & NLM_F_DUMP;
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 &&
        mnl_socket_sendto(socket, request, request->nlmsg_len) >= 0)
        do {
            ssize_t n = mnl_socket_recvfrom(socket, answer, sizeof(answer));
            result = n < 0 ? -1 : mnl_cb_run(answer, (size_t)n, 0, 0, each, context);
        } while (result > 0 && is_dump);
    mnl_socket_close(socket);
    return result >= 0;
}

static int see_generation(const struct nlmsghdr *message, void *context)
{
    struct nlattr *attribute;
    mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(attribute) == NFTA_GEN_ID)
            *(uint32_t *)context = ntohl(mnl_attr_get_u32(attribute));
    }
    return MNL_CB_OK;
}

bool nftables_generation(uint32_t *out)
{
    char buffer[256];
    *out = 0;
    struct nlmsghdr *message = put_head(buffer, (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN, 0, 1, AF_UNSPEC, 0);
    return ask(message, see_generation, out) && *out;
}

static int see_rule(const struct nlmsghdr *message, void *context)
{
    struct nftables_count *count = context;
    struct nlattr *attribute;
    bool is_of_user = false;
    mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(attribute) == NFTA_RULE_CHAIN)
            is_of_user = strcmp(mnl_attr_get_str(attribute), "user") == 0;
    }
    if (is_of_user)
        count->of_user++;
    else
        count->rules++;
    return MNL_CB_OK;
}

static int see_elements(const struct nlmsghdr *message, void *context)
{
    struct nlattr *attribute, *element;
    mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(attribute) != NFTA_SET_ELEM_LIST_ELEMENTS)
            continue;
        mnl_attr_for_each_nested(element, attribute)
        {
            (*(size_t *)context)++;
        }
    }
    return MNL_CB_OK;
}

static void count_elements(const char *table, const char *set, size_t *out)
{
    char buffer[512];
    struct nlmsghdr *message =
        put_head(buffer, (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETSETELEM, NLM_F_DUMP, 1, NFPROTO_INET, 0);
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, table);
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set);
    ask(message, see_elements, out);
}

void nftables_count(const char *table, struct nftables_count *out)
{
    char buffer[512];
    struct nftables_count count = {0};
    struct nlmsghdr *message =
        put_head(buffer, (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETRULE, NLM_F_DUMP, 1, NFPROTO_INET, 0);
    mnl_attr_put_strz(message, NFTA_RULE_TABLE, table);
    ask(message, see_rule, &count);
    count_elements(table, "bridges", &count.bridges);
    count_elements(table, "allowed", &count.of_user);
    count_elements(table, "allowed6", &count.of_user);
    *out = count;
}
