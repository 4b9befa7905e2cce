/* TLS on a connected socket, through OpenSSL. */
#pragma once

#include "logger/transport.h"

struct tls;
/* The descriptor stays the caller's. */
struct tls *tls_open(int fd, const char *host, const struct transport_tls *options, struct error *err);
void tls_close(struct tls *tls);
bool tls_write(struct tls *tls, const void *data, size_t length);
long tls_read(struct tls *tls, void *data, size_t length);
