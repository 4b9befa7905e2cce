/* The addresses of one subnet: the lowest free one is given first, as Docker's drivers do. Not thread-safe. */
#pragma once

#include "base/error.h"
#include "network/ip.h"

struct address_pool {
    struct ip_prefix subnet;
    struct ip_prefix range; /* a part of it (or all) from which addresses are given unasked */
    uint128 *taken;         /* offsets from the subnet's first address, in order */
    size_t count;
};

/* The subnet's first address, and the last of IPv4, are never given unasked. */
void address_pool_init(struct address_pool *pool, struct ip_prefix subnet);
void address_pool_release(struct address_pool *pool);
/* False where it is taken already or lies outside of the subnet. */
bool address_pool_reserve(struct address_pool *pool, struct ip_address address);
bool address_pool_take(struct address_pool *pool, struct ip_address *address, struct error *err);
void address_pool_give_back(struct address_pool *pool, struct ip_address address);
