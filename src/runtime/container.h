/* From a launch to a running process. libc only: this is linked into the static shim.

   runtime_create: makes the cgroup, clones the child into new namespaces, and returns when the child has its root,
   mounts, network and limits and waits just before execve. runtime_start lets it go, and returns when execve has
   succeeded or failed. Whatever fails, everything made is undone before they return. */
#pragma once

#include "runtime/launch.h"

/* Messages are those of runc, without the prefixes that Docker puts before them ("failed to create task for container:
   … unable to start container process: "): "exec: \"x\": executable file not found in $PATH", "exec: \"/x\": stat /x:
   no such file or directory", "exec: \"/x\": permission denied", "chdir to cwd (\"/x\") set in config.json failed: …",
   "error during container init: error mounting \"/a\" to rootfs at \"/b\": …". errno_value tells 127 (ENOENT) from 126
   (EACCES, EISDIR) for those that begin with "exec: "; all come from runtime_create. Users and groups ("unable to find
   user x: no matching entries in passwd file") and a cwd that cannot be made ("Cannot mkdir: …") stand without any
   prefix in Docker. A program without interpreter, or in no executable format, counts as started, as it does in Docker:
   it says "exec /x: exec format error" on its standard error and exits with 1. */

struct runtime_stdio {
    int fds[3];  /* become 0, 1, 2 of the process; ignored with a terminal. Stay the caller's own */
    int console; /* out, with config.process.terminal: the pty's master, owned by the caller; else -1 */
    int initial_rows, initial_columns; /* window size set before the process runs; 0: none */
};

struct runtime_container {
    pid_t pid;
    int pidfd;
    int start_fd; /* internal: the channel to the child (channel.h), which ends when this is closed before the start */
    char *cgroups_path;      /* owned; as in cgroup.h */
    struct strlist warnings; /* limits that could not be set, in Docker's words where it has them */
};
#define RUNTIME_CONTAINER_INIT ((struct runtime_container){.pid = -1, .pidfd = -1, .start_fd = -1})

bool runtime_create(const struct launch *launch, struct runtime_stdio *stdio, struct runtime_container *out,
                    struct error *err);
bool runtime_start(struct runtime_container *container, struct error *err);
/* One more process in the namespaces and cgroup of the container whose first process is `pid`. It becomes a child of
   the caller. Returns after execve succeeded. */
bool runtime_exec(pid_t pid, const struct launch_exec *exec, struct runtime_stdio *stdio, pid_t *out_pid,
                  struct error *err);
/* Kills what is left in the cgroup and removes it; to be called after the first process was reaped. */
void runtime_destroy(const char *cgroups_path);
/* Closes descriptors, frees; does not kill. */
void runtime_container_release(struct runtime_container *container);
