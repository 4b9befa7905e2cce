/* One connection of the server: private to server.c and exchange.c. */
#pragma once

#include "http/server.h"

enum connection_state { CONNECTION_IDLE, CONNECTION_RUNNING };

struct http_connection {
    struct http_server *server;
    int fd; /* -1 once it was hijacked */
    const struct http_listener *listener;
    struct http_reader *reader;
    bool may_be_cut; /* under the server's lock, as is all below */
    enum connection_state state;
    struct http_connection *next, *previous;
};

/* exchange.c */
bool exchange_prepare(struct http_exchange *exchange, struct http_connection *connection);
/* Ends a stream, reads away a small rest of the body; false where the connection cannot go on. */
bool exchange_finish(struct http_exchange *exchange);
void exchange_release(struct http_exchange *exchange);
/* A plain-text answer of the server itself, before there is a request; the connection ends after it. */
void connection_refuse(int fd, int status, const char *server_name);
/* server.c: the descriptor belongs to someone else now. */
void connection_forget_fd(struct http_connection *connection);
