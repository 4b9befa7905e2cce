#include "runtime/seccomp_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/memory.h"

#define MAX_FILTER_SIZE (BPF_MAXINSNS * sizeof(struct sock_filter))
/* Numbers from here on are x32's. */
#define X32_BIT 0x40000000

static bool fail(struct error *err, int code, const char *what)
{
    return error_errno_value(err, -code, "seccomp: %s", what);
}

bool seccomp_filter_init(struct seccomp_filter *filter, uint32_t default_action, struct error *err)
{
    scmp_filter_ctx context = seccomp_init(default_action);
    if (!context)
        return error_set(err, ERROR_INVALID, "seccomp: invalid default action");
    /* A binary tree: 30 or so comparisons a call become 9. Our own prctl decides about no_new_privs. */
    seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0);
    *filter = (struct seccomp_filter){.context = context, .default_action = default_action, .last_number = -1};
    return true;
}

void seccomp_filter_release(struct seccomp_filter *filter)
{
    seccomp_release(filter->context);
    filter->context = NULL;
}

static bool add_token(struct seccomp_filter *filter, uint32_t token, struct error *err)
{
    int code = seccomp_arch_add(filter->context, token);
    return code == 0 || code == -EEXIST || fail(err, code, "add architecture");
}

bool seccomp_filter_add_arch(struct seccomp_filter *filter, const char *name, struct error *err)
{
    static const char prefix[] = "SCMP_ARCH_";
    char lower[32] = "";
    if (string_starts_with(name, prefix))
        for (size_t i = 0; i + 1 < sizeof(lower) && name[sizeof(prefix) - 1 + i]; i++)
            lower[i] = (char)(name[sizeof(prefix) - 1 + i] | 0x20);
    uint32_t token = seccomp_arch_resolve_name(lower);
    if (!token)
        return error_set(err, ERROR_INVALID, "seccomp: unrecognized architecture: %s", name);
    return add_token(filter, token, err);
}

bool seccomp_filter_add_default_arches(struct seccomp_filter *filter, struct error *err)
{
    switch (seccomp_arch_native()) {
    case SCMP_ARCH_X86_64:
        return add_token(filter, SCMP_ARCH_X86, err) && add_token(filter, SCMP_ARCH_X32, err);
    case SCMP_ARCH_AARCH64:
        return add_token(filter, SCMP_ARCH_ARM, err);
    case SCMP_ARCH_S390X:
        return add_token(filter, SCMP_ARCH_S390, err);
    default:
        return true;
    }
}

bool seccomp_filter_add(struct seccomp_filter *filter, const char *name, uint32_t action,
                        const struct scmp_arg_cmp *arguments, unsigned count, struct error *err)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || action == filter->default_action)
        return true;
    if (number > filter->last_number && number < X32_BIT)
        filter->last_number = number;
    int code = seccomp_rule_add_array(filter->context, action, number, count, arguments);
    /* An exact duplicate, and a call that some of the architectures lack, are none of the profile's faults. */
    if (code == 0 || code == -EEXIST || code == -EDOM)
        return true;
    return error_errno_value(err, -code, "seccomp: rule for %s", name);
}

static size_t put_enosys(const struct seccomp_filter *filter, struct sock_filter *code)
{
    const struct sock_filter head[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)filter->last_number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };
    memcpy(code, head, sizeof(head));
    return ARRAY_SIZE(head);
}

bool seccomp_filter_export(struct seccomp_filter *filter, struct bytes *out, struct error *err)
{
    _cleanup_close_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "memfd_create");
    int code = seccomp_export_bpf(filter->context, fd);
    if (code < 0)
        return fail(err, code, "export the filter");
    if (lseek(fd, 0, SEEK_SET) < 0)
        return error_errno(err, "seek");
    _cleanup_free_ struct sock_filter *program = xmalloc(MAX_FILTER_SIZE);
    size_t count = 0;
    if (filter->default_action == SCMP_ACT_ERRNO(EPERM) && filter->last_number >= 0)
        count = put_enosys(filter, program);
    size_t room = MAX_FILTER_SIZE - count * sizeof(*program);
    ssize_t n = read_full(fd, program + count, room);
    if (n <= 0 || (size_t)n == room)
        return error_set(err, ERROR_INVALID, "seccomp: the filter is too large");
    out->length = count * sizeof(*program) + (size_t)n;
    out->data = (uint8_t *)TAKE_PTR(program);
    return true;
}
