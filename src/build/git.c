#include "build/git.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/spawn.h"

#define MESSAGE_LIMIT 4096

bool git_is_url(const char *url)
{
    _cleanup_free_ char *path = xstrndup(url, strcspn(url, "#?"));
    bool is_web = string_starts_with(url, "http://") || string_starts_with(url, "https://");
    return string_starts_with(url, "git://") || string_starts_with(url, "git@") || string_starts_with(url, "ssh://") ||
           string_starts_with(url, "github.com/") || (is_web && (string_ends_with(path, ".git") || strchr(url, '#')));
}

/* The parts of a URL: what git fetches from, what of it, and which folder of that. */
struct repository {
    char *url, *ref, *folder;
};

static void repository_release(struct repository *repository)
{
    free(repository->url);
    free(repository->ref);
    free(repository->folder);
}

static void split_url(const char *text, struct repository *out)
{
    size_t length = strcspn(text, "#");
    _cleanup_free_ char *base = xstrndup(text, length);
    const char *fragment = text[length] ? text + length + 1 : "";
    size_t ref = strcspn(fragment, ":");
    out->url = string_starts_with(base, "github.com/") ? xasprintf("https://%s", base) : xstrdup(base);
    out->ref = ref ? xstrndup(fragment, ref) : xstrdup("HEAD");
    out->folder = xstrdup(fragment[ref] ? fragment + ref + 1 : "");
}

/* Waits for the program; ends it where the build ends. Its first words of complaint are in *text. */
static bool wait_for(struct build *build, pid_t pid, int complaints, struct strbuf *text)
{
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    bool is_open = true;
    int status = 0;
    while (is_open) {
        struct pollfd polled[] = {{.fd = complaints, .events = POLLIN},
                                  {.fd = build_is_cancelled(build) ? -1 : build->cancel, .events = POLLIN},
                                  {.fd = build_is_cancelled(build) ? -1 : build->client->fd, .events = POLLRDHUP}};
        char piece[512];
        if (poll(polled, ARRAY_SIZE(polled), -1) < 0)
            continue;
        if (polled[1].revents || polled[2].revents) {
            kill(-pid, SIGKILL);
            break;
        }
        ssize_t n = read(complaints, piece, sizeof(piece));
        is_open = n > 0;
        if (n > 0 && text->length < MESSAGE_LIMIT)
            strbuf_add(text, piece, (size_t)n);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool run_git(struct build *build, const char *const *argv, struct error *err)
{
    /* Only what goes over a network; nobody is asked for a password. */
    static const char *const environment[] = {"GIT_ALLOW_PROTOCOL=http:https:git:ssh",
                                              "GIT_TERMINAL_PROMPT=0",
                                              "GIT_CONFIG_NOSYSTEM=1",
                                              "HOME=/nonexistent",
                                              "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                              NULL};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, "pipe");
    _cleanup_close_ int complaints = ends[0];
    const int fds[] = {-1, -1, ends[1]};
    struct error why = ERROR_INIT;
    pid_t pid = spawn(
        &(struct spawn_options){
            .argv = argv, .envp = environment, .fds = fds, .fd_count = ARRAY_SIZE(fds), .wants_group = true},
        &why);
    close_fd(ends[1]);
    if (pid < 0) {
        error_release(&why);
        return error_set(err, ERROR_UNSUPPORTED, "git repositories need the program git, which is not installed");
    }
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (wait_for(build, pid, complaints, &text))
        return true;
    if (build_is_cancelled(build))
        return error_set(err, ERROR_CANCELLED, "context canceled");
    size_t length = strcspn(strbuf_text(&text), "\n");
    return error_set(err, ERROR_INVALID, "error fetching: %.*s", (int)length, strbuf_text(&text));
}

static bool check_out(struct build *build, const struct repository *repository, const char *folder, struct error *err)
{
    const char *const init[] = {"git", "-C", folder, "init", "-q", NULL};
    const char *const fetch[] = {"git",       "-C", folder,          "fetch",         "-q", "--depth", "1",
                                 "--no-tags", "--", repository->url, repository->ref, NULL};
    const char *const checkout[] = {"git", "-C", folder, "checkout", "-q", "FETCH_HEAD", NULL};
    return run_git(build, init, err) && run_git(build, fetch, err) && run_git(build, checkout, err);
}

/* Only the folder is left, in the context's place. */
static bool keep_folder(struct context *context, const char *folder, struct error *err)
{
    _cleanup_node_ struct node node = {0};
    _cleanup_strlist_ struct strlist folders = {0};
    if (!snapshot_find(&context->snapshot, folder, false, &node, NULL) || !S_ISDIR(node.status.st_mode))
        return error_set(err, ERROR_INVALID, "unable to find the folder %s in the repository", folder);
    strlist_addf(&folders, "%s/%s", context->snapshot.folders[0], node.path);
    struct snapshot inner;
    if (!snapshot_open(&inner, &folders, err))
        return false;
    snapshot_close(&context->snapshot);
    context->snapshot = inner;
    return true;
}

bool git_fetch(struct build *build, const char *url, bool keeps_git, struct context *out, struct error *err)
{
    struct repository repository = {0};
    struct context context = {0};
    split_url(url, &repository);
    bool is_made = *repository.ref != '-' ? context_make(&context, build->store, NULL, err)
                                          : error_set(err, ERROR_INVALID, "invalid git reference: %s", url);
    bool is_done = is_made && check_out(build, &repository, context.snapshot.folders[0], err) &&
                   (keeps_git || tree_remove(context.snapshot.fds[0], ".git", err)) &&
                   (!*repository.folder || keep_folder(&context, repository.folder, err));
    repository_release(&repository);
    if (!is_done) {
        context_release(&context);
        return false;
    }
    *out = context;
    return true;
}
