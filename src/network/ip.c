#include "network/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

unsigned ip_width(enum ip_family family)
{
    return family == IP_V4 ? 32 : family == IP_V6 ? 128 : 0;
}

static uint128 all_ones(unsigned count)
{
    return count >= 128 ? ~(uint128)0 : ((uint128)1 << count) - 1;
}

static int af(enum ip_family family)
{
    return family == IP_V4 ? AF_INET : AF_INET6;
}

size_t ip_bytes(struct ip_address address, unsigned char out[16])
{
    size_t count = ip_width(address.family) / 8;
    for (size_t i = 0; i < count; i++)
        out[i] = (unsigned char)(address.value >> (8 * (count - 1 - i)));
    return count;
}

struct ip_address ip_from_bytes(enum ip_family family, const void *bytes)
{
    struct ip_address address = {.family = family};
    for (size_t i = 0; i < ip_width(family) / 8; i++)
        address.value = address.value << 8 | ((const unsigned char *)bytes)[i];
    return address;
}

bool ip_parse(const char *text, struct ip_address *out)
{
    unsigned char bytes[16];
    if (!string_is_set(text))
        return false;
    enum ip_family family = strchr(text, ':') ? IP_V6 : IP_V4;
    if (inet_pton(af(family), text, bytes) != 1)
        return false;
    *out = ip_from_bytes(family, bytes);
    return true;
}

bool ip_prefix_parse(const char *text, struct ip_prefix *out)
{
    char address[INET6_ADDRSTRLEN];
    uint64_t length;
    struct ip_prefix parsed;
    const char *slash = strchr(string_or_empty(text), '/');
    if (!slash || (size_t)(slash - text) >= sizeof(address) || !parse_uint64(slash + 1, &length))
        return false;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';
    if (!ip_parse(address, &parsed.address) || length > ip_width(parsed.address.family))
        return false;
    parsed.length = (unsigned)length;
    *out = parsed;
    return true;
}

const char *ip_format(struct ip_address address, char text[INET6_ADDRSTRLEN])
{
    unsigned char bytes[16];
    if (!ip_bytes(address, bytes))
        text[0] = '\0';
    else
        inet_ntop(af(address.family), bytes, text, INET6_ADDRSTRLEN);
    return text;
}

const char *ip_prefix_format(struct ip_prefix prefix, char text[IP_PREFIX_TEXT_SIZE])
{
    char address[INET6_ADDRSTRLEN];
    snprintf(text, IP_PREFIX_TEXT_SIZE, "%s/%u", ip_format(ip_first(prefix), address), prefix.length % 1000);
    return text;
}

bool ip_equal(struct ip_address a, struct ip_address b)
{
    return a.family == b.family && a.value == b.value;
}

struct ip_address ip_first(struct ip_prefix prefix)
{
    struct ip_address first = prefix.address;
    first.value &= ~all_ones(ip_width(first.family) - prefix.length);
    return first;
}

struct ip_address ip_last(struct ip_prefix prefix)
{
    struct ip_address last = prefix.address;
    last.value |= all_ones(ip_width(last.family) - prefix.length);
    return last;
}

struct ip_address ip_add(struct ip_address address, uint128 offset)
{
    address.value = (address.value + offset) & all_ones(ip_width(address.family));
    return address;
}

bool ip_contains(struct ip_prefix prefix, struct ip_address address)
{
    return address.family == prefix.address.family && address.value >= ip_first(prefix).value &&
           address.value <= ip_last(prefix).value;
}

bool ip_overlaps(struct ip_prefix a, struct ip_prefix b)
{
    return ip_contains(a, ip_first(b)) || ip_contains(b, ip_first(a));
}

bool ip_is_loopback(struct ip_address address)
{
    return address.family == IP_V4 ? address.value >> 24 == 127 : address.family == IP_V6 && address.value == 1;
}

bool ip_is_any(struct ip_address address)
{
    return address.family != IP_NONE && address.value == 0;
}

socklen_t ip_sockaddr(struct ip_address address, uint16_t port, struct sockaddr_storage *out)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    unsigned char bytes[16];
    size_t count = ip_bytes(address, bytes);
    memset(out, 0, sizeof(*out));
    if (address.family == IP_V4) {
        memcpy(&v4.sin_addr, bytes, count);
        memcpy(out, &v4, sizeof(v4));
        return sizeof(v4);
    }
    memcpy(&v6.sin6_addr, bytes, count);
    memcpy(out, &v6, sizeof(v6));
    return sizeof(v6);
}
