/* A layer whose folder was lost is made again from its blob. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/decompress.h"
#include "store/digest.h"
#include "store/extract.h"
#include "store/internal.h"
#include "store/spool.h"

#define BUFFER_SIZE ((size_t)256 << 10)

struct source {
    struct decompressor *decompressor;
    struct digester *digester;
    char *buffer;
    struct error *err;
};

static ssize_t read_source(void *context, const void **data)
{
    struct source *source = context;
    ssize_t n = decompressor_read(source->decompressor, source->buffer, BUFFER_SIZE, source->err);
    if (n > 0)
        digester_add(source->digester, source->buffer, (size_t)n);
    *data = source->buffer;
    return n;
}

static bool unpack(struct store *store, const char *blob, const char *diff_id, const char *folder, struct error *err)
{
    _cleanup_close_ int fd = blob_open(store, blob, NULL, err);
    if (fd < 0)
        return false;
    _cleanup_close_ int root = openat(store->temporary, folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (root < 0)
        return error_errno(err, "open %s/tmp/%s", store->data_root, folder);
    _cleanup_(decompressor_closep) struct decompressor *decompressor = decompressor_open(read_descriptor, &fd, err);
    if (!decompressor)
        return false;
    struct error broken = ERROR_INIT;
    struct source source = {decompressor, digester_new(), xmalloc(BUFFER_SIZE), &broken};
    int64_t size;
    bool is_done = extract_tar(root, read_source, &source, &size, err);
    if (!is_done && broken.kind)
        error_move(err, &broken);
    error_release(&broken);
    _cleanup_free_ char *digest = is_done ? digester_finish(source.digester) : NULL;
    digester_free(source.digester);
    free(source.buffer);
    return is_done && (string_equal(digest, diff_id) ||
                       error_set(err, ERROR_INTERNAL, "the blob of layer %s holds another one: %s", diff_id, digest));
}

bool layer_unpack_again(struct store *store, const char *diff_id, struct error *err)
{
    struct layer_info info = {0};
    if (!layer_get(store, diff_id, &info, err))
        return false;
    _cleanup_free_ char *folder = store_temporary_name(store, "layer");
    bool is_done = (mkdirat(store->temporary, folder, 0755) == 0 && fchmodat(store->temporary, folder, 0755, 0) == 0) ||
                   error_errno(err, "mkdir %s/tmp/%s", store->data_root, folder);
    is_done = is_done && unpack(store, info.blob_digest, diff_id, folder, err) && store_sync(store, err);
    if (is_done && renameat(store->temporary, folder, store->layers, digest_hex(diff_id)) < 0 && errno != EEXIST &&
        errno != ENOTEMPTY)
        is_done = error_errno(err, "rename layer %s", diff_id);
    tree_remove(store->temporary, folder, NULL);
    layer_info_release(&info);
    return is_done;
}
