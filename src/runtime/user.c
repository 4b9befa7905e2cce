#include "runtime/user.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

#define MAX_ID        INT64_C(2147483647)
#define MAX_FILE_SIZE (16u << 20)
#define RANGE_MESSAGE "uids and gids must be in range 0-2147483647"

void resolved_user_release(struct resolved_user *user)
{
    free(user->groups);
    free(user->home);
    *user = (struct resolved_user){0};
}

static void add_group(struct resolved_user *user, gid_t gid)
{
    for (size_t i = 0; i < user->group_count; i++)
        if (user->groups[i] == gid)
            return;
    *APPEND(user->groups, user->group_count) = gid;
}

/* One line of passwd(5) or group(5) cut into fields. Lines start at *text, which is moved to the next one. */
struct line {
    const char *fields[7];
    size_t lengths[7];
    size_t count;
};

static bool next_line(const char **text, struct line *line)
{
    while (**text) {
        const char *start = *text, *end = strchrnul(start, '\n');
        *text = *end ? end + 1 : end;
        start += strspn(start, " \t\r");
        if (start >= end || *start == '#')
            continue;
        line->count = 0;
        for (const char *field = start; line->count < ARRAY_SIZE(line->fields);) {
            const char *stop = memchr(field, ':', (size_t)(end - field));
            line->fields[line->count] = field;
            line->lengths[line->count++] = (size_t)((stop ? stop : end) - field);
            if (!stop)
                break;
            field = stop + 1;
        }
        return true;
    }
    return false;
}

static bool field_equals(const struct line *line, size_t index, const char *text)
{
    return index < line->count && strlen(text) == line->lengths[index] &&
           memcmp(line->fields[index], text, line->lengths[index]) == 0;
}

/* A field that is no number counts as 0, as it does in Docker. */
static int64_t field_number(const struct line *line, size_t index)
{
    if (index >= line->count)
        return 0;
    _cleanup_free_ char *text = xstrndup(line->fields[index], line->lengths[index]);
    int64_t value;
    return parse_int64(text, &value) ? value : 0;
}

/* Is the name in the comma-separated member list of a group line? */
static bool has_member(const struct line *line, const char *name)
{
    if (line->count < 4)
        return false;
    const char *member = line->fields[3], *end = member + line->lengths[3];
    while (member < end) {
        const char *comma = memchr(member, ',', (size_t)(end - member));
        size_t length = (size_t)((comma ? comma : end) - member);
        if (length == strlen(name) && memcmp(member, name, length) == 0)
            return true;
        member += length + 1;
    }
    return false;
}

struct passwd_entry {
    char *name;
    int64_t uid, gid;
    char *home;
};

static void passwd_entry_release(struct passwd_entry *entry)
{
    free(entry->name);
    free(entry->home);
}

/* The first entry that has this name or, with a number, this uid. */
static bool find_passwd(const char *passwd, const char *name, bool is_number, int64_t uid, struct passwd_entry *out)
{
    struct line line;
    while (next_line(&passwd, &line)) {
        if (!(name && field_equals(&line, 0, name)) && !(is_number && field_number(&line, 2) == uid))
            continue;
        *out = (struct passwd_entry){.name = xstrndup(line.fields[0], line.lengths[0]),
                                     .uid = field_number(&line, 2),
                                     .gid = field_number(&line, 3),
                                     .home = line.count > 5 ? xstrndup(line.fields[5], line.lengths[5]) : NULL};
        return true;
    }
    return false;
}

static bool find_group(const char *group, const char *name, bool is_number, int64_t wanted, int64_t *gid)
{
    struct line line;
    while (next_line(&group, &line))
        if (field_equals(&line, 0, name) || (is_number && field_number(&line, 2) == wanted)) {
            *gid = field_number(&line, 2);
            return true;
        }
    return false;
}

/* A group by name or number; a number need not be in the file. `unable` is the first word of the complaint, which
   Docker writes in two ways. */
static bool resolve_group(const char *group, const char *text, const char *unable, int64_t *gid, struct error *err)
{
    int64_t number = 0;
    bool is_number = parse_int64(text, &number);
    if (find_group(group, text, is_number, number, gid))
        return true;
    if (!is_number)
        return error_set(err, ERROR_INVALID, "%s to find group %s: no matching entries in group file", unable, text);
    if (number < 0 || number > MAX_ID)
        return error_set(err, ERROR_INVALID, RANGE_MESSAGE);
    *gid = number;
    return true;
}

bool user_resolve(const struct launch_user *wanted, const char *passwd, const char *group, struct resolved_user *out,
                  struct error *err)
{
    const char *spec = string_or_empty(wanted->user), *colon = strchr(spec, ':');
    _cleanup_free_ char *user = xstrndup(spec, colon ? (size_t)(colon - spec) : strlen(spec));
    const char *group_part = colon ? colon + 1 : "";
    int64_t number = 0;
    bool is_number = !*user || parse_int64(user, &number);
    _cleanup_(passwd_entry_release) struct passwd_entry entry = {0};
    bool is_known = find_passwd(passwd, *user ? user : NULL, is_number, number, &entry);
    if (!is_known && !is_number)
        return error_set(err, ERROR_INVALID, "unable to find user %s: no matching entries in passwd file", user);
    int64_t uid = is_known ? entry.uid : number, gid = is_known ? entry.gid : 0;
    if (uid < 0 || uid > MAX_ID)
        return error_set(err, ERROR_INVALID, RANGE_MESSAGE);
    if (*group_part && !resolve_group(group, group_part, "unable", &gid, err))
        return false;
    if (gid < 0 || gid > MAX_ID)
        return error_set(err, ERROR_INVALID, RANGE_MESSAGE);

    _cleanup_resolved_user_ struct resolved_user made = {.uid = (uid_t)uid, .gid = (gid_t)gid};
    add_group(&made, made.gid);
    /* A group of one's own choice replaces those that the user is a member of. */
    struct line line;
    for (const char *rest = group; is_known && !*group_part && next_line(&rest, &line);)
        if (has_member(&line, entry.name))
            add_group(&made, (gid_t)field_number(&line, 2));
    for (size_t i = 0; i < wanted->extra_groups.count; i++) {
        if (!resolve_group(group, wanted->extra_groups.items[i], "Unable", &gid, err))
            return false;
        add_group(&made, (gid_t)gid);
    }
    made.home = xstrdup(string_is_set(entry.home) ? entry.home : "/");
    *out = made;
    made = (struct resolved_user){0};
    return true;
}

/* Missing files are empty ones. */
static bool read_text(const char *path, struct strbuf *out, struct error *err)
{
    struct error why = ERROR_INIT;
    if (file_read(AT_FDCWD, path, MAX_FILE_SIZE, out, &why))
        return true;
    if (why.errno_value == ENOENT || why.errno_value == ENOTDIR) {
        error_release(&why);
        return true;
    }
    return error_move(err, &why);
}

/* additionalGids: a JSON array of numbers, the only thing here that is JSON. */
static void add_numeric_groups(struct resolved_user *user, const char *json)
{
    for (const char *at = string_or_empty(json); *(at += strcspn(at, "0123456789"));) {
        char *end;
        add_group(user, (gid_t)strtoul(at, &end, 10));
        at = end;
    }
}

bool user_resolve_in_root(const struct launch_user *wanted, const struct oci_user *numeric, bool wants_home,
                          struct resolved_user *out, struct error *err)
{
    _cleanup_strbuf_ struct strbuf passwd = STRBUF_INIT, group = STRBUF_INIT;
    if ((wanted->user || wants_home) && !read_text("/etc/passwd", &passwd, err))
        return false;
    if ((wanted->user || wanted->extra_groups.count) && !read_text("/etc/group", &group, err))
        return false;
    if (wanted->user)
        return user_resolve(wanted, strbuf_text(&passwd), strbuf_text(&group), out, err);

    _cleanup_resolved_user_ struct resolved_user made = {.uid = numeric->uid, .gid = numeric->gid};
    add_group(&made, made.gid);
    add_numeric_groups(&made, numeric->additional_gids);
    for (size_t i = 0; i < wanted->extra_groups.count; i++) {
        int64_t gid;
        if (!resolve_group(strbuf_text(&group), wanted->extra_groups.items[i], "Unable", &gid, err))
            return false;
        add_group(&made, (gid_t)gid);
    }
    _cleanup_(passwd_entry_release) struct passwd_entry entry = {0};
    find_passwd(strbuf_text(&passwd), NULL, true, numeric->uid, &entry);
    made.home = xstrdup(string_is_set(entry.home) ? entry.home : "/");
    *out = made;
    made = (struct resolved_user){0};
    return true;
}
