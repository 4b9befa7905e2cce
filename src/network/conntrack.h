/* The kernel's book of connections. */
#pragma once

#include "network/firewall.h"

/* Forgets the UDP flows that were sent to these ports of the host: the kernel translates a flow as its first packet
   was, and a client that goes on sending would never reach who has the port now. Other protocols begin anew by
   themselves. A kernel without the interface is fine. */
void conntrack_forget(const struct firewall_port *ports, size_t count);
