#include "network/address_pool.h"

#include "base/memory.h"

void address_pool_init(struct address_pool *pool, struct ipv4_prefix subnet)
{
    uint64_t whole = UINT64_C(1) << (32 - subnet.length);
    pool->subnet = (struct ipv4_prefix){subnet.address & ipv4_netmask(subnet.length), subnet.length};
    pool->range = pool->subnet;
    pool->size = (uint32_t)MIN(whole, (uint64_t)ADDRESS_POOL_MAX);
    pool->taken = xcalloc((pool->size + 63) / 64, sizeof(uint64_t));
    if (subnet.length <= 30) {
        address_pool_reserve(pool, pool->subnet.address);
        address_pool_reserve(pool, pool->subnet.address | ~ipv4_netmask(subnet.length));
    }
}

void address_pool_release(struct address_pool *pool)
{
    free(pool->taken);
    *pool = (struct address_pool){0};
}

bool address_pool_reserve(struct address_pool *pool, uint32_t address)
{
    uint32_t offset = address - pool->subnet.address;
    if (offset >= pool->size || pool->taken[offset / 64] >> (offset % 64) & 1)
        return false;
    pool->taken[offset / 64] |= UINT64_C(1) << (offset % 64);
    return true;
}

bool address_pool_take(struct address_pool *pool, uint32_t *address, struct error *err)
{
    uint32_t first = (pool->range.address & ipv4_netmask(pool->range.length)) - pool->subnet.address;
    uint64_t count = UINT64_C(1) << (32 - pool->range.length);
    uint32_t end = (uint32_t)MIN((uint64_t)first + count, (uint64_t)pool->size);
    for (uint32_t offset = first; offset < end;) {
        uint64_t free_bits = ~pool->taken[offset / 64] >> (offset % 64);
        if (!free_bits) {
            offset = (offset / 64 + 1) * 64;
            continue;
        }
        offset += (uint32_t)__builtin_ctzll(free_bits);
        if (offset >= end)
            break;
        *address = pool->subnet.address + offset;
        return address_pool_reserve(pool, *address);
    }
    return error_set(err, ERROR_INTERNAL, "no available IPv4 addresses on this network's address pools");
}

void address_pool_give_back(struct address_pool *pool, uint32_t address)
{
    uint32_t offset = address - pool->subnet.address;
    if (offset < pool->size)
        pool->taken[offset / 64] &= ~(UINT64_C(1) << (offset % 64));
}
