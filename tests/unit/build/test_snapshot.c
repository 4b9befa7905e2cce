/* Layers as one tree: what is above hides and goes on with what is below. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/memory.h"
#include "build/snapshot.h"

static char top[] = "/tmp/wherry-snapshot.XXXXXX";
static struct snapshot snapshot;

static void put(const char *path, const char *text)
{
    _cleanup_free_ char *whole = path_join(top, path);
    _cleanup_free_ char *parent = xstrndup(whole, (size_t)(path_base(whole) - whole));
    assert_true(directory_make(parent, 0755, NULL));
    if (text)
        assert_true(file_write_text(AT_FDCWD, whole, text, 0644, NULL));
    else
        assert_true(directory_make(whole, 0755, NULL));
}

static void link_to(const char *target, const char *path)
{
    _cleanup_free_ char *whole = path_join(top, path);
    assert_int_equal(symlink(target, whole), 0);
}

static int make_layers(void **state)
{
    assert_non_null(mkdtemp(top));
    put("low/etc/passwd", "low");
    put("low/etc/kept", "kept");
    put("low/gone/file", "x");
    put("low/opaque/old", "x");
    put("low/replaced/inside", "x");
    link_to("/etc", "low/absolute");
    link_to("../../../../etc/passwd", "low/up");
    link_to("loop", "low/loop");
    put("high/etc/passwd", "high");
    put("high/opaque/new", "x");
    put("high/replaced", "a file");
    _cleanup_free_ char *gone = path_join(top, "high/gone"), *opaque = path_join(top, "high/opaque");
    /* Whiteouts and the mark of an opaque folder need root. */
    if (mknod(gone, S_IFCHR, 0) < 0 || setxattr(opaque, "trusted.overlay.opaque", "y", 1, 0) < 0)
        return -1;
    _cleanup_strlist_ struct strlist folders = {0};
    strlist_addf(&folders, "%s/high", top);
    strlist_addf(&folders, "%s/low", top);
    assert_true(snapshot_open(&snapshot, &folders, NULL));
    return 0;
}

static int remove_layers(void **state)
{
    snapshot_close(&snapshot);
    return tree_remove(AT_FDCWD, top, NULL) ? 0 : -1;
}

static char *text_of(const char *path)
{
    struct strbuf text = STRBUF_INIT;
    return snapshot_read_file(&snapshot, path, 100, &text) ? strbuf_take(&text) : NULL;
}

static void expect(const char *path, const char *wanted)
{
    _cleanup_free_ char *text = text_of(path);
    assert_true(string_equal(text, wanted));
}

static void what_is_above_counts(void **state)
{
    expect("etc/passwd", "high");
    expect("/etc/kept", "kept");
    expect("gone/file", NULL);
    expect("opaque/old", NULL);
    expect("opaque/new", "x");
    expect("replaced/inside", NULL);
    expect("replaced", "a file");
}

static void links_stay_within(void **state)
{
    expect("absolute/passwd", "high");
    expect("up", "high");
    expect("absolute/../etc/../../etc/kept", "kept");
    struct node node = {0};
    assert_false(snapshot_find(&snapshot, "loop", true, &node, NULL));
    assert_int_equal(errno, ELOOP);
    assert_true(snapshot_find(&snapshot, "loop", false, &node, NULL));
    assert_true(S_ISLNK(node.status.st_mode));
    node_release(&node);
}

static void lists_once(void **state)
{
    _cleanup_node_ struct node root = {0};
    _cleanup_strlist_ struct strlist names = {0};
    assert_true(snapshot_find(&snapshot, "absolute", true, &root, NULL));
    assert_string_equal(root.path, "etc");
    assert_int_equal(root.layer_count, 2);
    assert_true(snapshot_list(&snapshot, &root, &names, NULL));
    _cleanup_free_ char *all = strlist_join(&names, " ");
    assert_string_equal(all, "kept passwd");
}

static void tells_what_is_missing(void **state)
{
    _cleanup_node_ struct node node = {0};
    _cleanup_free_ char *missing = NULL;
    assert_true(snapshot_find(&snapshot, "/absolute/new/deeper", true, &node, &missing));
    assert_string_equal(node.path, "etc");
    assert_string_equal(missing, "new/deeper");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_above_counts), cmocka_unit_test(links_stay_within),
                                       cmocka_unit_test(lists_once), cmocka_unit_test(tells_what_is_missing)};
    return cmocka_run_group_tests(tests, make_layers, remove_layers);
}
