/* A connection to a log server: tcp, udp, unix, unixgram, and TLS over tcp. */
#pragma once

#include "base/error.h"

struct transport_tls {
    const char *ca_cert, *cert, *key; /* files, "" where not given */
    bool skips_verification;
};

struct transport_address {
    const char *network; /* "tcp", "udp", "unix" (stream) or "unixgram" */
    const char *host;    /* or the path */
    const char *port;
    const struct transport_tls *tls; /* NULL: none */
};

struct transport;
/* NULL with an error in the words of Go's net.Dial ("dial tcp 127.0.0.1:1: connect: connection refused"). */
struct transport *transport_open(const struct transport_address *address, struct error *err);
void transport_close(struct transport *transport);
/* All of it; false once the connection is lost or does not take it within some seconds. */
bool transport_write(struct transport *transport, const void *data, size_t length);
/* Bytes read, 0 at the end or after `milliseconds`, -1 on failure. */
long transport_read(struct transport *transport, void *data, size_t length, int milliseconds);

/* Splits "host:port"; brackets around an IPv6 address are taken off. The caller frees both; *port is the default where
   there is none. */
void transport_split(const char *text, const char *default_port, char **host, char **port);
