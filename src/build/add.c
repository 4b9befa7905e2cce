#include "build/add.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "archive/tar_reader.h"
#include "base/file.h"
#include "base/memory.h"
#include "build/git.h"
#include "registry/url.h"
#include "store/decompress.h"
#include "store/extract.h"

#define READ_SIZE ((size_t)128 << 10)

void add_set_release(struct add_set *set)
{
    for (size_t i = 0; i < set->archive_count; i++) {
        free(set->archives[i].entry.source);
        free(set->archives[i].entry.target);
        free(set->archives[i].entry.link);
    }
    free(set->archives);
    for (size_t i = 0; i < set->tree_count; i++) {
        context_release(&set->trees[i]->context);
        free(set->trees[i]);
    }
    free(set->trees);
    *set = (struct add_set){0};
}

void add_set_add_to_key(const struct add_set *set, struct key *key)
{
    key_add_number(key, (int64_t)set->archive_count);
    for (size_t i = 0; i < set->archive_count; i++)
        key_add_bytes(key, set->archives[i].entry.digest, KEY_BYTES);
}

/* A folder with files that nobody else has. */
static struct add_tree *make_tree(struct add_set *set, struct store *store, struct error *err)
{
    struct add_tree *tree = NEW(struct add_tree);
    if (!context_make(&tree->context, store, NULL, err)) {
        free(tree);
        return NULL;
    }
    tree->source = (struct copy_source){.snapshot = &tree->context.snapshot, .is_linkable = true};
    *APPEND(set->trees, set->tree_count) = tree;
    return tree;
}

static bool add_file(struct add_tree *tree, const char *name, struct copy_plan *plan, struct error *err)
{
    const struct copy_options options = {0};
    _cleanup_node_ struct node node = {0};
    /* The name is no pattern. */
    return has_wildcard(name) ? error_set(err, ERROR_INVALID, "invalid file name %s", name)
                              : copy_plan_add(plan, &tree->source, name, &options, err);
}

/* --- heredocs --- */

bool add_heredoc(struct add_set *set, struct stage *stage, const struct heredoc *heredoc, struct copy_plan *plan,
                 struct error *err)
{
    _cleanup_free_ char *text =
        heredoc->is_expanded ? scope_expand_heredoc(stage, heredoc->content, err) : xstrdup(heredoc->content);
    struct add_tree *tree = text ? make_tree(set, stage->build->store, err) : NULL;
    const char *name = path_base(heredoc->name);
    if (!tree)
        return false;
    _cleanup_free_ char *path = path_join(tree->context.snapshot.folders[0], name);
    return file_write_text(AT_FDCWD, path, text, 0644, err) &&
           (chmod(path, 0644) == 0 || error_errno(err, "chmod %s", name)) && add_file(tree, name, plan, err);
}

/* --- URLs --- */

bool add_is_remote(const char *source)
{
    return string_starts_with(source, "http://") || string_starts_with(source, "https://") || git_is_url(source);
}

struct download {
    int fd;
    struct key *key;
};

static bool take_bytes(void *context, const void *data, size_t length)
{
    struct download *download = context;
    key_add_raw(download->key, data, length);
    return write_full(download->fd, data, length) == 0;
}

/* The last part of the path, or what Content-Disposition says. Caller frees; NULL where there is none. */
static char *name_of(const char *url, const struct url_answer *answer)
{
    const char *given = answer->disposition ? strstr(answer->disposition, "filename=") : NULL;
    if (given) {
        given += strlen("filename=");
        bool is_quoted = *given == '"';
        _cleanup_free_ char *name = xstrndup(given + is_quoted, strcspn(given + is_quoted, is_quoted ? "\"" : "; "));
        if (*path_base(name) && *path_base(name) != '.')
            return xstrdup(path_base(name));
    }
    const char *path = strstr(url, "://");
    path = path ? strchr(path + 3, '/') : NULL;
    if (!path)
        return NULL;
    _cleanup_free_ char *plain = xstrndup(path, strcspn(path, "?#"));
    const char *base = path_base(plain);
    return *base && strcmp(base, ".") != 0 && strcmp(base, "..") != 0 ? xstrdup(base) : NULL;
}

static time_t time_of(const struct url_answer *answer)
{
    struct tm fields = {0};
    return answer->last_modified && strptime(answer->last_modified, "%a, %d %b %Y %H:%M:%S GMT", &fields)
               ? timegm(&fields)
               : 0;
}

static bool check_sum(const char *checksum, const char *found, struct error *err)
{
    return !string_is_set(checksum) || strcmp(checksum, found) == 0 ||
           error_set(err, ERROR_INVALID, "digest mismatch %s: %s", found, checksum);
}

static bool download(struct add_tree *tree, struct build *build, const char *url, const char *checksum, char **name,
                     bool is_folder, struct error *err)
{
    static const char temporary[] = ".download";
    int folder = tree->context.snapshot.fds[0];
    struct url_answer answer = {0};
    struct download sink = {.key = key_new()};
    sink.fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool is_done = sink.fd >= 0 ? url_fetch(url, build_is_cancelled, build, take_bytes, &sink, &answer, err)
                                : error_errno(err, "create a file");
    _cleanup_free_ char *digest = key_finish(sink.key);
    key_free(sink.key);
    is_done = is_done && check_sum(checksum, digest, err);
    struct timespec times[2] = {{.tv_sec = time_of(&answer)}, {.tv_sec = time_of(&answer)}};
    if (is_done && futimens(sink.fd, times) < 0)
        is_done = error_errno(err, "set the time of a file");
    close_fd(sink.fd);
    char *found = is_done ? name_of(url, &answer) : NULL;
    if (is_done && !found && is_folder)
        is_done = error_set(err, ERROR_INVALID, "cannot determine filename from url: %s", url);
    if (is_done && !found)
        found = xstrdup("download");
    if (is_done && renameat(folder, temporary, folder, found) < 0)
        is_done = error_errno(err, "rename %s", found);
    url_answer_release(&answer);
    if (is_done)
        *name = found;
    else
        free(found);
    return is_done;
}

static bool add_repository(struct add_set *set, struct build *build, const char *url, struct copy_plan *plan,
                           struct error *err)
{
    const struct copy_options options = {0};
    struct add_tree *tree = NEW(struct add_tree);
    if (!git_fetch(build, url, set->keeps_git, &tree->context, err)) {
        free(tree);
        return false;
    }
    tree->source = (struct copy_source){.snapshot = &tree->context.snapshot, .is_linkable = true};
    *APPEND(set->trees, set->tree_count) = tree;
    return copy_plan_add(plan, &tree->source, "", &options, err);
}

bool add_url(struct add_set *set, struct build *build, const char *url, const char *checksum, bool unpacks,
             bool is_folder, struct copy_plan *plan, struct error *err)
{
    if (git_is_url(url))
        return add_repository(set, build, url, plan, err);
    _cleanup_free_ char *name = NULL;
    struct add_tree *tree = make_tree(set, build->store, err);
    size_t before = plan->count;
    if (!tree || !download(tree, build, url, checksum, &name, is_folder, err) || !add_file(tree, name, plan, err))
        return false;
    if (!unpacks)
        return true;
    if (plan->count != before + 1 || !add_is_archive(&plan->entries[before]))
        return error_set(err, ERROR_INVALID, "%s is no archive", url);
    add_archive(set, plan, before);
    return true;
}

/* --- archives --- */

static ssize_t read_descriptor(void *context, void *data, size_t length)
{
    return read(*(int *)context, data, length);
}

static ssize_t read_plain(void *context, void *data, size_t length)
{
    struct error ignored = ERROR_INIT;
    ssize_t n = decompressor_read(context, data, length, &ignored);
    error_release(&ignored);
    if (n < 0)
        errno = EIO;
    return n;
}

static int open_entry(const struct copy_entry *entry)
{
    return open_beneath(entry->from->snapshot->fds[entry->layer], entry->source, O_RDONLY | O_NOFOLLOW);
}

bool add_is_archive(const struct copy_entry *entry)
{
    _cleanup_close_ int fd = open_entry(entry);
    struct error ignored = ERROR_INIT;
    if (fd < 0 || entry->status.st_size == 0)
        return false;
    _cleanup_(decompressor_closep) struct decompressor *decompressor =
        decompressor_open(read_descriptor, &fd, &ignored);
    struct tar_reader tar = {.read = read_plain, .context = decompressor};
    _cleanup_tar_member_ struct tar_member member = {0};
    bool is_there = false;
    bool is_tar = decompressor && tar_reader_next(&tar, &member, &is_there, &ignored) && is_there;
    error_release(&ignored);
    return is_tar;
}

void add_archive(struct add_set *set, struct copy_plan *plan, size_t index)
{
    APPEND(set->archives, set->archive_count)->entry = plan->entries[index];
    plan->count--;
    memmove(&plan->entries[index], &plan->entries[index + 1], (plan->count - index) * sizeof(*plan->entries));
}

struct unpacking {
    struct decompressor *decompressor;
    char *buffer;
    struct error err;
};

static ssize_t next_piece(void *context, const void **data)
{
    struct unpacking *unpacking = context;
    *data = unpacking->buffer;
    return decompressor_read(unpacking->decompressor, unpacking->buffer, READ_SIZE, &unpacking->err);
}

static bool extract(const struct copy_entry *entry, int root, struct error *err)
{
    _cleanup_close_ int fd = open_entry(entry);
    if (fd < 0)
        return error_errno(err, "open %s", entry->source);
    _cleanup_(decompressor_closep) struct decompressor *decompressor = decompressor_open(read_descriptor, &fd, err);
    if (!decompressor)
        return false;
    _cleanup_free_ char *buffer = xmalloc(READ_SIZE);
    struct unpacking unpacking = {.decompressor = decompressor, .buffer = buffer};
    int64_t size;
    bool is_done = extract_tar(root, next_piece, &unpacking, &size, err);
    if (!is_done && unpacking.err.kind)
        return error_move(err, &unpacking.err);
    error_release(&unpacking.err);
    return is_done;
}

static bool write_archive(const struct copy_entry *entry, struct store *store, const struct copy_write *write,
                          struct error *err)
{
    struct context context = {0};
    if (!context_make(&context, store, NULL, err))
        return false;
    const struct copy_source source = {.snapshot = &context.snapshot, .is_linkable = true};
    const struct copy_options options = {0};
    _cleanup_copy_plan_ struct copy_plan plan = {0};
    /* The archive's owners stay, and it goes into the destination whatever that is called. */
    _cleanup_free_ char *destination = xasprintf("%s/", write->destination);
    struct copy_write inside = *write;
    inside.destination = destination;
    inside.owner.is_set = false;
    bool is_done = extract(entry, context.snapshot.fds[0], err) && copy_plan_add(&plan, &source, "", &options, err) &&
                   copy_plan_write(&plan, &inside, err);
    context_release(&context);
    return is_done || error_prefix(err, "%s", entry->source);
}

bool add_archives_write(const struct add_set *set, struct store *store, const struct copy_write *write,
                        struct error *err)
{
    for (size_t i = 0; i < set->archive_count; i++)
        if (!write_archive(&set->archives[i].entry, store, write, err))
            return false;
    return true;
}
