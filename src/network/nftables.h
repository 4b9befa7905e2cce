/* nftables over netlink, for what happens often: elements of sets and maps, one batch being one transaction of the
   kernel, and the question whether anything has changed. Tables of the inet family. */
#pragma once

#include "network/firewall_table.h"

/* Adds or deletes elements. The errno of a failure tells why: ENOENT where the table, or an element to be deleted, is
   missing. */
bool nftables_change(const char *table, bool is_addition, const struct firewall_element *elements, size_t count,
                     struct error *err);

/* A number that another one replaces at every change that anybody makes. */
bool nftables_generation(uint32_t *out);

struct nftables_count {
    size_t rules;   /* without those of the chain `user` */
    size_t of_user; /* rules of that chain, and elements of the sets `allowed` and `allowed6` */
    size_t bridges; /* elements of the set of that name */
};
/* All zero where there is no such table. */
void nftables_count(const char *table, struct nftables_count *out);
