/* A layer that is made here is a folder already, and stays one: its tar is written twice at most, once into a digest
   and once when someone wants the bytes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "archive/pack.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/digest.h"
#include "store/internal.h"

struct adoption {
    struct digester *digester;
    int64_t tar_size;
};

static bool add_to_digest(void *context, const void *data, size_t length)
{
    struct adoption *adoption = context;
    digester_add(adoption->digester, data, length);
    adoption->tar_size += (int64_t)length;
    return true;
}

static bool pack_folder(int folder, tar_write write, void *context, int64_t *size, struct error *err)
{
    struct tar_writer tar = {.write = write, .context = context};
    _cleanup_(pack_freep) struct pack *pack = pack_new(&tar);
    return pack_add_layer(pack, folder, size, err) && tar_writer_finish(&tar, err);
}

bool layer_pack(struct store *store, const char *diff_id, stream_write write, void *context, struct error *err)
{
    _cleanup_free_ char *path = layer_path(store, diff_id);
    _cleanup_close_ int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int64_t size = 0;
    if (folder < 0)
        return error_errno(err, "layer %s", diff_id);
    struct error why = ERROR_INIT;
    if (pack_folder(folder, write, context, &size, &why))
        return true;
    error_release(&why);
    return error_set(err, ERROR_CANCELLED, "layer %s: the receiver is gone", diff_id);
}

static bool publish(struct store *store, const char *folder, struct layer_info *info, int64_t tar_size,
                    struct error *err)
{
    /* Another thread may have been faster; so may a crash, which left the folder without its row. */
    if (renameat(AT_FDCWD, folder, store->layers, digest_hex(info->diff_id)) < 0 && errno != EEXIST &&
        errno != ENOTEMPTY)
        return error_errno(err, "rename layer %s", info->diff_id);
    return layer_insert(store, info, tar_size, err);
}

bool layer_adopt(struct store *store, const char *folder, struct layer_info *out, struct error *err)
{
    _cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "open %s", folder);
    struct adoption adoption = {.digester = digester_new()};
    struct layer_info info = {0}, known = {0};
    if (!pack_folder(fd, add_to_digest, &adoption, &info.size, err)) {
        digester_free(adoption.digester);
        return false;
    }
    info.diff_id = digester_finish(adoption.digester);
    digester_free(adoption.digester);
    info.blob_digest = xstrdup("");
    info.media_type = xstrdup("application/vnd.oci.image.layer.v1.tar");
    if (layer_get(store, info.diff_id, &known, NULL)) {
        layer_info_release(&info);
        *out = known;
        return true;
    }
    if (store_check_room(store, info.size, err) && publish(store, folder, &info, adoption.tar_size, err)) {
        *out = info;
        return true;
    }
    layer_info_release(&info);
    return false;
}
