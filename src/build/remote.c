#include "build/remote.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "build/git.h"
#include "registry/url.h"

static bool write_file(void *context, const void *data, size_t length)
{
    return write_full(*(int *)context, data, length) == 0;
}

static ssize_t read_file(void *context, void *data, size_t length)
{
    return read(*(int *)context, data, length);
}

bool remote_context(struct build *build, const char *url, struct context *out, struct error *err)
{
    if (git_is_url(url))
        return git_fetch(build, url, false, out, err);
    if (!string_starts_with(url, "http://") && !string_starts_with(url, "https://"))
        return error_set(err, ERROR_UNSUPPORTED,
                         "the build context %s is not supported: the client has to send it, or it is a URL of http, "
                         "https or git",
                         url);
    _cleanup_free_ char *folder = scratch_make(build->store, "remote", err);
    if (!folder)
        return false;
    _cleanup_free_ char *inside = scratch_path(build->store, folder);
    _cleanup_free_ char *name = path_join(inside, "body");
    _cleanup_close_ int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct url_answer answer = {0};
    bool is_done = fd >= 0 ? url_fetch(url, build_is_cancelled, build, write_file, &fd, &answer, err)
                           : error_errno(err, "create a file");
    if (is_done && lseek(fd, 0, SEEK_SET) < 0)
        is_done = error_errno(err, "seek");
    if (!is_done)
        error_prefix(err, "failed to download %s", url);
    is_done = is_done && context_unpack(out, build->store, build->builder->memory, read_file, &fd, "Dockerfile", err);
    url_answer_release(&answer);
    scratch_remove(build->store, folder);
    return is_done;
}
