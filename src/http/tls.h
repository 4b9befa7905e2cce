/* TLS on tcp listeners. A connection gets a thread that carries bytes between the client and one end of a socket pair:
   handlers see a plain descriptor, that can be polled, hijacked and passed on, with half-close both ways. */
#pragma once

#include "base/error.h"

struct tls;
/* The files are PEM. `ca` NULL: clients need no certificate. Errors in dockerd's words. */
struct tls *tls_new(const char *certificate, const char *key, const char *ca, struct error *err);
void tls_free(struct tls *tls);
/* Takes the client's socket; the plain end, or -1 (then the socket is closed). The `wrap` of a listener. */
int tls_wrap(void *tls, int fd);
