#include "network/address_pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void address_pool_init(struct address_pool *pool, struct ip_prefix subnet)
{
    unsigned width = ip_width(subnet.address.family);
    pool->subnet = (struct ip_prefix){ip_first(subnet), subnet.length};
    pool->range = pool->subnet;
    if (subnet.length + 2 > width)
        return;
    address_pool_reserve(pool, pool->subnet.address);
    if (subnet.address.family == IP_V4)
        address_pool_reserve(pool, ip_last(subnet));
}

void address_pool_release(struct address_pool *pool)
{
    free(pool->taken);
    *pool = (struct address_pool){0};
}

/* Where an offset is, or would be. */
static size_t place_of(const struct address_pool *pool, uint128 offset)
{
    size_t low = 0, high = pool->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pool->taken[middle] < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool address_pool_reserve(struct address_pool *pool, struct ip_address address)
{
    if (!ip_contains(pool->subnet, address))
        return false;
    uint128 offset = address.value - pool->subnet.address.value;
    size_t place = place_of(pool, offset);
    if (place < pool->count && pool->taken[place] == offset)
        return false;
    (void)APPEND(pool->taken, pool->count);
    pool->count--;
    memmove(&pool->taken[place + 1], &pool->taken[place], (pool->count - place) * sizeof(*pool->taken));
    pool->taken[place] = offset;
    pool->count++;
    return true;
}

/* The taken ones of the range are in order and in a row up to the first hole, which is found by halving. */
bool address_pool_take(struct address_pool *pool, struct ip_address *address, struct error *err)
{
    uint128 first = ip_first(pool->range).value - pool->subnet.address.value,
            last = ip_last(pool->range).value - pool->subnet.address.value;
    size_t start = place_of(pool, first), low = start, high = pool->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pool->taken[middle] == first + (middle - start))
            low = middle + 1;
        else
            high = middle;
    }
    uint128 offset = first + (low - start);
    if (offset > last || offset < first)
        return error_set(err, ERROR_INTERNAL, "no available IPv%d addresses on this network's address pools",
                         (int)pool->subnet.address.family);
    *address = ip_add(pool->subnet.address, offset);
    return address_pool_reserve(pool, *address);
}

void address_pool_give_back(struct address_pool *pool, struct ip_address address)
{
    if (!ip_contains(pool->subnet, address))
        return;
    uint128 offset = address.value - pool->subnet.address.value;
    size_t place = place_of(pool, offset);
    if (place == pool->count || pool->taken[place] != offset)
        return;
    memmove(&pool->taken[place], &pool->taken[place + 1], (pool->count - place - 1) * sizeof(*pool->taken));
    pool->count--;
}
