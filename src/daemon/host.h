/* The addresses wherryd listens on (-H). */
#pragma once

#include "api/role.h"
#include "base/error.h"
#include "base/text.h"

/* unix://PATH, tcp://[HOST][:PORT] or fd://; else ERROR_INVALID in dockerd's words. After a comma may stand role=ROLE,
   label=KEY[=VALUE] and, for a unix socket, group=GROUP. */
bool host_check(const char *host, struct error *err);

struct listener {
    int fd;
    char *name; /* as the log shows it */
    bool is_tcp;
    struct role *role; /* owned; NULL: its clients may do everything */
};
/* "tcp://HOST" without a port is at dockerd's default: 2375, with TLS 2376. */
#define TCP_PORT     "2375"
#define TCP_PORT_TLS "2376"
/* Opens a host's sockets: one, or all that systemd passed (fd://). Appends to *listeners. A unix socket that nobody
   listens on any more is replaced. `group`: NULL gives "docker" where there is such a group, else root. */
bool host_listen(const char *host, const char *group, const char *port, struct listener **listeners, size_t *count,
                 struct error *err);
/* Does some server accept connections on this unix socket? */
bool host_is_answering(const char *path);
/* Removes the unix sockets that were made; does not close. */
void listeners_unlink(const struct listener *listeners, size_t count);
/* Once no exchange of theirs goes on. */
void listeners_free(struct listener *listeners, size_t count);
