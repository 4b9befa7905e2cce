#include "network/firewall.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/spawn.h"

static bool load(const char *text, struct error *err)
{
    const char *const argv[] = {"nft", "-f", "-", NULL};
    return run(argv, text, 65536, NULL, err);
}

/* `add` before `delete` makes a table that may be missing safe to delete, in the same transaction. */
#define FORGET_TABLE "add table ip wherry-%s\ndelete table ip wherry-%s\n"

bool firewall_load(const char *bridge, struct ipv4_prefix subnet, struct error *err)
{
    char address[INET_ADDRSTRLEN];
    ipv4_format(subnet.address & ipv4_netmask(subnet.length), address);
    _cleanup_free_ char *text = xasprintf(FORGET_TABLE "table ip wherry-%s {\n"
                                                       "  chain postrouting {\n"
                                                       "    type nat hook postrouting priority srcnat;\n"
                                                       "    ip saddr %s/%u oifname != \"%s\" masquerade\n"
                                                       "  }\n"
                                                       "}\n",
                                          bridge, bridge, bridge, address, subnet.length, bridge);
    return load(text, err);
}

bool firewall_unload(const char *bridge, struct error *err)
{
    _cleanup_free_ char *text = xasprintf(FORGET_TABLE, bridge, bridge);
    return load(text, err);
}

bool firewall_enable_forwarding(struct error *err)
{
    static const char path[] = "/proc/sys/net/ipv4/ip_forward";
    _cleanup_strbuf_ struct strbuf now = STRBUF_INIT;
    if (file_read(AT_FDCWD, path, 16, &now, NULL) && *strbuf_text(&now) == '1')
        return true;
    return file_write_text(AT_FDCWD, path, "1", 0644, err);
}
