#include "logger/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/memory.h"
#include "base/text.h"

struct tls {
    SSL_CTX *context;
    SSL *ssl;
};

static bool fail(struct error *err, const char *what)
{
    char reason[256] = "";
    unsigned long code = ERR_peek_last_error();
    if (code)
        ERR_error_string_n(code, reason, sizeof(reason));
    ERR_clear_error();
    return error_set(err, ERROR_INTERNAL, "tls: %s%s%s", what, *reason ? ": " : "", reason);
}

static bool load_files(SSL_CTX *context, const struct transport_tls *options, struct error *err)
{
    if (string_is_set(options->ca_cert) ? !SSL_CTX_load_verify_locations(context, options->ca_cert, NULL)
                                        : !SSL_CTX_set_default_verify_paths(context))
        return fail(err, "cannot read the CA's certificate");
    if (string_is_set(options->cert) && SSL_CTX_use_certificate_chain_file(context, options->cert) != 1)
        return fail(err, "cannot read the certificate");
    if (string_is_set(options->key) && SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) != 1)
        return fail(err, "cannot read the private key");
    return true;
}

static void expect_host(SSL *ssl, const char *host)
{
    struct in6_addr ignored;
    bool is_address = inet_pton(AF_INET, host, &ignored) == 1 || inet_pton(AF_INET6, host, &ignored) == 1;
    if (is_address) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
        return;
    }
    SSL_set_tlsext_host_name(ssl, host);
    SSL_set1_host(ssl, host);
}

static bool handshake(struct tls *tls, int fd, const char *host, const struct transport_tls *options, struct error *err)
{
    tls->context = SSL_CTX_new(TLS_client_method());
    if (!tls->context)
        return fail(err, "out of memory");
    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    SSL_CTX_set_mode(tls->context, SSL_MODE_AUTO_RETRY);
    if (!load_files(tls->context, options, err))
        return false;
    SSL_CTX_set_verify(tls->context, options->skips_verification ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    tls->ssl = SSL_new(tls->context);
    if (!tls->ssl)
        return fail(err, "out of memory");
    if (!options->skips_verification)
        expect_host(tls->ssl, host);
    if (SSL_set_fd(tls->ssl, fd) == 1 && SSL_connect(tls->ssl) == 1)
        return true;
    long result = SSL_get_verify_result(tls->ssl);
    return fail(err, result == X509_V_OK ? "handshake failed" : X509_verify_cert_error_string(result));
}

struct tls *tls_open(int fd, const char *host, const struct transport_tls *options, struct error *err)
{
    struct tls *tls = NEW(struct tls);
    if (handshake(tls, fd, host, options, err))
        return tls;
    tls_close(tls);
    return NULL;
}

void tls_close(struct tls *tls)
{
    if (!tls)
        return;
    if (tls->ssl)
        SSL_shutdown(tls->ssl);
    SSL_free(tls->ssl);
    SSL_CTX_free(tls->context);
    free(tls);
}

bool tls_write(struct tls *tls, const void *data, size_t length)
{
    size_t written;
    return !length || SSL_write_ex(tls->ssl, data, length, &written) == 1;
}

long tls_read(struct tls *tls, void *data, size_t length)
{
    size_t count = 0;
    return SSL_read_ex(tls->ssl, data, length, &count) == 1 ? (long)count : -1;
}
