/* Facts about this machine and this process, for `info` and `version`. */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* A value of /etc/os-release without its quotes ("PRETTY_NAME"); caller frees; NULL where it is missing. */
char *host_os_release(const char *key);
/* uname -r; caller frees. */
char *host_kernel_version(void);
int host_cpu_count(void);
int64_t host_memory(void); /* bytes */
size_t host_open_fds(void);
size_t host_threads(void);
/* The first number of a file of /proc/sys is not 0. */
bool host_sysctl_is_on(const char *path);
/* What lies under a folder, in Docker's names: "extfs", "xfs", "btrfs", "overlayfs", "tmpfs", "zfs", "<unknown>". */
const char *host_file_system(const char *path);
