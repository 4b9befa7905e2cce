/* Docker's default policy (moby's profiles/seccomp/default_linux.go, as of 28.2): what it allows, written as lists. */
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <string.h>

#include "base/memory.h"
#include "runtime/seccomp.h"
#include "runtime/seccomp_filter.h"

/* For every container. */
static const char always[] =
    "accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown chown32 clock_adjtime "
    "clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
    "clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 "
    "epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit "
    "exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 "
    "fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat "
    "fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait "
    "futex_waitv futex_wake futimesat getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid "
    "getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom "
    "getresgid getresgid32 getresuid getresuid32 getrlimit get_robust_list getrusage getsid getsockname getsockopt "
    "get_thread_area gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init "
    "inotify_init1 inotify_rm_watch io_cancel ioctl io_destroy io_getevents io_pgetevents io_pgetevents_time64 "
    "ioprio_get ioprio_set io_setup io_submit ipc kill landlock_add_rule landlock_create_ruleset "
    "landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listmount listxattr listxattrat llistxattr "
    "_llseek lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret "
    "mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open "
    "mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget "
    "msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat _newselect open openat "
    "openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 "
    "prctl pread64 preadv preadv2 prlimit64 process_mrelease process_vm_readv process_vm_writev pselect6 "
    "pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recv recvfrom recvmmsg "
    "recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall "
    "rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
    "rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam sched_get_priority_max "
    "sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity "
    "sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop "
    "semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto setfsgid setfsgid32 setfsuid setfsuid32 setgid "
    "setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid "
    "setresuid32 setreuid setreuid32 setrlimit set_robust_list setsid setsockopt set_thread_area set_tid_address "
    "setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask "
    "sigreturn socketcall socketpair splice stat stat64 statfs statfs64 statmount statx symlink symlinkat sync "
    "sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime "
    "timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime "
    "timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat uretprobe utime "
    "utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev "
#if defined(__x86_64__)
    "arch_prctl modify_ldt"
#elif defined(__i386__)
    "modify_ldt"
#elif defined(__aarch64__) || defined(__arm__)
    "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls"
#elif defined(__powerpc64__)
    "sync_file_range2 swapcontext"
#elif defined(__riscv)
    "riscv_flush_icache riscv_hwprobe"
#elif defined(__s390x__)
    "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr"
#endif
    ;

/* With a capability more. */
static const struct {
    const char *capability, *names;
} opened[] = {
    {"CAP_DAC_READ_SEARCH", "open_by_handle_at"},
    {"CAP_SYS_ADMIN",
     "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr "
     "move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog "
     "umount umount2 unshare"},
    {"CAP_SYS_BOOT", "reboot"},
    {"CAP_SYS_CHROOT", "chroot"},
    {"CAP_SYS_MODULE", "delete_module init_module finit_module"},
    {"CAP_SYS_PACCT", "acct"},
    {"CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise"},
    {"CAP_SYS_RAWIO", "iopl ioperm"},
    {"CAP_SYS_TIME", "settimeofday stime clock_settime clock_settime64"},
    {"CAP_SYS_TTY_CONFIG", "vhangup"},
    {"CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"},
    {"CAP_SYSLOG", "syslog"},
    {"CAP_BPF", "bpf"},
    {"CAP_PERFMON", "perf_event_open"},
};

/* CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: clone may have none of them. */
#define NAMESPACE_FLAGS 0x7E020000
#define AF_VSOCK_FAMILY 40

static bool fill(struct seccomp_filter *filter, const struct strlist *capabilities, struct error *err)
{
    static const uint64_t personalities[] = {0x0, 0x0008, 0x20000, 0x20008, 0xffffffff};
    struct strlist names = strlist_split(always, ' ');
    bool is_admin = strlist_contains(capabilities, "CAP_SYS_ADMIN");
    for (size_t i = 0; i < ARRAY_SIZE(opened); i++) {
        _cleanup_strlist_ struct strlist more = {0};
        if (strlist_contains(capabilities, opened[i].capability))
            more = strlist_split(opened[i].names, ' ');
        for (size_t j = 0; j < more.count; j++)
            strlist_add(&names, more.items[j]);
    }
    bool is_done = true;
    for (size_t i = 0; is_done && i < names.count; i++)
        is_done = seccomp_filter_add(filter, names.items[i], SCMP_ACT_ALLOW, NULL, 0, err);
    strlist_release(&names);
    for (size_t i = 0; is_done && i < ARRAY_SIZE(personalities); i++)
        is_done =
            seccomp_filter_add(filter, "personality", SCMP_ACT_ALLOW, &SCMP_A0(SCMP_CMP_EQ, personalities[i]), 1, err);
    is_done =
        is_done && seccomp_filter_add(filter, "socket", SCMP_ACT_ALLOW, &SCMP_A0(SCMP_CMP_NE, AF_VSOCK_FAMILY), 1, err);
    if (!is_done || is_admin)
        return is_done;
        /* clone3's flags are behind a pointer: not there, so that libc falls back to clone. */
#ifdef __s390x__
    const struct scmp_arg_cmp without = SCMP_A1(SCMP_CMP_MASKED_EQ, NAMESPACE_FLAGS, 0);
#else
    const struct scmp_arg_cmp without = SCMP_A0(SCMP_CMP_MASKED_EQ, NAMESPACE_FLAGS, 0);
#endif
    return seccomp_filter_add(filter, "clone", SCMP_ACT_ALLOW, &without, 1, err) &&
           seccomp_filter_add(filter, "clone3", SCMP_ACT_ERRNO(ENOSYS), NULL, 0, err);
}

static bool build(const struct strlist *capabilities, struct bytes *out, struct error *err)
{
    struct seccomp_filter filter;
    if (!seccomp_filter_init(&filter, SCMP_ACT_ERRNO(EPERM), err))
        return false;
    bool is_done = seccomp_filter_add_default_arches(&filter, err) && fill(&filter, capabilities, err) &&
                   seccomp_filter_export(&filter, out, err);
    seccomp_filter_release(&filter);
    return is_done;
}

/* One entry for each set of those capabilities that make a difference. */
struct cached {
    uint64_t key;
    struct bytes filter;
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct cached *cache;
static size_t cache_count;

bool seccomp_default_filter(const struct strlist *capabilities, struct bytes *out, struct error *err)
{
    uint64_t key = 0;
    for (size_t i = 0; i < ARRAY_SIZE(opened); i++)
        if (strlist_contains(capabilities, opened[i].capability))
            key |= UINT64_C(1) << i;
    bool is_done = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < cache_count && !is_done; i++)
        if (cache[i].key == key) {
            *out = cache[i].filter;
            is_done = true;
        }
    struct bytes made;
    if (!is_done && build(capabilities, &made, err)) {
        *APPEND(cache, cache_count) = (struct cached){key, made};
        *out = made;
        is_done = true;
    }
    pthread_mutex_unlock(&lock);
    return is_done;
}
