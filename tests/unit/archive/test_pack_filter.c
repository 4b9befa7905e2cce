/* What a pack leaves out, and what a strict one does not put up with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/pack.h"
#include "archive/tar_reader.h"
#include "base/file.h"
#include "base/memory.h"

/* A tar in memory; what `grows` names (below `folder`) gets a byte more when content is first written. */
struct sink {
    struct strbuf bytes;
    size_t at;
    int folder;
    const char *grows;
};

static bool write_bytes(void *context, const void *data, size_t length)
{
    struct sink *sink = context;
    if (sink->grows && length > 0 && ((const char *)data)[0] == 'x') {
        int fd = openat(sink->folder, sink->grows, O_WRONLY | O_APPEND | O_CLOEXEC);
        assert_int_equal(write(fd, "y", 1), 1);
        close(fd);
        sink->grows = NULL;
    }
    return strbuf_add(&sink->bytes, data, length);
}

static ssize_t read_bytes(void *context, void *data, size_t length)
{
    struct sink *sink = context;
    length = MIN(length, sink->bytes.length - sink->at);
    memcpy(data, sink->bytes.data + sink->at, length);
    sink->at += length;
    return (ssize_t)length;
}

/* The names in the tar, with a space behind each. */
static char *names_of(struct sink *sink)
{
    struct tar_reader tar = {.read = read_bytes, .context = sink};
    struct strbuf names = STRBUF_INIT;
    bool is_there = true;
    while (is_there) {
        _cleanup_tar_member_ struct tar_member member = {0};
        assert_true(tar_reader_next(&tar, &member, &is_there, NULL));
        if (is_there)
            strbuf_addf(&names, "%s ", member.name);
    }
    return strbuf_take(&names);
}

static int make_tree(void **state)
{
    static const char *const folders[] = {"a", "a/b", "a/b/c", "d", "e"};
    static const char *const files[] = {"a/one", "a/b/two", "a/b/c/three", "d/four", "five"};
    char *place = xstrdup("/tmp/wherry-unit.XXXXXX");
    assert_non_null(mkdtemp(place));
    int folder = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
        assert_int_equal(mkdirat(folder, folders[i], 0755), 0);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        assert_true(file_write_text(folder, files[i], "xxx", 0644, NULL));
    close(folder);
    *state = place;
    return 0;
}

static int remove_tree(void **state)
{
    assert_true(tree_remove(AT_FDCWD, *state, NULL));
    free(*state);
    return 0;
}

/* All of a but what is below a/b/c, and d. */
static bool skips(void *context _unused_, const char *path)
{
    return (path[0] == 'a' && !string_starts_with(path, "a/b/c")) || path[0] == 'd';
}

static bool enters(void *context _unused_, const char *path)
{
    return path[0] == 'a';
}

static bool skips_all(void *context _unused_, const char *path _unused_)
{
    return true;
}

static void filtered(void **state)
{
    _cleanup_close_ int folder = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct {
        struct pack_filter filter;
        const char *prefix, *names;
    } rows[] = {
        {{skips, enters, NULL}, "", "a/ a/b/ a/b/c/ a/b/c/three e/ five "},
        {{skips, enters, NULL}, "p", "p/ p/a/ p/a/b/ p/a/b/c/ p/a/b/c/three p/e/ p/five "},
        /* Folders that are entered in vain are not written. */
        {{skips_all, enters, NULL}, "", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct sink sink = {0};
        struct tar_writer tar = {.write = write_bytes, .context = &sink};
        _cleanup_(pack_freep) struct pack *pack = pack_new(&tar);
        pack_restrict(pack, &rows[i].filter, true);
        assert_true(pack_add(pack, folder, ".", rows[i].prefix, NULL));
        assert_true(tar_writer_finish(&tar, NULL));
        _cleanup_free_ char *names = names_of(&sink);
        assert_string_equal(names, rows[i].names);
        strbuf_release(&sink.bytes);
    }
}

static void changing(void **state)
{
    _cleanup_close_ int folder = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int is_strict = 0; is_strict < 2; is_strict++) {
        struct sink sink = {.folder = folder, .grows = "a/one"};
        struct tar_writer tar = {.write = write_bytes, .context = &sink};
        _cleanup_(pack_freep) struct pack *pack = pack_new(&tar);
        _cleanup_error_ struct error err = ERROR_INIT;
        pack_restrict(pack, NULL, is_strict);
        assert_int_equal(pack_add(pack, folder, "a/one", "one", &err), !is_strict);
        assert_string_equal(error_message(&err), is_strict ? "the file 'one' changed while it was read" : "");
        strbuf_release(&sink.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(filtered, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(changing, make_tree, remove_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
