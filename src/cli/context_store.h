/* Named engines in docker's own store, which both clients share:

       <config directory>/contexts/meta/<sha256 of the name>/meta.json     {"Name", "Metadata", "Endpoints": {"docker":
   …}} <config directory>/contexts/tls/<sha256 of the name>/docker/        ca.pem, cert.pem, key.pem */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"
#include "client/client.h"

#define CONTEXT_DEFAULT             "default"
#define CONTEXT_DEFAULT_DESCRIPTION "Current DOCKER_HOST based configuration"
#define CONTEXT_FILE_LIMIT          ((size_t)10 << 20)

/* "<directory>/contexts/<kind>/<sha256>"; kind is "meta" or "tls". Caller frees. */
char *context_folder(const char *directory, const char *kind, const char *name);
/* Docker's rules for names; "default" is refused. */
bool context_check_name(const char *name, struct error *err);
bool context_exists(const char *directory, const char *name);
/* The object of meta.json. NULL with err: 'context "x": context not found: …' is ERROR_NOT_FOUND. */
json_t *context_read(const char *directory, const char *name, struct error *err);
bool context_write(const char *directory, const json_t *context, struct error *err);
bool context_remove(const char *directory, const char *name, struct error *err);
/* The names, in natural order; without "default". */
struct strlist context_names(const char *directory);
/* {"docker": ["ca.pem", …]}: the names of the TLS files of each endpoint. A new reference. */
json_t *context_tls_files(const char *directory, const char *name);
/* Replaces the TLS files of the docker endpoint with those (NULL: none) whose paths are given. */
bool context_write_tls(const char *directory, const char *name, const struct client_tls *files, struct error *err);
/* One file of them by its content. */
bool context_write_tls_file(const char *directory, const char *name, const char *endpoint, const char *file,
                            const void *data, size_t length, struct error *err);
/* The TLS files of the docker endpoint as paths; false where there are none. */
bool context_tls(const char *directory, const char *name, struct client_tls *out);
/* Members of a context: never NULL. */
const char *context_host(const json_t *context);
const char *context_description(const json_t *context);
