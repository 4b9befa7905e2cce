/* Content-addressed blobs: written to a temporary name, hashed while written, fsynced, renamed. */
#pragma once

#include <stdint.h>

#include "base/strbuf.h"
#include "store/store.h"

struct blob_writer;
struct blob_writer *blob_begin(struct store *store, struct error *err);
bool blob_write(struct blob_writer *writer, const void *data, size_t length, struct error *err);
/* Gives the blob its name; *digest ("sha256:…", caller frees). Frees the writer whatever happens. */
bool blob_finish(struct blob_writer *writer, char **digest, int64_t *size, struct error *err);
void blob_abandon(struct blob_writer *writer);
/* Small blobs in one go; *digest is owned by the caller. */
bool blob_put(struct store *store, const void *data, size_t length, char **digest, struct error *err);
/* A read-only descriptor, or -1 with ERROR_NOT_FOUND. */
int blob_open(struct store *store, const char *digest, int64_t *size, struct error *err);
bool blob_read(struct store *store, const char *digest, size_t limit, struct strbuf *out, struct error *err);
void blob_remove(struct store *store, const char *digest);
