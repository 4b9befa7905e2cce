/* Addresses of an engine, and connections to it. Used by client.c alone. */
#pragma once

#include "client/client.h"
#include "http/message.h"

struct address {
    char *text;      /* "unix:///run/wherry.sock", as messages quote it */
    char *unix_path; /* or NULL */
    char *tcp_host;
    char *tcp_port;
};
void address_release(struct address *address);
/* Messages as docker's ("invalid bind address format: …"). */
bool address_parse(const char *text, struct address *out, struct error *err);

struct connection {
    int fd;
    struct http_reader *reader;
    bool is_reused; /* has carried a request before: the server may have closed it meanwhile */
};
struct connection *connection_open(const struct address *address, struct error *err);
void connection_free(struct connection *connection);
DEFINE_CLEANUP(struct connection *, connection_free)

/* Sends all, without SIGPIPE; -1 with errno. */
int send_full(int fd, const void *data, size_t length);
