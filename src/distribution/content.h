/* The bytes on disk:

       <data>/blobs/<hex>           a blob, named by its sha256
       <data>/uploads/<id>          what has arrived of one that is being pushed
       <data>/uploads/<id>.name     the repository it is for, once an upload is to outlive the server

   A blob is complete and on the disk before it has its name. Which repository holds which blob is the ledger's
   (ledger.h): a file that it does not know is no blob yet, and a row without its file is none any more. */
#pragma once

#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/strbuf.h"

struct content;
struct content *content_open(const char *root, struct error *err);
void content_close(struct content *content);

/* A read-only descriptor, or -1 with ERROR_NOT_FOUND. `size` may be NULL. */
int content_open_blob(struct content *content, const char *digest, int64_t *size, struct error *err);
bool content_has_blob(struct content *content, const char *digest, int64_t size);
bool content_read_blob(struct content *content, const char *digest, size_t limit, struct strbuf *out,
                       struct error *err);
void content_remove_blob(struct content *content, const char *digest);
/* Every blob's file that was written before `before`; `take` may remove it. */
bool content_each_blob(struct content *content, unix_nano before, bool (*take)(void *context, const char *digest),
                       void *context, struct error *err);

/* --- uploads: one user at a time; thread-safe --- */

#define UPLOAD_ID_LENGTH 32

struct upload {
    char id[UPLOAD_ID_LENGTH + 1];
    char *repository;
    int64_t size; /* bytes that have arrived */
    /* private from here */
    int fd;
    struct digester *digester;
    int64_t hashed;  /* bytes that it has seen */
    int64_t started; /* bytes whose way to the disk has begun */
    unix_nano used;
    bool is_busy, is_recorded;
    struct upload *next;
};

/* The caller uses it until upload_leave or upload_remove. ERROR_UNAVAILABLE where there are too many already. */
struct upload *upload_begin(struct content *content, const char *repository, struct error *err);
/* One that exists: ERROR_NOT_FOUND, or ERROR_CONFLICT where another request uses it. */
struct upload *upload_enter(struct content *content, const char *repository, const char *id, struct error *err);
bool upload_write(struct content *content, struct upload *upload, const void *data, size_t length, struct error *err);
/* The digest of all that has arrived (caller frees); the bytes are on the disk then. */
char *upload_seal(struct content *content, struct upload *upload, struct error *err);
/* Gives the bytes of a sealed upload their name. content_sync makes the name last. */
bool upload_place(struct content *content, struct upload *upload, const char *digest, struct error *err);
bool content_sync(struct content *content, struct error *err);
/* Ends the use. From here on a restart of the server does not lose it. */
bool upload_leave(struct content *content, struct upload *upload, struct error *err);
/* Ends the use, and the upload with its bytes. */
void upload_remove(struct content *content, struct upload *upload);
/* Removes those that nobody has used since `before`; returns how many. */
size_t uploads_expire(struct content *content, unix_nano before);
size_t uploads_count(struct content *content);
