#include "build/owner.h"

#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

#define FILE_LIMIT ((size_t)1 << 20)

/* The fields at `first` and `second` of the line that begins with `name:`; both numbers. */
static bool find_line(const struct snapshot *snapshot, const char *file, const char *name, size_t first, size_t second,
                      uint64_t *a, uint64_t *b)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!snapshot_read_file(snapshot, file, FILE_LIMIT, &text))
        return false;
    _cleanup_strlist_ struct strlist lines = strlist_split(strbuf_text(&text), '\n');
    for (size_t i = 0; i < lines.count; i++) {
        _cleanup_strlist_ struct strlist fields = strlist_split(lines.items[i], ':');
        if (fields.count > MAX(first, second) && strcmp(fields.items[0], name) == 0)
            return parse_uint64(fields.items[first], a) && parse_uint64(fields.items[second], b);
    }
    return false;
}

bool owner_parse(const struct snapshot *snapshot, const char *text, struct copy_owner *out, struct error *err)
{
    uint64_t uid = 0, gid = 0, unused;
    if (!string_is_set(text))
        return true;
    _cleanup_free_ char *user = xstrndup(text, strcspn(text, ":"));
    const char *colon = strchr(text, ':');
    const char *group = colon ? colon + 1 : "";
    if (parse_uint64(user, &uid))
        gid = uid;
    else if (!find_line(snapshot, "/etc/passwd", user, 2, 3, &uid, &gid))
        return error_set(err, ERROR_INVALID,
                         "unable to convert uid/gid chown string to host mapping: can't find uid for user %s: no such "
                         "user: %s",
                         user, user);
    if (*group && !parse_uint64(group, &gid) && !find_line(snapshot, "/etc/group", group, 2, 2, &gid, &unused))
        return error_set(err, ERROR_INVALID,
                         "unable to convert uid/gid chown string to host mapping: can't find gid for group %s: no "
                         "such group: %s",
                         group, group);
    if (uid > UINT32_MAX - 1 || gid > UINT32_MAX - 1)
        return error_set(err, ERROR_INVALID, "uids and gids must be in range 0-%u", UINT32_MAX - 1);
    *out = (struct copy_owner){true, (uid_t)uid, (gid_t)gid};
    return true;
}
