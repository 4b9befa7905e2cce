/* Blobs and layers: every kind of file, whiteouts, names that try to escape, broken streams, crash leftovers. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/spawn.h"
#include "store/decompress.h"
#include "store/internal.h"
#include "tar_builder.h"

static char folder[] = "/tmp/test-store-layer-XXXXXX";
static struct store *store;
/* Held, so that what a test adds stays although no image refers to it. */

static int set_up(void **state)
{
    struct error err = ERROR_INIT;
    tree_remove(AT_FDCWD, folder, NULL);
    store = store_open(folder, &err);
    if (!store)
        fail_msg("%s", error_message(&err));
    store_hold(store);
    return 0;
}

static int tear_down(void **state)
{
    store_release(store);
    store_close(store);
    return 0;
}

static bool add(const struct strbuf *bytes, const char *expected, struct layer_info *info, struct error *err)
{
    struct memory_stream stream = {.data = strbuf_text(bytes), .length = bytes->length};
    return layer_add(store, memory_read, &stream, expected, info, err);
}

/* Adds the entries as a layer and returns its folder; caller frees. */
static char *add_entries(const struct tar_entry *entries)
{
    _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT;
    tar_build(entries, &tar);
    struct layer_info info = {0};
    struct error err = ERROR_INIT;
    if (!add(&tar, NULL, &info, &err))
        fail_msg("%s", error_message(&err));
    char *path = layer_path(store, info.diff_id);
    layer_info_release(&info);
    return path;
}

static void refuse_bytes(const struct strbuf *bytes, const char *message)
{
    struct layer_info info = {0};
    struct error err = ERROR_INIT;
    if (add(bytes, NULL, &info, &err))
        fail_msg("accepted; expected: %s", message);
    if (!strstr(error_message(&err), message))
        fail_msg("\"%s\" is not \"%s\"", error_message(&err), message);
    error_release(&err);
}

static void refuse_entries(const struct tar_entry *entries, const char *message)
{
    _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT;
    tar_build(entries, &tar);
    refuse_bytes(&tar, message);
}

static struct stat status_of(const char *layer, const char *name)
{
    _cleanup_free_ char *path = path_join(layer, name);
    struct stat status;
    if (lstat(path, &status) < 0)
        fail_msg("%s is missing", path);
    return status;
}

static void assert_content(const char *layer, const char *name, const char *content)
{
    _cleanup_free_ char *path = path_join(layer, name);
    _cleanup_strbuf_ struct strbuf read = STRBUF_INIT;
    if (!file_read(AT_FDCWD, path, 1 << 20, &read, NULL))
        fail_msg("%s is missing", path);
    assert_string_equal(strbuf_text(&read), content);
}

static void assert_missing(const char *layer, const char *name)
{
    _cleanup_free_ char *path = path_join(layer, name);
    struct stat status;
    assert_int_equal(lstat(path, &status), -1);
}

static bool is_whiteout(const char *layer, const char *name)
{
    struct stat status = status_of(layer, name);
    return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

static bool is_opaque(const char *layer, const char *name)
{
    _cleanup_free_ char *path = path_join(layer, name);
    char value[4];
    return lgetxattr(path, "trusted.overlay.opaque", value, sizeof(value)) == 1 && *value == 'y';
}

static size_t count_names(const char *name)
{
    _cleanup_free_ char *path = path_join(folder, name);
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    struct error err = ERROR_INIT;
    if (!run((const char *const[]){"find", path, "-mindepth", "1", "-maxdepth", "1", NULL}, NULL, 1 << 20, &out, &err))
        fail_msg("%s", error_message(&err));
    size_t lines = 0;
    for (const char *c = strbuf_text(&out); *c; c++)
        lines += *c == '\n';
    return lines;
}

static void test_blobs(void **state)
{
    struct blob_writer *writer = blob_begin(store, NULL);
    assert_true(blob_write(writer, "hel", 3, NULL));
    assert_true(blob_write(writer, "lo", 2, NULL));
    char *digest;
    int64_t size;
    assert_true(blob_finish(writer, &digest, &size, NULL));
    assert_string_equal(digest, "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_int_equal(size, 5);
    char *again;
    assert_true(blob_put(store, "hello", 5, &again, NULL));
    assert_string_equal(digest, again);
    free(again);
    writer = blob_begin(store, NULL);
    assert_true(blob_write(writer, "gone", 4, NULL));
    blob_abandon(writer);
    assert_int_equal(count_names("tmp"), 0);
    assert_int_equal(count_names("content/sha256"), 1);

    _cleanup_strbuf_ struct strbuf read = STRBUF_INIT;
    assert_true(blob_read(store, digest, 5, &read, NULL));
    assert_string_equal(strbuf_text(&read), "hello");
    struct error err = ERROR_INIT;
    assert_false(blob_read(store, digest, 4, &read, &err));
    assert_int_equal(err.kind, ERROR_TOO_LARGE);
    assert_int_equal(blob_open(store, "sha256:../../wherry.db", NULL, &err), -1);
    assert_int_equal(err.kind, ERROR_INVALID);
    blob_remove(store, digest);
    assert_int_equal(blob_open(store, digest, NULL, &err), -1);
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
    error_release(&err);
    free(digest);
}

static void test_every_kind(void **state)
{
    _cleanup_free_ char *layer = add_entries((const struct tar_entry[]){
        {"bin", 'd', .mode = 01777, .seconds = 1000000001, .nanoseconds = 5},
        {"bin/tool", 'f', .content = "tool", .mode = 04755, .uid = 1000, .gid = 1001, .seconds = 1234567890,
         .nanoseconds = 123456789},
        {"bin/same", 'h', .link = "bin/tool", .mode = 04755, .uid = 1000, .gid = 1001, .seconds = 1234567890,
         .nanoseconds = 123456789},
        {"link", 'l', .link = "bin/tool", .uid = 7},
        {"dev/null", 'c', .major = 1, .minor = 3, .mode = 0666},
        {"dev/loop", 'b', .major = 7, .minor = 5, .mode = 0660, .gid = 6},
        {"pipe", 'p', .mode = 0600},
        {"attribute", 'f', .content = "x", .xattr = "user.note", .value = "kept", .mode = 0444},
        {"sparse", 'f', .content = "end", .sparse_size = 8 << 20},
        {"\xc3\xa4/\xe2\x82\xac", 'f', .content = "utf-8"},
        {"overlay", 'd', .xattr = "trusted.overlay.redirect", .value = "/etc"},
        {0},
    });
    struct stat status = status_of(layer, "bin/tool");
    assert_int_equal(status.st_mode, S_IFREG | 04755);
    assert_int_equal(status.st_uid, 1000);
    assert_int_equal(status.st_gid, 1001);
    assert_int_equal(status.st_nlink, 2);
    assert_int_equal(status.st_mtim.tv_sec, 1234567890);
    assert_int_equal(status.st_mtim.tv_nsec, 123456789);
    assert_int_equal(status_of(layer, "bin/same").st_ino, status.st_ino);
    status = status_of(layer, "bin");
    assert_int_equal(status.st_mode, S_IFDIR | 01777);
    assert_int_equal(status.st_mtim.tv_sec, 1000000001); /* although files were put into it later */
    assert_int_equal(status.st_mtim.tv_nsec, 5);
    assert_int_equal(status_of(layer, "link").st_uid, 7);
    status = status_of(layer, "dev");
    assert_int_equal(status.st_mode, S_IFDIR | 0755); /* implied */
    status = status_of(layer, "dev/null");
    assert_int_equal(status.st_mode, S_IFCHR | 0666);
    assert_int_equal(status.st_rdev, makedev(1, 3));
    status = status_of(layer, "dev/loop");
    assert_int_equal(status.st_mode, S_IFBLK | 0660);
    assert_int_equal(status.st_rdev, makedev(7, 5));
    assert_int_equal(status_of(layer, "pipe").st_mode, S_IFIFO | 0600);
    status = status_of(layer, "sparse");
    assert_int_equal(status.st_size, (8 << 20) + 3);
    assert_true(status.st_blocks * 512 < 1 << 20);
    assert_content(layer, "\xc3\xa4/\xe2\x82\xac", "utf-8");
    char value[16];
    _cleanup_free_ char *path = path_join(layer, "attribute"), *overlay = path_join(layer, "overlay");
    assert_int_equal(lgetxattr(path, "user.note", value, sizeof(value)), 4);
    assert_memory_equal(value, "kept", 4);
    assert_int_equal(lgetxattr(overlay, "trusted.overlay.redirect", value, sizeof(value)), -1);
    assert_int_equal(status_of(layer, ".").st_mode, S_IFDIR | 0755);
}

static void test_whiteouts(void **state)
{
    _cleanup_free_ char *layer = add_entries((const struct tar_entry[]){
        {"a/.wh.gone", 'f'},
        {"opaque", 'd'},
        {"opaque/.wh..wh..opq", 'f'},
        {"file", 'f', .content = "stays"},
        {".wh.file", 'f'}, /* about lower layers only */
        {".wh.later", 'f'},
        {"later", 'f', .content = "new"},
        {".wh.folder", 'f'},
        {"folder", 'd'},
        {"other", 'd'},
        {".wh.other", 'f'},
        {0},
    });
    assert_true(is_whiteout(layer, "a/gone"));
    assert_missing(layer, "a/.wh.gone");
    assert_true(is_opaque(layer, "opaque"));
    assert_missing(layer, "opaque/.wh..wh..opq");
    assert_content(layer, "file", "stays");
    assert_content(layer, "later", "new");
    assert_true(S_ISDIR(status_of(layer, "folder").st_mode) && is_opaque(layer, "folder"));
    assert_true(S_ISDIR(status_of(layer, "other").st_mode) && is_opaque(layer, "other"));
    refuse_entries((const struct tar_entry[]){{"d", 'd'}, {"d/.wh...", 'f'}, {0}}, "file exists");
    refuse_entries((const struct tar_entry[]){{"d", 'd'}, {"d/.wh..", 'f'}, {0}}, "file exists");
    refuse_entries((const struct tar_entry[]){{"d", 'd'}, {"d/.wh.", 'f'}, {0}}, "file exists");
}

/* Everything lands below the layer's folder, or is refused; the file outside stays as it is. */
static void test_escapes(void **state)
{
    _cleanup_free_ char *outside = xasprintf("%s-outside", folder), *inside = NULL;
    assert_true(directory_make(outside, 0700, NULL));
    _cleanup_free_ char *victim = path_join(outside, "victim");
    assert_true(file_write_text(AT_FDCWD, victim, "untouched", 0600, NULL));
    _cleanup_free_ char *up = xasprintf("../../../../../../..%s", victim), *made = path_join(outside, "made");
    _cleanup_free_ char *through = xasprintf("../../../../../../..%s", outside);

    _cleanup_free_ char *layer = add_entries((const struct tar_entry[]){
        {up, 'f', .content = "inside 1"},
        {made, 'f', .content = "inside 2"},
        {"a/../../b", 'f', .content = "b"},
        {"./c//d/.", 'f', .content = "d"},
        {0},
    });
    inside = path_join(layer, outside);
    assert_content(inside, "victim", "inside 1");
    assert_content(inside, "made", "inside 2");
    assert_content(layer, "b", "b");
    assert_content(layer, "c/d", "d");

    /* Through links, which the kernel resolves within the layer. */
    _cleanup_free_ char *first = add_entries((const struct tar_entry[]){
        {"link", 'l', .link = "/"},
        {"up", 'l', .link = "../../../../../.."},
        {"link/f", 'f', .content = "1"},
        {"up/g", 'f', .content = "2"},
        {"up/../h", 'f', .content = "3"},
        {0},
    });
    assert_content(first, "f", "1");
    assert_content(first, "g", "2");
    assert_content(first, "h", "3");
    refuse_entries((const struct tar_entry[]){{"l", 'l', .link = outside}, {"l/made", 'f', .content = "x"}, {0}}, "l");
    refuse_entries((const struct tar_entry[]){{"l", 'l', .link = through}, {"l/victim", 'f', .content = "x"}, {0}},
                   "l");
    refuse_entries((const struct tar_entry[]){{"l", 'l', .link = through}, {"l/.wh.victim", 'f'}, {0}}, "l");
    refuse_entries((const struct tar_entry[]){{"l", 'l', .link = through}, {"l/.wh..wh..opq", 'f'}, {0}}, "l");
    refuse_entries((const struct tar_entry[]){{"h", 'h', .link = victim}, {0}}, "no such file or directory");
    refuse_entries((const struct tar_entry[]){{"l", 'l', .link = outside}, {"h", 'h', .link = "l/victim"}, {0}}, "l");
    refuse_entries((const struct tar_entry[]){{"p", 'l', .link = "/proc/self/root"}, {"p/x", 'f'}, {0}}, "p");
    refuse_entries((const struct tar_entry[]){{"a", 'l', .link = "b"}, {"b", 'l', .link = "a"}, {"a/x", 'f'}, {0}},
                   "too many levels of symbolic links");

    /* A hard link to a link is the link itself; writing through either is not possible. */
    _cleanup_free_ char *second = add_entries((const struct tar_entry[]){{"s", 'l', .link = victim},
                                                                         {"h", 'h', .link = "s"},
                                                                         {"h", 'f', .content = "replaces"},
                                                                         {"s", 'd', .mode = 0700},
                                                                         {0}});
    assert_content(second, "h", "replaces");
    assert_true(S_ISDIR(status_of(second, "s").st_mode));

    assert_content(outside, "victim", "untouched");
    struct stat status;
    assert_int_equal(lstat(victim, &status), 0);
    assert_int_equal(status.st_nlink, 1);
    assert_int_equal(lstat(made, &status), -1);
    char value[4];
    assert_int_equal(lgetxattr(outside, "trusted.overlay.opaque", value, sizeof(value)), -1);
    assert_true(tree_remove(AT_FDCWD, outside, NULL));
}

static void test_replacement(void **state)
{
    struct layer_info info = {0};
    _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT;
    tar_build(
        (const struct tar_entry[]){
            {"x", 'd'},
            {"x/y", 'f', .content = "12345"},
            {"x", 'f', .content = "file"},
            {"z", 'f', .content = "1"},
            {"z", 'd', .seconds = 77},
            {"z/in", 'f', .content = "22"},
            {"w", 'd', .seconds = 78},
            {"w", 'l', .link = "x"},
            {"t", 'd'},
            {"l", 'l', .link = "t"},
            {"l/in", 'f', .content = "333"},
            {"l", 'd'},
            {"l/own", 'f', .content = "4444"},
            {"hard", 'h', .link = "l/own"},
            {"l/own", 'f', .content = "55555"},
            {0},
        },
        &tar);
    assert_true(add(&tar, NULL, &info, NULL));
    _cleanup_free_ char *layer = layer_path(store, info.diff_id);
    assert_content(layer, "x", "file");
    assert_content(layer, "z/in", "22");
    assert_int_equal(status_of(layer, "z").st_mtim.tv_sec, 77);
    assert_true(S_ISLNK(status_of(layer, "w").st_mode));
    assert_content(layer, "t/in", "333");
    assert_missing(layer, "l/in");
    assert_content(layer, "l/own", "55555");
    assert_content(layer, "hard", "4444");
    assert_int_equal(info.size, 4 + 2 + 1 + 3 + 5 + 4); /* files, and the length of the link w */
    layer_info_release(&info);
}

static void test_broken(void **state)
{
    _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT, zipped = STRBUF_INIT, text = STRBUF_INIT;
    _cleanup_free_ char *content = xmalloc(100001);
    for (size_t i = 0; i < 100000; i++)
        content[i] = (char)('a' + i * i % 23);
    content[100000] = '\0';
    tar_build((const struct tar_entry[]){{"f", 'f', .content = content}, {"g", 'f', .content = "1"}, {0}}, &tar);
    tar_compress(&tar, "gzip", &zipped);
    strbuf_add_string(&text, "this is no tar at all, but longer than a header: ");
    for (int i = 0; i < 100; i++)
        strbuf_add_string(&text, "0123456789");
    refuse_bytes(&text, "archive/tar: invalid tar header");
    size_t whole = zipped.length;
    zipped.data[whole - 6] ^= 1;
    refuse_bytes(&zipped, "gzip: invalid checksum");
    zipped.data[whole - 6] ^= 1;
    zipped.length = whole - 4;
    refuse_bytes(&zipped, "unexpected EOF");
    zipped.length = whole / 2;
    refuse_bytes(&zipped, "unexpected EOF");
    for (size_t length = 700; length < 100000; length += 9973) {
        tar.length = length;
        refuse_bytes(&tar, "unexpected EOF");
    }
    refuse_entries((const struct tar_entry[]){{"f", 'f', .content = "1"}, {"f/g", 'f'}, {0}}, "not a directory");
    refuse_entries((const struct tar_entry[]){{"f", 'f', .xattr = "nosuch.x", .value = "1"}, {0}},
                   "lsetxattr nosuch.x /f");
    memset(content, 'n', 300);
    content[300] = '\0';
    refuse_entries((const struct tar_entry[]){{content, 'f'}, {0}}, "file name too long");
    for (size_t i = 1; i < 6000; i += 2) {
        content[i - 1] = 'd';
        content[i] = '/';
    }
    content[6000] = '\0';
    refuse_entries((const struct tar_entry[]){{content, 'd'}, {0}}, "file name too long");
    content[2000] = '\0';
    refuse_entries((const struct tar_entry[]){{content, 'd'}, {0}}, "folders deep");
    /* Nothing is left of all that. */
    assert_int_equal(count_names("tmp"), 0);
    assert_int_equal(count_names("layers"), 0);
    assert_int_equal(count_names("content/sha256"), 0);
}

static bool append_chunk(void *context, const void *data, size_t length)
{
    return strbuf_add(context, data, length);
}

static void test_compressions(void **state)
{
    static const struct {
        const char *filter, *media_type;
        enum compression compression;
    } cases[] = {
        {NULL, "application/vnd.oci.image.layer.v1.tar", COMPRESSION_NONE},
        {"gzip", "application/vnd.oci.image.layer.v1.tar+gzip", COMPRESSION_GZIP},
        {"zstd", "application/vnd.oci.image.layer.v1.tar+zstd", COMPRESSION_ZSTD},
        {"xz", "application/vnd.oci.image.layer.v1.tar", COMPRESSION_XZ},
        {"bzip2", "application/vnd.oci.image.layer.v1.tar", COMPRESSION_BZIP2},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        set_up(NULL);
        _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT, bytes = STRBUF_INIT, again = STRBUF_INIT;
        tar_build((const struct tar_entry[]){{"a", 'f', .content = "one"}, {"b/c", 'f', .content = "two"}, {0}}, &tar);
        strbuf_add(&tar, "\0\0trailing", 10); /* bytes behind the archive belong to the layer */
        if (cases[i].filter)
            tar_compress(&tar, cases[i].filter, &bytes);
        else
            strbuf_add(&bytes, tar.data, tar.length);
        _cleanup_free_ char *diff_id = NULL;
        assert_true(blob_put(store, tar.data, tar.length, &diff_id, NULL));
        struct layer_info info = {0};
        struct error err = ERROR_INIT;
        /* In tiny pieces, as a slow connection brings them. */
        struct memory_stream stream = {.data = bytes.data, .length = bytes.length, .chunk = 7};
        if (!layer_add(store, memory_read, &stream, diff_id, &info, &err))
            fail_msg("%s: %s", string_or_empty(cases[i].filter), error_message(&err));
        assert_string_equal(info.diff_id, diff_id);
        assert_string_equal(info.media_type, cases[i].media_type);
        int64_t size;
        int fd = blob_open(store, info.blob_digest, &size, NULL);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(size, info.blob_size);
        assert_true(layer_write_tar(store, diff_id, append_chunk, &again, NULL));
        assert_int_equal(again.length, tar.length);
        assert_memory_equal(again.data, tar.data, tar.length);
        assert_true(layer_tar_size(store, diff_id, &size, NULL));
        assert_int_equal(size, tar.length);
        layer_info_release(&info);
        tear_down(NULL);
    }
    set_up(NULL);
}

static void test_gzip_members(void **state)
{
    _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT, first = STRBUF_INIT, second = STRBUF_INIT, bytes = STRBUF_INIT;
    tar_build((const struct tar_entry[]){{"a", 'f', .content = "one"}, {"b", 'f', .content = "two"}, {0}}, &tar);
    struct strbuf head = {.data = tar.data, .length = 700};
    struct strbuf tail = {.data = tar.data + 700, .length = tar.length - 700};
    tar_compress(&head, "gzip", &first);
    tar_compress(&tail, "gzip", &second);
    strbuf_add(&bytes, first.data, first.length);
    strbuf_add(&bytes, second.data, second.length);
    strbuf_add(&bytes, "garbage", 7); /* ignored, as gzip and Docker do, but part of the blob */
    for (size_t chunk = 1; chunk < 40; chunk += 3) {
        struct memory_stream stream = {.data = bytes.data, .length = bytes.length, .chunk = chunk};
        struct decompressor *decompressor = decompressor_open(memory_read, &stream, NULL);
        char out[16384];
        assert_int_equal(decompressor_read(decompressor, out, sizeof(out), NULL), tar.length);
        assert_memory_equal(out, tar.data, tar.length);
        decompressor_close(decompressor);
    }
    struct layer_info info = {0};
    assert_true(add(&bytes, NULL, &info, NULL));
    assert_int_equal(info.blob_size, bytes.length);
    layer_info_release(&info);
}

static void test_identity(void **state)
{
    _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT, zipped = STRBUF_INIT, empty = STRBUF_INIT;
    tar_build((const struct tar_entry[]){{"a", 'f', .content = "one"}, {0}}, &tar);
    tar_compress(&tar, "gzip", &zipped);
    struct layer_info first = {0}, second = {0}, third = {0}, nothing = {0};
    assert_true(add(&tar, NULL, &first, NULL));
    assert_true(add(&zipped, NULL, &second, NULL)); /* the same layer in another dress */
    assert_true(add(&zipped, first.diff_id, &third, NULL));
    assert_string_equal(first.diff_id, second.diff_id);
    assert_string_equal(first.blob_digest, second.blob_digest);
    assert_string_equal(first.blob_digest, third.blob_digest);
    assert_int_equal(count_names("layers"), 1);
    assert_int_equal(count_names("content/sha256"), 1);
    assert_int_equal(count_names("tmp"), 0);
    assert_true(layer_exists(store, first.diff_id));
    struct error err = ERROR_INIT;
    assert_true(add(&empty, NULL, &nothing, NULL)); /* no bytes: no files */
    assert_false(add(&zipped, nothing.diff_id, &third, &err));
    assert_non_null(strstr(error_message(&err), "wrong diff id"));
    error_release(&err);
    layer_info_release(&nothing);
    layer_info_release(&first);
    layer_info_release(&second);
    layer_info_release(&third);
}

static void execute(const char *sql, const char *text)
{
    assert_true(database_begin(store->database, DURABLE, NULL));
    struct error err = ERROR_INIT;
    sqlite3_stmt *statement = database_statement(store->database, sql, &err);
    if (!statement)
        fail_msg("%s", error_message(&err));
    sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    assert_int_equal(database_step(store->database, statement, NULL), 0);
    assert_true(database_end(store->database, true, NULL));
}

static void test_collection(void **state)
{
    static const struct tar_entry entries[][2] = {
        {{"a", 'f', .content = "1"}}, {{"b", 'f', .content = "2"}}, {{"c", 'f', .content = "3"}}};
    struct layer_info info[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT;
        tar_build(entries[i], &tar);
        assert_true(add(&tar, NULL, &info[i], NULL));
    }
    _cleanup_free_ char *config = NULL, *other = NULL;
    assert_true(blob_put(store, "{}", 2, &config, NULL));
    assert_true(blob_put(store, "other", 5, &other, NULL));
    execute("INSERT INTO images (id, config) VALUES (?, '{}')", config);
    execute("INSERT INTO image_layers SELECT id, 0, ? FROM images", info[0].diff_id);
    execute("INSERT INTO container_layers VALUES ('c1', ?)", info[1].diff_id);
    assert_true(layer_collect(store, NULL)); /* put off: the store is held */
    assert_int_equal(count_names("layers"), 3);
    store_release(store);
    assert_int_equal(count_names("layers"), 2);
    assert_false(layer_exists(store, info[2].diff_id));
    assert_int_equal(count_names("content/sha256"), 3); /* two layers, one config */
    assert_int_equal(count_names("tmp"), 0);

    /* Leftovers of a crash go at the next start; what is referred to stays. */
    store_close(store);
    _cleanup_free_ char *leftover = path_join(folder, "layers/0123"), *half = path_join(folder, "tmp/layer-7/a/b");
    assert_true(directory_make(leftover, 0755, NULL) && directory_make(half, 0755, NULL));
    store = store_open(folder, NULL);
    assert_non_null(store);
    assert_int_equal(count_names("layers"), 2);
    assert_int_equal(count_names("tmp"), 0);
    assert_true(layer_exists(store, info[0].diff_id) && layer_exists(store, info[1].diff_id));

    assert_true(container_layer_create(store, "c1", NULL));
    assert_int_equal(status_of(folder, "containers/c1/upper").st_mode, S_IFDIR | 0755);
    assert_true(container_layer_remove(store, "c1", NULL));
    assert_missing(folder, "containers/c1");
    execute("DELETE FROM images WHERE id = ?", config);
    assert_true(container_layer_create(store, "c2", NULL));
    assert_false(container_layer_create(store, "../c2", NULL));
    assert_true(layer_collect(store, NULL));
    assert_int_equal(count_names("layers"), 0);
    assert_int_equal(count_names("content/sha256"), 0);
    store_hold(store);
    for (size_t i = 0; i < 3; i++)
        layer_info_release(&info[i]);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    umask(077); /* modes must not depend on it */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_blobs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_kind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_whiteouts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_escapes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replacement, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broken, set_up, tear_down),
        cmocka_unit_test_teardown(test_compressions, tear_down),
        cmocka_unit_test_setup_teardown(test_gzip_members, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_identity, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_collection, set_up, tear_down),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tree_remove(AT_FDCWD, folder, NULL);
    return failed;
}
