/* Feeds broken tars to the reader and the unpacker of copies, and watches that nothing outside of the folder changes.

       fuzz_tar [rounds [seed]]      mutates tars of its own, the same ones for the same seed; a unit test runs this
       clang -DWITH_LIBFUZZER -fsanitize=fuzzer,address …    libFuzzer drives it

   Sanitizers make it worth more. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../unit/archive/raw_tar.h"
#include "archive/unpack.h"
#include "base/file.h"
#include "base/memory.h"
#include "mutate.h"

static char folder[] = "/tmp/fuzz-tar-XXXXXX";
static char *root, *victim;

static void prepare(void)
{
    if (!mkdtemp(folder))
        abort();
    root = path_join(folder, "root");
    victim = path_join(folder, "victim");
    if (!file_write_text(AT_FDCWD, victim, "untouched", 0600, NULL))
        abort();
}

static void check_outside(void)
{
    _cleanup_strbuf_ struct strbuf content = STRBUF_INIT;
    struct stat status, above;
    if (!file_read(AT_FDCWD, victim, 100, &content, NULL) || strcmp(strbuf_text(&content), "untouched") != 0 ||
        lstat(victim, &status) < 0 || status.st_nlink != 1 || (status.st_mode & 07777) != 0600 ||
        lstat(folder, &above) < 0 || above.st_nlink != 3) {
        fputs("something escaped\n", stderr);
        abort();
    }
}

struct source {
    const char *data;
    size_t length;
};

static ssize_t read_source(void *context, void *data, size_t length)
{
    struct source *source = context;
    size_t room = MIN(length, (size_t)1000), n = MIN(room, source->length);
    memcpy(data, source->data, n);
    source->data += n;
    source->length -= n;
    return (ssize_t)n;
}

/* A hole may be as large as its header says: only what fits is unpacked. */
#define LARGEST (1 << 20)

static bool is_small(const char *data, size_t length)
{
    struct source source = {data, length};
    struct tar_reader tar = {.read = read_source, .context = &source};
    _cleanup_tar_member_ struct tar_member member = {0};
    bool is_there, is_small = true;
    while (tar_reader_next(&tar, &member, &is_there, NULL) && is_there)
        is_small = is_small && member.size < LARGEST;
    return is_small;
}

static void run(const char *data, size_t length)
{
    if (!is_small(data, length))
        return;
    if (mkdir(root, 0755) < 0)
        abort();
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct source source = {data, length};
    struct tar_reader tar = {.read = read_source, .context = &source};
    const struct unpack_options options = {
        .root = fd, .folder = ".", .shown = "/", .keeps_owners = draw(2), .keeps_kinds = draw(2)};
    unpack(&tar, &options, NULL);
    close(fd);
    check_outside();
    if (!tree_remove(AT_FDCWD, root, NULL))
        abort();
}

#ifdef WITH_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    if (!root)
        prepare();
    run((const char *)data, length);
    return 0;
}
#else
static void add_records(struct strbuf *tar)
{
    static const char *const keys[] = {"path",
                                       "linkpath",
                                       "size",
                                       "uid",
                                       "mtime",
                                       "GNU.sparse.map",
                                       "GNU.sparse.name",
                                       "GNU.sparse.size",
                                       "GNU.sparse.major",
                                       "GNU.sparse.minor",
                                       "GNU.sparse.offset",
                                       "GNU.sparse.numbytes",
                                       "SCHILY.xattr.user.x"};
    static const char *const values[] = {"a", "../victim", "7", "0", "1", "3,4", "0,3,3,4", "40", "12.5", "", "a/b"};
    _cleanup_strbuf_ struct strbuf records = STRBUF_INIT;
    for (size_t i = 1 + draw(5); i; i--)
        raw_record(&records, keys[draw(ARRAY_SIZE(keys))], values[draw(ARRAY_SIZE(values))]);
    raw_pax(tar, &records);
}

static void build_seed(struct strbuf *tar)
{
    static const char *const names[] = {"a",  "b", "a/b",     "a/b/c", "../victim", "/a/../../victim",
                                        "..", ".", "./a/./b", "/"};
    static const char *const links[] = {"a", "/", "..", "../victim", "/proc/self/root", "a/b"};
    static const char types[] = {'0', '5', '1', '2', '3', '6', 'L', 'K', '\0', 'S', 'g'};
    static const char content[] = "2\n0\n3\n10\n4\ncontent of it";
    for (size_t i = 0; i < 8; i++) {
        if (draw(3) == 0)
            add_records(tar);
        size_t start = tar->length;
        raw_member(tar, names[draw(ARRAY_SIZE(names))], types[draw(sizeof(types))], content, draw(sizeof(content)));
        snprintf(tar->data + start + 157, 100, "%s", links[draw(ARRAY_SIZE(links))]);
        raw_sum(tar->data + start);
    }
    raw_end(tar);
}

int main(int argc, char **argv)
{
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    prepare();
    for (unsigned long round = 0; round < rounds; round++) {
        _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT;
        build_seed(&tar);
        for (size_t i = draw(6); i; i--) {
            size_t block = draw(tar.length / 512) * 512;
            tar.data[block + draw(512)] = (char)draw(256);
            /* Half of the mutations are of headers that still pass for one. */
            if (draw(2) && memcmp(tar.data + block + 257, "ustar", 5) == 0)
                raw_sum(tar.data + block);
        }
        run(tar.data, draw(8) ? tar.length : draw(tar.length));
    }
    tree_remove(AT_FDCWD, folder, NULL);
    free(root);
    free(victim);
    return 0;
}
#endif
