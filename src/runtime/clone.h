/* clone3, as fork with namespaces. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* 0 in the child; the pid in the parent, with *pidfd close-on-exec; -1 with errno. `cgroup` is a v2 folder to be born
   in, or -1; `pid_namespace` a pid namespace to be born in, or -1. The caller has one thread only. */
pid_t clone_process(uint64_t flags, int cgroup, int pid_namespace, int *pidfd);
