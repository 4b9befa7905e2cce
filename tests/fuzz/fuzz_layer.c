/* Feeds broken layers to the unpacker and watches that nothing outside of its folder changes. Two ways to run it:

       fuzz_layer [rounds [seed]]    mutates tars of its own, the same ones for the same seed; a unit test runs this
       clang -DWITH_LIBFUZZER -fsanitize=fuzzer,address …    libFuzzer drives it

   Sanitizers make it worth more. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../unit/store/tar_builder.h"
#include "base/file.h"
#include "base/memory.h"
#include "mutate.h"
#include "store/decompress.h"
#include "store/extract.h"

static char folder[] = "/tmp/fuzz-layer-XXXXXX";
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
    struct decompressor *decompressor;
    char buffer[4096];
};

static ssize_t next_bytes(void *context, const void **data)
{
    struct source *source = context;
    *data = source->buffer;
    return decompressor_read(source->decompressor, source->buffer, sizeof(source->buffer), NULL);
}

static void unpack(const char *data, size_t length)
{
    struct memory_stream stream = {.data = data, .length = length, .chunk = 1000};
    struct source source = {.decompressor = decompressor_open(memory_read, &stream, NULL)};
    if (!source.decompressor || mkdir(root, 0755) < 0)
        abort();
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int64_t size;
    extract_tar(fd, next_bytes, &source, &size, NULL);
    close(fd);
    decompressor_close(source.decompressor);
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
    unpack((const char *)data, length);
    return 0;
}
#else
/* Names that point at each other, so that mutations of types and targets meet. */
static void build_seed(struct strbuf *tar)
{
    static const char *const names[] = {
        "a",        "b",  "a/b",    "a/b/c",   "../victim",        "/a/../../victim", "b/.wh.a", "a/.wh..wh..opq",
        "a/.wh...", "..", "b/../a", "./a/./b", "a/../../../root/b"};
    static const char *const links[] = {"a", "/", "..", "../..", "../victim", "/proc/self/root", "a/b", "b"};
    static const char types[] = "fdlhcbp";
    struct tar_entry entries[9] = {0};
    for (size_t i = 0; i < 8; i++) {
        entries[i] = (struct tar_entry){.name = names[draw(ARRAY_SIZE(names))],
                                        .type = types[draw(sizeof(types) - 1)],
                                        .content = "content",
                                        .link = links[draw(ARRAY_SIZE(links))],
                                        .mode = (mode_t)draw(010000),
                                        .uid = (int64_t)draw(3),
                                        .major = 1,
                                        .minor = 3};
        if (draw(8) == 0)
            entries[i].xattr = "user.x", entries[i].value = "v";
        if (draw(16) == 0)
            entries[i].sparse_size = 8192;
    }
    tar_build(entries, tar);
}

static void set_checksum(char *header)
{
    unsigned sum = 0;
    memset(header + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
}

int main(int argc, char **argv)
{
    static const char *const filters[] = {"gzip", "zstd", "xz", "bzip2"};
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 500;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    prepare();
    for (unsigned long round = 0; round < rounds; round++) {
        _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT, packed = STRBUF_INIT;
        build_seed(&tar);
        for (size_t i = draw(6); i; i--) {
            size_t block = draw(tar.length / 512) * 512;
            tar.data[block + draw(512)] = (char)draw(256);
            /* Half of the mutations are of headers that still pass for one. */
            if (draw(2) && memcmp(tar.data + block + 257, "ustar", 5) == 0)
                set_checksum(tar.data + block);
        }
        if (draw(4)) {
            unpack(tar.data, draw(8) ? tar.length : draw(tar.length));
            continue;
        }
        tar_compress(&tar, filters[draw(ARRAY_SIZE(filters))], &packed);
        for (size_t i = draw(3); i; i--)
            packed.data[draw(packed.length)] = (char)draw(256);
        unpack(packed.data, packed.length);
    }
    tree_remove(AT_FDCWD, folder, NULL);
    free(root);
    free(victim);
    return 0;
}
#endif
