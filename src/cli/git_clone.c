#include "cli/git_clone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/spawn.h"
#include "base/text.h"

struct git_clone {
    char *top;    /* a temporary folder */
    char *folder; /* the one that was asked for */
    /* A program that waits for the other end of a pipe to close, which it does however we end, and removes the folder.
     */
    pid_t remover;
    int held;
};

bool is_git_url(const char *text)
{
    static const char *const starts[] = {"git@", "git://", "ssh://", "github.com/"};
    for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
        if (string_starts_with(text, starts[i]))
            return true;
    if (!string_starts_with(text, "http://") && !string_starts_with(text, "https://"))
        return false;
    _cleanup_free_ char *path = xstrndup(text, strcspn(text, "#?"));
    return string_ends_with(path, ".git");
}

static bool start_remover(struct git_clone *clone, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, "pipe");
    const char *const argv[] = {"sh", "-c", "cat; rm -rf \"$1\"", "sh", clone->top, NULL};
    const int fds[] = {ends[0], -1, -1};
    const struct spawn_options options = {.argv = argv, .fds = fds, .fd_count = ARRAY_SIZE(fds), .wants_session = true};
    clone->remover = spawn(&options, err);
    clone->held = ends[1];
    close_fd(ends[0]);
    return clone->remover > 0;
}

void git_clone_free(struct git_clone *clone)
{
    if (!clone)
        return;
    close_fd(clone->held);
    while (clone->remover > 0 && waitpid(clone->remover, NULL, 0) < 0 && errno == EINTR)
        ;
    if (clone->top && clone->remover <= 0)
        tree_remove(AT_FDCWD, clone->top, NULL);
    free(clone->top);
    free(clone->folder);
    free(clone);
}

const char *git_clone_folder(const struct git_clone *clone)
{
    return clone->folder;
}

#define GIT(top_) "git", "-C", (top_), "-c", "protocol.ext.allow=never"

/* `reference` is "HEAD" or what was asked for. One commit of it; with its history, where the server gives no single
   ones; and everything, for what has no name there, as a commit's first digits. */
static bool fetch(const char *top, const char *url, const char *reference, struct error *err)
{
    const char *const init[] = {"git", "init", "-q", top, NULL};
    const char *const one[] = {GIT(top), "fetch", "-q", "--depth", "1", "--", url, reference, NULL};
    const char *const history[] = {GIT(top), "fetch", "-q", "--", url, reference, NULL};
    const char *const all[] = {GIT(top), "fetch", "-q", "--", url, "+refs/*:refs/all/*", NULL};
    const char *const at_head[] = {GIT(top), "checkout", "-q", "FETCH_HEAD", NULL};
    const char *const at_reference[] = {GIT(top), "checkout", "-q", reference, NULL};
    const char *const modules[] = {GIT(top), "submodule", "-q", "update", "--init", "--recursive", "--depth=1", NULL};
    _cleanup_error_ struct error why = ERROR_INIT;
    if (!run(init, NULL, 0, NULL, err))
        return false;
    if (run(one, NULL, 0, NULL, NULL) || run(history, NULL, 0, NULL, &why))
        return run(at_head, NULL, 0, NULL, err) && run(modules, NULL, 0, NULL, err);
    if (!run(all, NULL, 0, NULL, NULL) || !run(at_reference, NULL, 0, NULL, NULL))
        return error_move(err, &why);
    return run(modules, NULL, 0, NULL, err);
}

static bool clone_into(struct git_clone *clone, const char *url, struct error *err)
{
    const char *hash = strchr(url, '#'), *colon = hash ? strchr(hash, ':') : NULL;
    _cleanup_free_ char *plain = xstrndup(url, strcspn(url, "#"));
    _cleanup_free_ char *address =
        string_starts_with(plain, "github.com/") ? xasprintf("https://%s", plain) : xstrdup(plain);
    size_t length = hash ? strcspn(hash + 1, ":") : 0;
    _cleanup_free_ char *reference = length ? xstrndup(hash + 1, length) : xstrdup("HEAD");
    if (*reference == '-' || *address == '-')
        return error_set(err, ERROR_INVALID, "invalid refspec: %s", reference);
    if (!fetch(clone->top, address, reference, err))
        return error_prefix(err, "unable to 'git clone' to temporary context directory");
    _cleanup_free_ char *inner = path_join(clone->top, ".git");
    if (!tree_remove(AT_FDCWD, inner, err))
        return false;
    _cleanup_close_ int top = open(clone->top, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char *wanted = colon && colon[1] ? colon + 1 : ".";
    _cleanup_free_ char *clean = path_clean(wanted);
    /* A link in the repository leads nowhere else. */
    _cleanup_close_ int folder = top < 0 ? -1 : open_beneath(top, clean, O_PATH | O_DIRECTORY);
    if (folder < 0)
        return error_errno(err, "the folder %s of the repository", wanted);
    clone->folder = path_join(clone->top, clean);
    return true;
}

struct git_clone *git_clone_new(const char *url, struct error *err)
{
    const char *place = getenv("TMPDIR");
    struct git_clone *clone = NEW(struct git_clone);
    clone->held = -1;
    clone->top = path_join(string_is_set(place) ? place : "/tmp", "wherry-git.XXXXXX");
    if (!mkdtemp(clone->top)) {
        error_errno(err, "create a folder %s", clone->top);
        free(TAKE_PTR(clone->top));
    } else if (start_remover(clone, err) && clone_into(clone, url, err)) {
        return clone;
    }
    git_clone_free(clone);
    return NULL;
}
