/* A file that appears whole or not at all: written under a temporary name beside its place, renamed at the end. */
#pragma once

#include "base/error.h"
#include "client/client.h"

struct output_file {
    int fd;          /* -1: not open */
    char *temporary; /* the name while it is written */
    char *path;
};
#define OUTPUT_FILE_INIT ((struct output_file){.fd = -1})

/* Refuses what is no plain file ("cannot write to a directory") and folders that are not there ("invalid output path:
   stat /x: no such file or directory"). Mode 0600. */
bool output_file_open(const char *path, struct output_file *out, struct error *err);
/* Renames it into place. */
bool output_file_commit(struct output_file *file, struct error *err);
/* Removes what was not committed. */
void output_file_release(struct output_file *file);
#define _cleanup_output_file_ _cleanup_(output_file_release)

/* Copies the rest of a stream. */
bool stream_copy(struct client_stream *stream, int fd, struct error *err);
