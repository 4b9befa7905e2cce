#include "cli/env_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

#define ENV_FILE_LIMIT ((size_t)16 << 20)

static bool read_line(const char *path, const char *line, bool inherits, struct strlist *out, struct error *err)
{
    line += strspn(line, " \t\v\f\r");
    if (!*line || *line == '#')
        return true;
    size_t length = strcspn(line, "=");
    _cleanup_free_ char *name = xstrndup(line, length);
    if (strpbrk(name, " \t"))
        return error_set(err, ERROR_INVALID, "invalid env file (%s): variable '%s' contains whitespaces", path, name);
    if (!*name)
        return error_set(err, ERROR_INVALID, "invalid env file (%s): no variable name on line '%s'", path, line);
    const char *inherited = !line[length] && inherits ? getenv(name) : NULL;
    if (line[length])
        strlist_add(out, line);
    else if (inherited)
        strlist_addf(out, "%s=%s", name, inherited);
    return true;
}

bool env_text_read(const char *path, const char *text, bool inherits, struct strlist *out, struct error *err)
{
    if (string_starts_with(text, "\xef\xbb\xbf"))
        text += 3;
    while (*text) {
        size_t length = strcspn(text, "\n"), kept = length;
        if (kept > 0 && text[kept - 1] == '\r')
            kept--;
        _cleanup_free_ char *line = xstrndup(text, kept);
        if (!read_line(path, line, inherits, out, err))
            return false;
        text += length + (text[length] == '\n');
    }
    return true;
}

bool env_file_read(const char *path, bool inherits, struct strlist *out, struct error *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "open %s", path);
    _cleanup_strbuf_ struct strbuf text = {.limit = ENV_FILE_LIMIT};
    char piece[4096];
    ssize_t count = 0;
    while ((count = read_full(fd, piece, sizeof(piece))) > 0) {
        if (!strbuf_add(&text, piece, (size_t)count))
            return error_set(err, ERROR_TOO_LARGE, "invalid env file (%s): the file is too large", path);
    }
    if (count < 0)
        return error_errno(err, "read %s", path);
    return env_text_read(path, strbuf_text(&text), inherits, out, err);
}
