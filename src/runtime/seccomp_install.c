#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "runtime/seccomp.h"

int seccomp_install(const struct bytes *filter)
{
    size_t count = filter->length / sizeof(struct sock_filter);
    if (filter->length % sizeof(struct sock_filter) || !count || count > BPF_MAXINSNS) {
        errno = EINVAL;
        return -1;
    }
    struct sock_fprog program = {.len = (unsigned short)count, .filter = (struct sock_filter *)(void *)filter->data};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
