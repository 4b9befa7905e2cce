/* The addresses of one subnet: the lowest free one is given first, as Docker's bridge driver does. Not thread-safe. */
#pragma once

#include "network/netlink.h"

struct address_pool {
    struct ipv4_prefix subnet;
    struct ipv4_prefix range; /* a part of it (or all) from which addresses are given unasked */
    uint32_t size;            /* addresses that are managed, from the subnet's first on; at most ADDRESS_POOL_MAX */
    uint64_t *taken;          /* a bit each */
};
#define ADDRESS_POOL_MAX (UINT32_C(1) << 24) /* a /8 */

/* The network's and the broadcast address are taken from the start. */
void address_pool_init(struct address_pool *pool, struct ipv4_prefix subnet);
void address_pool_release(struct address_pool *pool);
/* False where it is taken already or lies outside of the subnet. */
bool address_pool_reserve(struct address_pool *pool, uint32_t address);
bool address_pool_take(struct address_pool *pool, uint32_t *address, struct error *err);
void address_pool_give_back(struct address_pool *pool, uint32_t address);
