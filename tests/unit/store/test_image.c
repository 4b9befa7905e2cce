/* Images: names, removal, import, and archives there and back; bad archives leave nothing behind. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/digest.h"
#include "store/image_json.h"
#include "tar_builder.h"
#include "json/json_record.h"

struct fixture {
    char root[64], other_root[64];
    struct store *store, *other;
};

static int set_up(void **state)
{
    struct fixture *fixture = NEW(struct fixture);
    struct {
        char *root;
        struct store **store;
    } places[] = {{fixture->root, &fixture->store}, {fixture->other_root, &fixture->other}};
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        snprintf(places[i].root, sizeof(fixture->root), "/tmp/test-image-XXXXXX");
        assert_non_null(mkdtemp(places[i].root));
        *places[i].store = store_open(places[i].root, NULL);
        assert_non_null(*places[i].store);
    }
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    store_close(fixture->store);
    store_close(fixture->other);
    assert_true(tree_remove(-100, fixture->root, NULL));
    assert_true(tree_remove(-100, fixture->other_root, NULL));
    free(fixture);
    return 0;
}

static size_t count_names(const char *root, const char *folder)
{
    _cleanup_free_ char *path = path_join(root, folder);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void expect_empty(struct fixture *fixture)
{
    struct image *images;
    size_t count;
    assert_true(image_list(fixture->store, &images, &count, NULL));
    assert_int_equal(count, 0);
    free(images);
    assert_int_equal(count_names(fixture->root, "layers"), 0);
    assert_int_equal(count_names(fixture->root, "content/sha256"), 0);
    assert_int_equal(count_names(fixture->root, "tmp"), 0);
}

struct user {
    const char *container;
    bool is_running;
};

static char *user_of(void *context, const char *image_id _unused_, bool *is_running)
{
    const struct user *user = context;
    *is_running = user->is_running;
    return xstrdup(user->container);
}

/* The lines that `rmi` prints, or its message. */
static char *removed(struct store *store, const char *reference, bool is_forced, struct user user)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    struct image_removal *removals;
    size_t count;
    if (!image_remove(store, reference, is_forced, false, user_of, &user, &removals, &count, &err))
        return xstrdup(error_message(&err));
    _cleanup_strlist_ struct strlist lines = {0};
    for (size_t i = 0; i < count; i++)
        strlist_addf(&lines, "%s: %.15s", removals[i].is_deletion ? "Deleted" : "Untagged", removals[i].what);
    image_removals_free(removals, count);
    return strlist_join(&lines, "\n");
}

/* An image of one file with the content given; its id, which the caller frees. */
static char *import(struct store *store, const char *name, const char *content, const char *change)
{
    _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT;
    const struct tar_entry entries[] = {{"file", 'f', content}, {NULL}};
    tar_build(entries, &tar);
    struct memory_stream stream = {tar.data, tar.length, 0};
    struct import_options options = {.repository = name};
    if (change)
        strlist_add(&options.changes, change);
    struct error err = ERROR_INIT;
    char *id = NULL;
    if (!store_import(store, memory_read, &stream, &options, &id, &err))
        fail_msg("import: %s", error_message(&err));
    strlist_release(&options.changes);
    return id;
}

static bool add_to(void *context, const void *data, size_t length)
{
    return strbuf_add(context, data, length);
}

static char *load(struct store *store, const struct strbuf *archive)
{
    struct error err = ERROR_INIT;
    struct memory_stream stream = {archive->data, archive->length, 1000};
    _cleanup_strlist_ struct strlist messages = {0};
    if (!store_load(store, memory_read, &stream, &messages, &err)) {
        char *message = xstrdup(error_message(&err));
        error_release(&err);
        return message;
    }
    return strlist_join(&messages, "\n");
}

static void save_into(struct store *store, const char *reference, struct strbuf *out)
{
    struct error err = ERROR_INIT;
    _cleanup_strlist_ struct strlist references = strlist_split(reference, ' ');
    if (!store_save(store, &references, add_to, out, &err))
        fail_msg("save: %s", error_message(&err));
}

static void there_and_back(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_free_ char *a = import(fixture->store, "a:one", "same", "CMD [\"x\"]");
    _cleanup_free_ char *b = import(fixture->store, "host:5000/b", "other", NULL);
    assert_true(image_tag(fixture->store, "a:one", "a", "two", NULL));

    static const char *const filters[] = {NULL, "gzip", "zstd", "xz", "bzip2"};
    _cleanup_strbuf_ struct strbuf archive = STRBUF_INIT, again = STRBUF_INIT;
    save_into(fixture->store, "a host:5000/b", &archive);
    save_into(fixture->store, "a host:5000/b", &again);
    assert_int_equal(archive.length, again.length);
    assert_memory_equal(archive.data, again.data, archive.length);
    for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
        _cleanup_strbuf_ struct strbuf compressed = STRBUF_INIT;
        if (filters[i])
            tar_compress(&archive, filters[i], &compressed);
        _cleanup_free_ char *messages = load(fixture->other, filters[i] ? &compressed : &archive);
        assert_string_equal(messages, "Loaded image: a:one\nLoaded image: a:two\nLoaded image: host:5000/b:latest");
    }
    _cleanup_image_ struct image image = {0};
    assert_true(image_get(fixture->other, "a:two", &image, NULL));
    assert_string_equal(image.id, a);
    assert_string_equal(image.parsed.config.cmd.items[0], "x");
    assert_int_equal(image.repo_tags.count, 2);

    /* An id saves no name. */
    _cleanup_strbuf_ struct strbuf unnamed = STRBUF_INIT;
    save_into(fixture->store, b, &unnamed);
    _cleanup_free_ char *messages = load(fixture->other, &unnamed);
    _cleanup_free_ char *expected = xasprintf("Loaded image ID: %s", b);
    assert_string_equal(messages, expected);
}

static void tag_moves(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_free_ char *a = import(fixture->store, "a", "1", NULL);
    _cleanup_free_ char *b = import(fixture->other, "a", "2", NULL);
    _cleanup_strbuf_ struct strbuf archive = STRBUF_INIT;
    save_into(fixture->other, "a", &archive);
    _cleanup_free_ char *messages = load(fixture->store, &archive);
    _cleanup_free_ char *expected =
        xasprintf("The image a:latest already exists, renaming the old one with ID %s to empty string\n"
                  "Loaded image: a:latest",
                  a);
    assert_string_equal(messages, expected);
    _cleanup_image_ struct image old = {0};
    assert_true(image_get(fixture->store, a, &old, NULL));
    assert_int_equal(old.repo_tags.count, 0);
}

static void expect_missing(struct store *store, const char *reference, const char *message)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    struct image image;
    assert_false(image_get(store, reference, &image, &err));
    assert_string_equal(error_message(&err), message);
}

static void look_up(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_free_ char *id = import(fixture->store, "a:t", "1", NULL);
    const char *const found[] = {"a:t", "docker.io/library/a:t", id, id + 7};
    for (size_t i = 0; i < ARRAY_SIZE(found); i++) {
        _cleanup_image_ struct image image = {0};
        assert_true(image_get(fixture->store, found[i], &image, NULL));
        assert_string_equal(image.id, id);
    }
    _cleanup_free_ char *prefix = xstrndup(id + 7, 12);
    _cleanup_image_ struct image image = {0};
    assert_true(image_get(fixture->store, prefix, &image, NULL));
    expect_missing(fixture->store, "a", "No such image: a:latest");
    expect_missing(fixture->store, "docker.io/nope", "No such image: nope:latest");
    expect_missing(fixture->store, "sha256:00", "No such image: sha256:00");
    expect_missing(fixture->store, "A", "invalid reference format: repository name (library/A) must be lowercase");
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_false(image_tag(fixture->store, "a:t", "sha256", "x", &err));
    assert_string_equal(error_message(&err), "refusing to create an ambiguous tag using digest algorithm as name");
}

static void expect_removed(struct store *store, const char *reference, bool is_forced, struct user user,
                           const char *expected)
{
    _cleanup_free_ char *actual = removed(store, reference, is_forced, user);
    assert_string_equal(actual, expected);
}

static void removal_rules(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    const struct user none = {NULL, false}, stopped = {"0123456789abcdef", false}, running = {"0123456789abcdef", true};
    _cleanup_free_ char *id = import(store, "a:one", "1", NULL);
    _cleanup_image_ struct image image = {0};
    assert_true(image_get(store, id, &image, NULL));
    _cleanup_free_ char *short_id = xstrndup(id + 7, 12);
    assert_true(image_tag(store, id, "a", "two", NULL));

    _cleanup_free_ char *many = xasprintf(
        "conflict: unable to delete %s (must be forced) - image is referenced in multiple repositories", short_id);
    expect_removed(store, id, false, none, many);
    expect_removed(store, "a:two", false, running, "Untagged: a:two");
    _cleanup_free_ char *named =
        xasprintf("conflict: unable to remove repository reference \"a:one\" (must force) - container 0123456789ab is "
                  "using its referenced image %s",
                  short_id);
    expect_removed(store, "a:one", false, stopped, named);
    _cleanup_free_ char *is_stopped = xasprintf(
        "conflict: unable to delete %s (must be forced) - image is being used by stopped container 0123456789ab",
        short_id);
    expect_removed(store, id, false, stopped, is_stopped);
    _cleanup_free_ char *is_running = xasprintf(
        "conflict: unable to delete %s (cannot be forced) - image is being used by running container 0123456789ab",
        short_id);
    expect_removed(store, id, true, running, is_running);
    expect_removed(store, "a:one", true, running, "Untagged: a:one");
    expect_removed(store, "a:one", false, none, "No such image: a:one");
    _cleanup_free_ char *lines = xasprintf("Deleted: %.15s\nDeleted: %.15s", id, image.parsed.rootfs.diff_ids.items[0]);
    expect_removed(store, id, true, stopped, lines);
    expect_empty(fixture);
}

/* Two images on one layer: only the last of them takes the layer along. */
static void shared_layers(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_free_ char *a = import(fixture->store, "a", "same", NULL);
    _cleanup_free_ char *b = import(fixture->store, "b", "same", "ENV x=y");
    assert_int_equal(count_names(fixture->root, "layers"), 1);
    const struct user none = {NULL, false};
    _cleanup_free_ char *first = xasprintf("Untagged: a:latest\nDeleted: %.15s", a);
    expect_removed(fixture->store, "a", false, none, first);
    assert_int_equal(count_names(fixture->root, "layers"), 1);
    _cleanup_free_ char *second = removed(fixture->store, "b", false, none);
    assert_non_null(strstr(second, "Deleted"));
    expect_empty(fixture);
}

/* --- crafted archives --- */

static char *digest_of(const void *data, size_t length)
{
    struct digester *digester = digester_new();
    digester_add(digester, data, length);
    char *digest = digester_finish(digester);
    digester_free(digester);
    return digest;
}

static void bad_archives(void **state)
{
    struct fixture *fixture = *state;
    const char *layer = "not a tar, but the diff id is all that is looked at first";
    _cleanup_free_ char *diff_id = digest_of("x", 1);
    _cleanup_free_ char *config = xasprintf(
        "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
        diff_id);
    _cleanup_free_ char *digest = digest_of(config, strlen(config));
    _cleanup_free_ char *blob = xasprintf("blobs/sha256/%s", digest + 7);
    _cleanup_free_ char *good = xasprintf("[{\"Config\":\"%s\",\"RepoTags\":[\"a:b\"],\"Layers\":[\"l\"]}]", blob);
    _cleanup_free_ char *missing = xasprintf("[{\"Config\":\"%s\",\"Layers\":[\"gone\"]}]", blob);
    _cleanup_free_ char *fewer = xasprintf("[{\"Config\":\"%s\",\"Layers\":[]}]", blob);
    _cleanup_free_ char *bad_tag = xasprintf("[{\"Config\":\"%s\",\"RepoTags\":[\"a\"],\"Layers\":[\"l\"]}]", blob);
    _cleanup_free_ char *loop = xasprintf("[{\"Config\":\"%s\",\"Layers\":[\"loop\"]}]", blob);
    const struct {
        const char *manifest, *config, *message;
    } rows[] = {
        {"{}", config, "json: cannot unmarshal object into Go value of type []tarexport.manifestItem"},
        {"null", config, "invalid manifest, manifest cannot be null (but can be [])"},
        {"[{\"Config\":\"nope\",\"Layers\":[]}]", config, "open nope: no such file or directory"},
        {"[{\"Config\":\"../../../etc/passwd\",\"Layers\":[]}]", config,
         "open ../../../etc/passwd: no such file or directory"},
        {fewer, config, "invalid manifest, layers length mismatch: expected 0, got 1"},
        {bad_tag, config, "invalid tag \"a\""},
        {missing, config, "open gone: no such file or directory"},
        {loop, config, "open loop: no such file or directory"},
        {good, "{\"os\":\"linux\"}", NULL},
        {good, config, NULL},
        {"[{\"Config\":\"w\",\"Layers\":[]}]", config, "cannot load windows image on linux"},
        {"[{\"Config\":\"n\",\"Layers\":[]}]", config, "invalid image JSON, no RootFS key"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct tar_entry entries[] = {
            {"l", 'f', layer},
            {"loop", 'l', NULL, "loop"},
            {"w", 'f', "{\"os\":\"windows\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}"},
            {"n", 'f', "{\"os\":\"linux\"}"},
            {blob, 'f', rows[i].config},
            {"manifest.json", 'f', rows[i].manifest},
            {NULL},
        };
        _cleanup_strbuf_ struct strbuf archive = STRBUF_INIT;
        tar_build(entries, &archive);
        _cleanup_free_ char *message = load(fixture->store, &archive);
        if (rows[i].message)
            assert_string_equal(message, rows[i].message);
        assert_null(strstr(message, "Loaded"));
        expect_empty(fixture);
    }
}

static void cut_archives(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_free_ char *id = import(fixture->other, "a", "content", NULL);
    _cleanup_strbuf_ struct strbuf archive = STRBUF_INIT, compressed = STRBUF_INIT;
    save_into(fixture->other, "a", &archive);
    tar_compress(&archive, "gzip", &compressed);
    strbuf_truncate(&compressed, compressed.length / 2);
    _cleanup_free_ char *half = load(fixture->store, &compressed);
    assert_string_equal(half, "unexpected EOF");
    expect_empty(fixture);
    for (size_t length = archive.length - 1024; length > 600; length = length > 2000 ? length - 1111 : length - 300) {
        struct strbuf cut = {.data = archive.data, .length = length};
        _cleanup_free_ char *message = load(fixture->store, &cut);
        if (strstr(message, "Loaded")) { /* only the tables of the other form of archive were lost */
            _cleanup_free_ char *lines = removed(fixture->store, id, true, (struct user){NULL, false});
            assert_non_null(strstr(lines, "Deleted"));
        }
        expect_empty(fixture);
    }
}

/* layer.tar of a legacy archive may be a link to another layer's. */
static void legacy_archive(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_strbuf_ struct strbuf layer = STRBUF_INIT, archive = STRBUF_INIT;
    const struct tar_entry files[] = {{"file", 'f', "x"}, {NULL}};
    tar_build(files, &layer);
    char a[65], b[65];
    memset(a, 'a', 64);
    memset(b, 'b', 64);
    a[64] = b[64] = '\0';
    _cleanup_free_ char *a_json = xasprintf("%s/json", a), *a_layer = xasprintf("%s/layer.tar", a);
    _cleanup_free_ char *b_json = xasprintf("%s/json", b), *b_layer = xasprintf("%s/layer.tar", b);
    _cleanup_free_ char *target = xasprintf("../%s/layer.tar", a);
    _cleanup_free_ char *repositories = xasprintf("{\"old\":{\"tag\":\"%s\"}}", b);
    _cleanup_free_ char *top = xasprintf("{\"id\":\"%s\",\"parent\":\"%s\",\"os\":\"linux\",\"architecture\":\"amd64\","
                                         "\"config\":{\"Cmd\":[\"y\"]},\"container_config\":{\"Cmd\":[\"a\",\"b\"]}}",
                                         b, a);
    const struct tar_entry entries[] = {
        {"repositories", 'f', repositories}, {b_json, 'f', top},           {b_layer, 'l', NULL, target},
        {a_json, 'f', "{\"os\":\"linux\"}"}, {a_layer, 'f', "ten zeroes"}, {NULL},
    };
    tar_build(entries, &archive);
    /* The tar of an empty layer cannot be a C string: an empty one is enough, two blocks of zeroes are understood too.
     */
    _cleanup_free_ char *refused = load(fixture->store, &archive);
    assert_null(strstr(refused, "Loaded"));
    expect_empty(fixture);

    _cleanup_strbuf_ struct strbuf good = STRBUF_INIT;
    const struct tar_entry with_empty[] = {entries[0], entries[1], entries[2], entries[3], {a_layer, 'f', ""}, {NULL}};
    tar_build(with_empty, &good);
    _cleanup_free_ char *loaded = load(fixture->store, &good);
    assert_string_equal(loaded, "Loaded image: old:tag");
    _cleanup_image_ struct image image = {0};
    assert_true(image_get(fixture->store, "old:tag", &image, NULL));
    assert_int_equal(image.parsed.rootfs.diff_ids.count, 2);
    assert_string_equal(image.parsed.config.cmd.items[0], "y");
    assert_string_equal(RECORD_AT(image.parsed.history, struct image_history, 1)->created_by, "a b");
}

static size_t listed(struct store *store, const char *filters)
{
    struct image_list_options options = {.filters = filters, .version = 150};
    struct error err = ERROR_INIT;
    _cleanup_json_ json_t *list = image_list_json(store, &options, &err);
    if (!list)
        fail_msg("%s: %s", filters, error_message(&err));
    return json_array_size(list);
}

static void list_filters(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    _cleanup_free_ char *a = import(store, "a/b:one", "1", "LABEL x=y");
    _cleanup_free_ char *b = import(store, "b:two", "2", NULL);
    _cleanup_free_ char *c = import(store, NULL, "3", NULL);
    assert_int_equal(listed(store, NULL), 3);
    assert_int_equal(listed(store, "{\"dangling\":{\"true\":true}}"), 1);
    assert_int_equal(listed(store, "{\"dangling\":[\"false\"]}"), 2);
    assert_int_equal(listed(store, "{\"label\":[\"x\"]}"), 1);
    assert_int_equal(listed(store, "{\"label\":[\"x=z\"]}"), 0);
    assert_int_equal(listed(store, "{\"reference\":[\"b\"]}"), 1);
    assert_int_equal(listed(store, "{\"reference\":[\"*\"]}"), 1);
    assert_int_equal(listed(store, "{\"reference\":[\"*/*:o?e\"]}"), 1);
    assert_int_equal(listed(store, "{\"reference\":[\"b:t[v-x]o\",\"a/b\"]}"), 2);
    assert_int_equal(listed(store, "{\"before\":[\"b:two\"]}"), 1);
    assert_int_equal(listed(store, "{\"since\":[\"b:two\"]}"), 1);
    assert_int_equal(listed(store, "{\"until\":[\"1h\"]}"), 0);
    static const struct {
        const char *filters, *message;
    } bad[] = {
        {"{\"foo\":[\"x\"]}", "invalid filter 'foo'"},
        {"{\"dangling\":[\"x\"]}", "invalid filter 'dangling=[x]'"},
        {"{\"before\":[\"nope\"]}", "No such image: nope:latest"},
        {"{\"reference\":[\"[x\"]}", "syntax error in pattern"},
        {"{bad", "invalid filter"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        _cleanup_error_ struct error err = ERROR_INIT;
        struct image_list_options options = {.filters = bad[i].filters, .version = 150};
        assert_null(image_list_json(store, &options, &err));
        assert_string_equal(error_message(&err), bad[i].message);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(there_and_back), TEST(tag_moves),    TEST(look_up),        TEST(removal_rules), TEST(shared_layers),
        TEST(bad_archives),   TEST(cut_archives), TEST(legacy_archive), TEST(list_filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
