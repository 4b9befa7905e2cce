/* Addresses of an engine, and connections to it. Used by client.c alone. */
#pragma once

#include "client/client.h"
#include "http/message.h"

struct address {
    char *text;      /* "unix:///run/wherry.sock", as messages quote it */
    char *unix_path; /* or NULL */
    char *tcp_host;
    char *tcp_port;
    struct client_tls *tls; /* for tcp, or NULL */
    struct strlist command; /* a program whose standard streams are the connection */
};
void address_release(struct address *address);
/* Messages as docker's ("invalid bind address format: …"). The port defaults to 2375, with TLS to 2376. */
bool address_parse(const char *text, const struct client_tls *tls, struct address *out, struct error *err);
/* ssh.c: "ssh://[user@]host[:port][/path/of/socket]" to the ssh command that reaches an engine there. */
bool ssh_command(const char *url, struct strlist *command, struct error *err);

struct connection {
    int fd;
    struct http_reader *reader;
    pid_t pid;      /* of the program behind it, or 0 */
    int complaints; /* what that program wrote to its standard error, or -1 */
    bool is_reused; /* has carried a request before: the server may have closed it meanwhile */
};
struct connection *connection_open(const struct address *address, struct error *err);
void connection_free(struct connection *connection);
DEFINE_CLEANUP(struct connection *, connection_free)

/* Why the program behind a connection that has ended before its time did so; changes nothing where there is none. */
void connection_explain(struct connection *connection, const struct address *address, struct error *err);

/* Sends all, without SIGPIPE; -1 with errno. */
int send_full(int fd, const void *data, size_t length);
