/* Files, folders and descriptors. All descriptors that these open are close-on-exec. */
#pragma once

#include <sys/types.h>
#include <time.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "base/text.h"

/* read/write that go on after EINTR and partial transfers. read_full returns the bytes read (less only at the end of
   file), write_full 0; both -1 with errno on failure. */
ssize_t read_full(int fd, void *data, size_t length);
int write_full(int fd, const void *data, size_t length);

/* The whole file, at most `limit` bytes (ERROR_TOO_LARGE beyond). `directory` may be AT_FDCWD. */
bool file_read(int directory, const char *path, size_t limit, struct strbuf *out, struct error *err);
/* Creates or truncates, writes, closes. No fsync. For files of the kernel (cgroup, proc) and of exec-root. */
bool file_write(int directory, const char *path, const void *data, size_t length, mode_t mode, struct error *err);
bool file_write_text(int directory, const char *path, const char *text, mode_t mode, struct error *err);
/* Writes a temporary name beside `path` and renames it over; with `is_durable`, file and folder are fsynced. */
bool file_replace(const char *path, const void *data, size_t length, mode_t mode, bool is_durable, struct error *err);

/* mkdir -p; folders that are there stay as they are. */
bool directory_make(const char *path, mode_t mode, struct error *err);
/* rm -rf without following links or crossing into mounted file systems' parents; a path that is not there is fine. */
bool tree_remove(int directory, const char *path, struct error *err);
/* fsync of a folder, so that its new names survive a power cut. */
bool directory_sync(const char *path, struct error *err);

/* Opens `path` as if `root` were the root folder: links, `..` and mount points inside cannot lead out of it
   (openat2 with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS). Returns -1 with errno. */
int open_in_root(int root, const char *path, int flags, mode_t mode);
/* Opens a path below `folder` on which there is no link at all. Returns -1 with errno. */
int open_beneath(int folder, const char *path, int flags);
/* chmod that does not follow a link, whoever exchanges names meanwhile. Returns -1 with errno. */
int file_change_mode(int folder, const char *name, mode_t mode);
/* mkdir -p inside a root, with the same safety; returns an O_PATH descriptor of the last folder, or -1 with errno. */
int make_directories_in_root(int root, const char *path, mode_t mode);

/* "<directory>/<name>" for paths of our own, never for ones that a container or image can influence. Caller frees. */
char *path_join(const char *directory, const char *name);
/* Lexically cleaned as Go's path.Clean does: "/a/./b/../c//" → "/a/c"; "" → ".". Caller frees. */
char *path_clean(const char *path);
/* The part after the last '/'; within the argument. */
const char *path_base(const char *path);

/* Sends or receives `length` bytes and at most `fd_capacity` descriptors in one message (SCM_RIGHTS). On a
   SOCK_SEQPACKET socket one call is one message. Return the byte count, 0 at end of stream, -1 with errno.
   Descriptors that are received beyond the capacity are closed. */
ssize_t send_with_fds(int socket, const void *data, size_t length, const int *fds, size_t fd_count);
ssize_t receive_with_fds(int socket, void *data, size_t length, int *fds, size_t fd_capacity, size_t *fd_count);
