/* The model of compose. Each folder of cases/ holds compose.yaml (and what goes with it) and what docker compose 2.26.1
   prints for it (`config`), with the folder's own path as @DIR@. Messages about bad input are ours: they name the line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "compose/dotenv.h"
#include "compose/project.h"
#include "compose/shape.h"
#include "compose/template.h"
#include "compose/yaml_document.h"

static char *cases;

static char *with_directory(const char *text, const char *directory)
{
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    for (const char *at = text; *at;) {
        const char *mark = strstr(at, "@DIR@");
        size_t length = mark ? (size_t)(mark - at) : strlen(at);
        strbuf_add(&out, at, length);
        if (mark)
            strbuf_add_string(&out, directory);
        at += length + (mark ? strlen("@DIR@") : 0);
    }
    return strbuf_take(&out);
}

static void check_case(const char *name)
{
    _cleanup_free_ char *folder = path_join(cases, name), *expected_path = path_join(folder, "expected.yaml");
    _cleanup_strbuf_ struct strbuf expected = STRBUF_INIT, actual = STRBUF_INIT;
    assert_true(file_read(AT_FDCWD, expected_path, 1 << 20, &expected, NULL));
    _cleanup_free_ char *wanted = with_directory(strbuf_text(&expected), folder);
    assert_int_equal(chdir(folder), 0);
    struct project_options options = {0};
    _cleanup_project_ struct project project = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    if (!project_load(&options, &project, &err))
        fail_msg("%s: %s", name, error_message(&err));
    json_t *json = shape_project(project.root, FORM_YAML, true);
    yaml_write(json, &actual);
    json_decref(json);
    assert_string_equal(strbuf_text(&actual), wanted);
    /* What is printed means the same. */
    struct project_options again = {0};
    _cleanup_free_ char *copy = strdup("/tmp/wherry-compose-test.XXXXXX");
    int fd = mkstemp(copy);
    assert_true(fd >= 0 && write_full(fd, actual.data, actual.length) >= 0);
    close_fd(fd);
    strlist_add(&again.files, copy);
    again.directory = folder;
    _cleanup_project_ struct project second = {0};
    bool is_loaded = project_load(&again, &second, &err);
    unlink(copy);
    strlist_release(&again.files);
    if (!is_loaded)
        fail_msg("%s, read again: %s", name, error_message(&err));
    _cleanup_strbuf_ struct strbuf repeated = STRBUF_INIT;
    json = shape_project(second.root, FORM_YAML, true);
    yaml_write(json, &repeated);
    json_decref(json);
    assert_string_equal(strbuf_text(&repeated), strbuf_text(&actual));
}

static void resolves_as_docker_compose_does(void **state)
{
    setenv("HOME", "/home/someone", 1);
    DIR *folder = opendir(cases);
    assert_non_null(folder);
    int count = 0;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        check_case(entry->d_name);
        count++;
    }
    closedir(folder);
    assert_true(count >= 10);
}

/* The message for a document, in a folder of its own; "" where it is fine. Caller frees. */
static char *problem(const char *text)
{
    char folder[] = "/tmp/wherry-compose-test.XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_true(file_write_text(AT_FDCWD, "compose.yaml", text, 0644, NULL));
    struct project_options options = {0};
    struct project project = {0};
    struct error err = ERROR_INIT;
    project_load(&options, &project, &err);
    size_t length = strlen(folder);
    const char *message = error_message(&err);
    char *result = xstrdup(string_starts_with(message, folder) ? message + length + 1 : message);
    error_release(&err);
    project_release(&project);
    assert_int_equal(chdir("/"), 0);
    tree_remove(AT_FDCWD, folder, NULL);
    return result;
}

static void says_what_is_wrong_and_where(void **state)
{
    static const char *const table[][2] = {
        {"services:\n  aa:\n    image: x\n    porst: []\n",
         "compose.yaml:4: services.aa: Additional property porst is not allowed (did you mean ports?)"},
        {"services:\n  aa:\n    image: x\n    ports: {a: b}\n",
         "compose.yaml:4: services.aa.ports: must be a list, not a mapping"},
        {"services:\n  aa:\n    image: [x]\n", "compose.yaml:3: services.aa.image: must be a string, not a list"},
        {"services:\n  aa:\n    image: x\n    ports: [\"80:x\"]\n",
         "compose.yaml:4: services.aa.ports: invalid containerPort: x"},
        {"services:\n  aa:\n    image: x\n    ports: [80, 80]\n",
         "compose.yaml:4: services.aa.ports: array items[0,1] must be unique"},
        {"services:\n  aa:\n    image: ${NOT_THERE:?set it}\n",
         "compose.yaml:3: error while interpolating services.aa.image: required variable NOT_THERE is missing a value: "
         "set it"},
        {"services:\n  aa:\n    image: ${NOT\n",
         "compose.yaml:3: error while interpolating services.aa.image: invalid interpolation format.\nYou may need to "
         "escape any $ with another $.\n${NOT"},
        {"services:\n  aa:\n    image: x\n    depends_on: [bb]\n",
         "compose.yaml:4: service \"aa\" depends on undefined service \"bb\": invalid compose project"},
        {"services:\n  aa:\n    image: x\n    depends_on: [bb]\n  bb:\n    image: x\n    depends_on: [aa]\n",
         "compose.yaml:7: dependency cycle detected: aa -> bb -> aa"},
        {"services:\n  aa:\n    extends: bb\n  bb:\n    extends: aa\n", NULL},
        {"services:\n  aa:\n    command: x\n",
         "compose.yaml:3: service \"aa\" has neither an image nor a build context specified: invalid compose project"},
        {"services:\n  aa:\n    image: x\n    volumes: [\"data:/x\"]\n",
         "compose.yaml:4: service \"aa\" refers to undefined volume data: invalid compose project"},
        {"services:\n  aa:\n    image: x\n    mem_limit: lots\n",
         "compose.yaml:4: services.aa.mem_limit: invalid size: 'lots'"},
        {"services:\n  aa:\n    image: x\n    stop_grace_period: soon\n",
         "compose.yaml:4: services.aa.stop_grace_period: time: invalid duration \"soon\""},
        {"services:\n  aa: {image: x\n", NULL},
        {"services:\n  aa: *none\n", "compose.yaml:2: yaml: unknown anchor 'none' referenced"},
        {"services:\n  aa:\n    image: x\n    image: y\n",
         "compose.yaml:4: yaml: mapping key \"image\" already defined at line 3"},
        {"name: Bad Name\nservices: {aa: {image: x}}\n", NULL},
        {"include: [compose.yaml]\nservices: {aa: {image: x}}\n", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        _cleanup_free_ char *message = problem(table[i][0]);
        if (table[i][1])
            assert_string_equal(message, table[i][1]);
        else
            assert_true(*message != '\0');
    }
}

static void aliases_cannot_make_a_small_file_large(void **state)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    strbuf_add_string(&text, "x-a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++) {
        strbuf_addf(&text, "x-a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            strbuf_addf(&text, "%s*a%d", j ? ", " : "", i - 1);
        strbuf_add_string(&text, "]\n");
    }
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_null(yaml_parse("bomb.yaml", text.data, text.length, &err));
    assert_non_null(strstr(error_message(&err), "too large"));
}

static void expands_variables(void **state)
{
    static const char *const table[][2] = {
        {"$AA", "one"},
        {"${AA}", "one"},
        {"$$AA", "$AA"},
        {"${NO:-d}", "d"},
        {"${NO-d}", "d"},
        {"${EE:-d}", "d"},
        {"${EE-d}", ""},
        {"${AA:+r}", "r"},
        {"${EE:+r}", ""},
        {"${EE+r}", "r"},
        {"${NO+r}", ""},
        {"${NO:-${AA}-$$}", "one-$"},
        {"${NO:-${NO2:-x}}", "x"},
        {"a${AA}b$EE-c", "aoneb-c"},
        {"${AA:?no}", "one"},
        {"${NO:?no}", NULL},
        {"${", NULL},
        {"$", NULL},
        {"${A!}", NULL},
        {"$1", NULL},
    };
    _cleanup_strmap_ struct strmap map = {0};
    strmap_set(&map, "AA", "one");
    strmap_set(&map, "EE", "");
    struct variables variables = {.first = &map};
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_free_ char *text = template_expand(table[i][0], &variables, &err);
        if (table[i][1])
            assert_string_equal(text, table[i][1]);
        else
            assert_null(text);
    }
}

static void reads_files_of_variables(void **state)
{
    static const char text[] =
        "# comment\n\nAA=one\nexport BB = two words # comment\nCC='$AA # no'\nDD=\"$AA \\\"q\\\" \\$x\"\n"
        "EE: yaml\nFF=\nGG=\"two\nlines\"\nHH=${AA}-${NO:-d}\nII=a#b\nJJ\nKK=\\n\r\n";
    static const char *const table[][2] = {{"AA", "one"},          {"BB", "two words"}, {"CC", "$AA # no"},
                                           {"DD", "one \"q\" $x"}, {"EE", "yaml"},      {"FF", ""},
                                           {"GG", "two\nlines"},   {"HH", "one-d"},     {"II", "a#b"},
                                           {"JJ", "inherited"},    {"KK", "\\n"}};
    _cleanup_strmap_ struct strmap environment = {0}, out = {0};
    strmap_set(&environment, "JJ", "inherited");
    assert_true(dotenv_parse("x.env", text, &environment, &out, NULL));
    assert_int_equal(out.count, ARRAY_SIZE(table));
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        assert_string_equal(strmap_get(&out, table[i][0]), table[i][1]);
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_false(dotenv_parse("x.env", "AA=1\nBB='open\n", NULL, &out, &err));
    assert_string_equal(error_message(&err), "x.env:2: unterminated quoted value");
}

/* The label com.docker.compose.config-hash that docker compose 2.26.1 gives the same services. */
static void hashes_as_docker_compose_does(void **state)
{
    static const char text[] = "services:\n  c: {build: ./dir, network_mode: host}\n"
                               "  b: {image: y, pull_policy: always, deploy: {replicas: 2}}\n";
    char folder[] = "/tmp/wherry-compose-test.XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_true(file_write_text(AT_FDCWD, "compose.yaml", text, 0644, NULL));
    struct project_options options = {0};
    _cleanup_project_ struct project project = {0};
    assert_true(project_load(&options, &project, NULL));
    json_t *services = json_object_get(project.model, "services");
    _cleanup_free_ char *first = shape_hash(json_object_get(services, "c"));
    assert_string_equal(first, "415c9cd64124418fdde819c88bfa0eded89ae4082e71628c8a9d28e70a7a4d4a");
    assert_int_equal(chdir("/"), 0);
    tree_remove(AT_FDCWD, folder, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    cases = realpath(argv[1], NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolves_as_docker_compose_does),
        cmocka_unit_test(says_what_is_wrong_and_where),
        cmocka_unit_test(aliases_cannot_make_a_small_file_large),
        cmocka_unit_test(expands_variables),
        cmocka_unit_test(reads_files_of_variables),
        cmocka_unit_test(hashes_as_docker_compose_does),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(cases);
    return failed;
}
