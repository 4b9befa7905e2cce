/* Addresses and prefixes of both families, as one type. No I/O. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 uint128;

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ip_address {
    enum ip_family family; /* IP_NONE: there is none */
    uint128 value;         /* host byte order */
};

struct ip_prefix {
    struct ip_address address; /* not necessarily the first one of the prefix */
    unsigned length;           /* 0-32, or 0-128 */
};

bool ip_parse(const char *text, struct ip_address *out);
/* "172.17.0.1/16", "fd00::1/64" */
bool ip_prefix_parse(const char *text, struct ip_prefix *out);
const char *ip_format(struct ip_address address, char text[INET6_ADDRSTRLEN]);
/* "172.17.0.0/16": the first address of the prefix. `text` has INET6_ADDRSTRLEN + 4 bytes. */
#define IP_PREFIX_TEXT_SIZE (INET6_ADDRSTRLEN + 4)
const char *ip_prefix_format(struct ip_prefix prefix, char text[IP_PREFIX_TEXT_SIZE]);

bool ip_equal(struct ip_address a, struct ip_address b);
/* The bits of an address, 32 or 128. */
unsigned ip_width(enum ip_family family);
struct ip_address ip_first(struct ip_prefix prefix);
struct ip_address ip_last(struct ip_prefix prefix);
struct ip_address ip_add(struct ip_address address, uint128 offset);
bool ip_contains(struct ip_prefix prefix, struct ip_address address);
bool ip_overlaps(struct ip_prefix a, struct ip_prefix b);
/* 127.0.0.0/8, ::1 */
bool ip_is_loopback(struct ip_address address);
/* 0.0.0.0, :: */
bool ip_is_any(struct ip_address address);

/* Network byte order; 4 or 16 bytes, which is returned. */
size_t ip_bytes(struct ip_address address, unsigned char out[16]);
struct ip_address ip_from_bytes(enum ip_family family, const void *bytes);
/* For bind, connect and sendto; returns the length. */
socklen_t ip_sockaddr(struct ip_address address, uint16_t port, struct sockaddr_storage *out);
