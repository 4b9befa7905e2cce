/* Files of containers: copies, changes, exports, commits. */
#pragma once

#include <sys/stat.h>

#include "archive/tar_writer.h"
#include "engine/engine.h"
#include "model/container.h"

/* What is at a path of a container, as the archive endpoints describe it. */
struct path_status {
    char *name; /* the last part of the path as it was asked for */
    struct stat status;
    char *link_target; /* of a symbolic link: where it leads, in the container; else "" */
};
void path_status_release(struct path_status *status);
/* A look at a container's files: at its own, and at what is mounted there from outside, as far as a path leads. Ends
   with container_files_close, and holds off the other verbs of a container that does not run. */
struct container_files;
struct container_files *container_files_open(struct engine *engine, const char *reference, struct error *err);
void container_files_close(struct container_files *files);
DEFINE_CLEANUP(struct container_files *, container_files_close)
/* ERROR_NOT_FOUND "Could not find the file …". Nothing in a path leads out of the container. */
bool container_files_stat(struct container_files *files, const char *path, struct path_status *out, struct error *err);
/* The file or folder as a tar that has its last part as its first name. */
bool container_files_read(struct container_files *files, const char *path, struct tar_writer *tar, struct error *err);
struct files_write_options {
    bool keeps_kinds;   /* noOverwriteDirNonDir */
    bool gives_to_user; /* copyUIDGID: all belongs to the container's user */
};
/* Unpacks a tar, plain or compressed, into the folder `path`. */
bool container_files_write(struct container_files *files, const char *path, stream_read read, void *context,
                           const struct files_write_options *options, struct error *err);
/* The whole root, without volumes, as a tar; unless it is to be bare, with what each start makes (/.dockerenv, /dev …).
 */
bool container_export(struct engine *engine, const char *reference, bool is_bare, struct tar_writer *tar,
                      struct error *err);

/* What the container's own layer changed, ordered by path. */
enum change_kind { CHANGE_MODIFIED, CHANGE_ADDED, CHANGE_DELETED };
struct change {
    char *path;
    enum change_kind kind;
};
struct change_list {
    struct change *items;
    size_t count;
};
void change_list_release(struct change_list *list);
bool container_changes(struct engine *engine, const char *reference, struct change_list *out, struct error *err);

/* A new image of a container. */
struct commit_request {
    const char *container;
    const char *repository, *tag; /* NULL or "": no name */
    const char *author, *comment;
    bool pauses;
    const struct container_config *config; /* in place of the container's; NULL */
    struct strlist changes;                /* Dockerfile instructions */
};
bool container_commit(struct engine *engine, const struct commit_request *request, char **id, struct error *err);
