#include "runtime/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/channel.h"
#include "runtime/command.h"
#include "runtime/limits.h"
#include "runtime/seccomp.h"
#include "runtime/user.h"

#define KERNEL_SIGSET_SIZE ((size_t)(NSIG / 8))

void process_clean(void)
{
    /* Not by sigaction(3), which hides two signals that posix_spawn ignores. All zero is SIG_DFL for the kernel. */
    const unsigned char action[64] = {0};
    for (int number = 1; number < NSIG; number++)
        syscall(SYS_rt_sigaction, number, action, NULL, KERNEL_SIGSET_SIZE);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
}

bool process_take_stdio(const int fds[3], struct error *err)
{
    int moved[3];
    for (int i = 0; i < 3; i++) {
        moved[i] = fds[i] < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
        if (moved[i] < 0)
            return error_errno(err, "set up stdio");
    }
    for (int i = 0; i < 3; i++) {
        if (moved[i] != i && dup2(moved[i], i) < 0)
            return error_errno(err, "set up stdio");
        if (moved[i] >= 3)
            close(moved[i]);
    }
    return true;
}

static void send_warnings(int channel, struct strlist *warnings)
{
    for (size_t i = 0; i < warnings->count; i++)
        channel_send(channel, CHANNEL_WARNING, warnings->items[i], -1);
}

/* A process that is not root must be able to open /dev/stdout, which is its pipe or terminal, again. */
static void give_stdio(uid_t uid)
{
    struct stat status;
    for (int fd = 0; fd < 3; fd++) {
        if (fstat(fd, &status) < 0 || status.st_uid == uid ||
            (S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3)))
            continue;
        /* Not every file system has owners; what cannot be given stays as it is. */
        if (fchown(fd, uid, (gid_t)-1) < 0)
            continue;
    }
}

static bool set_user(const struct resolved_user *user, struct error *err)
{
    if (setgroups(user->group_count, user->groups) < 0)
        return error_errno(err, "setgroups");
    if (setresgid(user->gid, user->gid, user->gid) < 0)
        return error_errno(err, "setgid");
    if (setresuid(user->uid, user->uid, user->uid) < 0)
        return error_errno(err, "setuid");
    return true;
}

/* Docker gives a user who is not root no capabilities but the bounding set, as execve would leave it. Who the user is,
   only we know, so that the engine could not say so in the lists. */
static void drop_for_user(const struct launch_user *wanted, uid_t uid, struct capability_sets *sets)
{
    if (wanted->user && uid != 0)
        sets->effective = sets->permitted = sets->inheritable = sets->ambient = 0;
}

static bool load_seccomp(const struct bytes *filter, struct error *err)
{
    if (filter->length && seccomp_install(filter) < 0)
        return error_errno(err, "unable to init seccomp");
    return true;
}

static bool resolve_capabilities(const struct process_plan *plan, struct capability_sets *out)
{
    if (plan->capabilities) {
        *out = *plan->capabilities;
        return true;
    }
    _cleanup_strbuf_ struct strbuf dropped = STRBUF_INIT;
    capabilities_resolve(plan->process->capabilities, out, &dropped);
    if (dropped.length) {
        _cleanup_free_ char *text =
            xasprintf("capabilities that are not available here were left out: %s", dropped.data);
        channel_send(plan->channel, CHANNEL_WARNING, text, -1);
    }
    return true;
}

/* The label under which execve will run the program: AppArmor's profile or SELinux's context. */
static bool set_label(const char *path, const char *text, const char *what, struct error *err)
{
    struct error why = ERROR_INIT;
    if (file_write_text(AT_FDCWD, path, text, 0, &why))
        return true;
    error_prefix(&why, "unable to apply %s %s", what, text);
    return error_move(err, &why);
}

static bool set_labels(const struct oci_process *process, struct error *err)
{
    const char *profile = process->apparmor_profile;
    if (string_is_set(profile) && strcmp(profile, "unconfined") != 0) {
        _cleanup_free_ char *text = xasprintf("exec %s", profile);
        if (!set_label("/proc/self/attr/apparmor/exec", text, "apparmor profile", err))
            return false;
    }
    return !string_is_set(process->selinux_label) ||
           set_label("/proc/self/attr/exec", process->selinux_label, "selinux label", err);
}

static bool enter_cwd(const char *cwd, bool is_last, bool *is_done, struct error *err)
{
    if (*is_done || chdir(cwd) == 0) {
        *is_done = true;
        return true;
    }
    /* A folder that root may not enter (NFS, FUSE) may be open to the user. */
    if (!is_last && (errno == EACCES || errno == EPERM))
        return true;
    return error_errno(err, "chdir to cwd (\"%s\") set in config.json failed", cwd);
}

bool process_prepare(const struct process_plan *plan, struct prepared_process *out, struct error *err)
{
    const struct oci_process *process = plan->process;
    const char *cwd = string_is_set(process->cwd) ? process->cwd : "/";
    if (!process->args.count)
        return error_set(err, ERROR_INVALID, "no command specified");
    if (*cwd != '/')
        return error_set(err, ERROR_INVALID, "Cwd must be an absolute path");

    _cleanup_resolved_user_ struct resolved_user user = {0};
    _cleanup_strlist_ struct strlist warnings = {0}, args = {0}, env = {0};
    strlist_copy(&env, &process->env);
    bool wants_home = plan->sets_home && !string_is_set(env_get(&env, "HOME"));
    if (!user_resolve_in_root(plan->user, &process->user, wants_home, &user, err) ||
        !limits_set_rlimits(&process->rlimits, &warnings, err) ||
        (process->oom_score_adj.is_set && !limits_set_oom_score(process->oom_score_adj.value, &warnings, err)) ||
        !set_labels(process, err))
        return false;
    send_warnings(plan->channel, &warnings);
    if (wants_home) {
        _cleanup_free_ char *home = xasprintf("HOME=%s", user.home);
        env_put(&env, home);
    }

    struct capability_sets sets;
    bool is_in_cwd = false;
    resolve_capabilities(plan, &sets);
    drop_for_user(plan->user, user.uid, &sets);
    give_stdio(user.uid);
    if (process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_errno(err, "prctl(SET_NO_NEW_PRIVS)");
    /* Without no_new_privs a filter takes CAP_SYS_ADMIN, which is about to go. */
    if ((!process->no_new_privileges && !load_seccomp(plan->seccomp, err)) || !capabilities_limit(&sets, err) ||
        !enter_cwd(cwd, false, &is_in_cwd, err) || !set_user(&user, err) || !enter_cwd(cwd, true, &is_in_cwd, err) ||
        !capabilities_apply(&sets, err))
        return false;
    umask(process->user.umask.is_set ? (mode_t)process->user.umask.value : 0022);

    if (plan->init_path) {
        strlist_add(&args, plan->init_path);
        strlist_add(&args, "--");
    }
    for (size_t i = 0; i < process->args.count; i++)
        strlist_add(&args, process->args.items[i]);
    _cleanup_free_ char *path = command_find(args.items[0], &env, err);
    if (!path || (process->no_new_privileges && !load_seccomp(plan->seccomp, err)))
        return false;
    *out = (struct prepared_process){.path = TAKE_PTR(path), .args = args, .env = env};
    args = env = (struct strlist){0};
    return true;
}
