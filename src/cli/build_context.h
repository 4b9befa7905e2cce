/* What a build is made from: a folder, a tar or a Dockerfile on standard input, or a URL that the engine fetches; and
   the named contexts beside it. The folder is read while it is sent; nothing is gathered in memory but a Dockerfile
   that is not part of it. */
#pragma once

#include "client/client.h"

struct build_folder {
    int fd; /* -1: none */
    struct ignore *ignore;
    char *prefix; /* its entries are below this in the tar; "" for the main one */
};

struct build_context {
    struct build_folder folder;
    char *remote;  /* a URL: nothing is sent, unless there are other folders */
    bool is_stdin; /* a tar, of which `head` was read already */
    struct strbuf head;
    char *dockerfile;                /* its name in the context */
    bool has_text;                   /* and `text` is what it holds: it is sent beside the folder */
    bool is_private;                 /* under a name of our own, which nobody should see */
    struct strbuf text, ignore_text; /* and what the main folder leaves out, to which both are added */
    struct git_clone *clone;         /* what the folder is, or NULL */
    struct build_folder *folders;    /* named contexts */
    size_t folder_count;
    struct strmap named; /* the parameter: name → "image:REF" or "folder:PREFIX" */
    /* Told of the bytes that were sent; may be NULL. */
    void (*progress)(void *context, int64_t bytes);
    void *progress_context;
};
#define BUILD_CONTEXT_INIT ((struct build_context){.folder = {.fd = -1}})

/* `argument` is PATH, URL or "-"; `file` is --file or NULL; `named` are the values of --build-context. Messages as
   docker's ("unable to prepare context: path \"x\" not found"). */
bool build_context_open(const char *argument, const char *file, const struct strlist *named, struct build_context *out,
                        struct error *err);
void build_context_release(struct build_context *context);
#define _cleanup_build_context_ _cleanup_(build_context_release)
/* Is there a body to send? */
bool build_context_has_body(const struct build_context *context);
/* client_request's `produce`, with the context as its own. */
bool build_context_send(struct client_upload *upload, void *context, struct error *err);
