/* How a layer comes in, in one pass over the stream:

       caller's thread:  read → blob file and blob digest → decompress ─┬─▶ thread: digest of the tar (the diff id)
                                                                        └─▶ thread: unpack into tmp/layer-N

   The three share a ring of buffers, so memory stays bounded whatever the layer's size. Then blob and folder get their
   final names and the database a row. The disk is waited for once, by whoever makes an image of the layers
   (store_sync). */
#include "store/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/decompress.h"
#include "store/digest.h"
#include "store/extract.h"
#include "store/internal.h"
#include "store/ring.h"

#define RING_BUFFERS     16
#define RING_BUFFER_SIZE ((size_t)512 << 10)

static const char media_type_tar[] = "application/vnd.oci.image.layer.v1.tar";

void layer_info_release(struct layer_info *info)
{
    free(info->diff_id);
    free(info->blob_digest);
    free(info->media_type);
    *info = (struct layer_info){0};
}

/* --- the database's view --- */

/* Inside a transaction. 1: found, 0: no such layer, -1: error. *tar_size may be NULL. */
static int find_row(struct database *database, const char *diff_id, struct layer_info *out, int64_t *tar_size,
                    struct error *err)
{
    static const char sql[] = "SELECT blob_digest, blob_size, size, media_type, tar_size FROM layers WHERE diff_id = ?";
    sqlite3_stmt *statement = database_statement(database, sql, err);
    if (!statement)
        return -1;
    sqlite3_bind_text(statement, 1, diff_id, -1, SQLITE_STATIC);
    int state = database_step(database, statement, err);
    if (state == 1) {
        *out = (struct layer_info){
            .diff_id = xstrdup(diff_id),
            .blob_digest = xstrdup((const char *)sqlite3_column_text(statement, 0)),
            .blob_size = sqlite3_column_int64(statement, 1),
            .size = sqlite3_column_int64(statement, 2),
            .media_type = xstrdup((const char *)sqlite3_column_text(statement, 3)),
        };
        if (tar_size)
            *tar_size = sqlite3_column_int64(statement, 4);
        sqlite3_reset(statement);
    }
    return state;
}

static int find(struct store *store, const char *diff_id, struct layer_info *out, int64_t *tar_size, struct error *err)
{
    if (!database_begin(store->database, NOT_DURABLE, err))
        return -1;
    int state = find_row(store->database, diff_id, out, tar_size, err);
    return database_end(store->database, true, state < 0 ? NULL : err) ? state : -1;
}

bool layer_get(struct store *store, const char *diff_id, struct layer_info *out, struct error *err)
{
    int state = find(store, diff_id, out, NULL, err);
    return state == 1 || (state == 0 && error_set(err, ERROR_NOT_FOUND, "layer %s: not found", diff_id));
}

bool layer_exists(struct store *store, const char *diff_id)
{
    struct layer_info info = {0};
    bool is_there = find(store, diff_id, &info, NULL, NULL) == 1;
    layer_info_release(&info);
    return is_there;
}

char *layer_path(const struct store *store, const char *diff_id)
{
    const char *hex = digest_hex(diff_id);
    return xasprintf("%s/layers/%s", store->data_root, hex ? hex : "invalid");
}

bool layer_insert(struct store *store, const struct layer_info *info, int64_t tar_size, struct error *err)
{
    static const char sql[] =
        "INSERT OR IGNORE INTO layers (diff_id, blob_digest, blob_size, size, tar_size, media_type) "
        "VALUES (?, ?, ?, ?, ?, ?)";
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement = database_statement(store->database, sql, err);
    bool is_done = statement;
    if (is_done) {
        sqlite3_bind_text(statement, 1, info->diff_id, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, info->blob_digest, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 3, info->blob_size);
        sqlite3_bind_int64(statement, 4, info->size);
        sqlite3_bind_int64(statement, 5, tar_size);
        sqlite3_bind_text(statement, 6, info->media_type, -1, SQLITE_STATIC);
        is_done = database_step(store->database, statement, err) == 0;
    }
    return database_end(store->database, is_done, err) && is_done;
}

/* --- the stream --- */

/* Hashes and stores the bytes as they come. */
struct tap {
    stream_read read;
    void *context;
    struct store *store;
    struct blob_writer *blob; /* NULL: only passes them on */
    int64_t *taken;           /* of the limit */
    struct error err;         /* of the blob */
};

static ssize_t tap_read(void *context, void *data, size_t length)
{
    struct tap *tap = context;
    ssize_t n = tap->read(tap->context, data, length);
    if (n > 0 && tap->blob &&
        (!limit_take(tap->store, n, tap->taken, &tap->err) || !blob_write(tap->blob, data, (size_t)n, &tap->err))) {
        errno = EIO;
        return -1;
    }
    return n;
}

/* One unpacking of a layer. */
struct addition {
    struct store *store;
    struct tap tap;
    struct decompressor *decompressor;
    struct blob_writer *plain_blob; /* xz and bzip2 have no media type: their blob is the tar itself */
    struct ring *ring;
    char *folder; /* within tmp */
    int root;
    int64_t tar_size;
    char *diff_id;
    int64_t size;
    const char *expected_blob; /* NULL: any */
    int64_t taken;             /* of the limit */
    bool is_full;
    struct error extract_error;
};

static void *digest_thread(void *context)
{
    struct addition *addition = context;
    _cleanup_(digester_freep) struct digester *digester = digester_new();
    const void *data;
    ssize_t n;
    while ((n = ring_next(addition->ring, 0, &data)) > 0)
        digester_add(digester, data, (size_t)n);
    if (n == 0)
        addition->diff_id = digester_finish(digester);
    return NULL;
}

static ssize_t read_for_extraction(void *context, const void **data)
{
    struct addition *addition = context;
    return ring_next(addition->ring, 1, data);
}

static void *extract_thread(void *context)
{
    struct addition *addition = context;
    if (!extract_tar(addition->root, read_for_extraction, addition, &addition->size, &addition->extract_error))
        ring_give_up(addition->ring);
    return NULL;
}

static bool next_bytes(struct addition *addition, void *data, size_t *length, struct error *err)
{
    ssize_t n = decompressor_read(addition->decompressor, data, *length, err);
    if (n < 0)
        return addition->tap.err.kind ? error_move(err, &addition->tap.err) : false;
    *length = (size_t)n;
    addition->tar_size += n;
    /* What comes out takes about as much again as a folder. */
    if (addition->root >= 0 && !limit_take(addition->store, n, &addition->taken, err)) {
        addition->is_full = true;
        return false;
    }
    return !addition->plain_blob || blob_write(addition->plain_blob, data, *length, err);
}

/* Fills the ring to the end of the stream. A consumer that gave up has an error of its own. */
static bool produce(struct addition *addition, struct error *err)
{
    for (;;) {
        void *buffer = ring_reserve(addition->ring);
        size_t length = ring_buffer_size(addition->ring);
        if (!buffer || !next_bytes(addition, buffer, &length, err))
            return false;
        if (!length)
            return true;
        ring_commit(addition->ring, length);
    }
}

/* Runs the three threads to the end of the stream. */
static bool unpack(struct addition *addition, struct error *err)
{
    addition->ring = ring_new(RING_BUFFERS, RING_BUFFER_SIZE, 2);
    if (!addition->ring)
        return error_errno(err, "mmap");
    pthread_t threads[2];
    int code = pthread_create(&threads[0], NULL, digest_thread, addition);
    if (code)
        return error_errno_value(err, code, "start a thread");
    code = pthread_create(&threads[1], NULL, extract_thread, addition);
    if (code) {
        ring_end(addition->ring, true);
        pthread_join(threads[0], NULL);
        return error_errno_value(err, code, "start a thread");
    }
    bool is_done = produce(addition, err);
    ring_end(addition->ring, !is_done);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    /* Both know only that the other one failed, unless they are the one. */
    if (addition->extract_error.kind && addition->extract_error.kind != ERROR_CANCELLED)
        return error_move(err, &addition->extract_error);
    error_release(&addition->extract_error);
    return is_done;
}

/* A layer we have: the bytes are read, and compared by their digest. */
static bool check_only(struct addition *addition, struct error *err)
{
    _cleanup_(digester_freep) struct digester *digester = digester_new();
    _cleanup_free_ char *buffer = xmalloc(RING_BUFFER_SIZE);
    for (size_t length = RING_BUFFER_SIZE; length;) {
        length = RING_BUFFER_SIZE;
        if (!next_bytes(addition, buffer, &length, err))
            return false;
        digester_add(digester, buffer, length);
    }
    addition->diff_id = digester_finish(digester);
    return true;
}

static bool open_stream(struct addition *addition, struct error *err)
{
    addition->decompressor = decompressor_open(tap_read, &addition->tap, err);
    if (!addition->decompressor)
        return addition->tap.err.kind ? error_move(err, &addition->tap.err) : false;
    enum compression compression = decompressor_compression(addition->decompressor);
    if (!addition->tap.blob || (compression != COMPRESSION_XZ && compression != COMPRESSION_BZIP2))
        return true;
    addition->plain_blob = TAKE_PTR(addition->tap.blob);
    return blob_restart(addition->plain_blob, err);
}

static bool make_folder(struct addition *addition, struct error *err)
{
    struct store *store = addition->store;
    addition->folder = store_temporary_name(store, "layer");
    /* chmod, because the umask has a say in mkdir's mode. */
    if (mkdirat(store->temporary, addition->folder, 0755) < 0 ||
        fchmodat(store->temporary, addition->folder, 0755, 0) < 0)
        return error_errno(err, "mkdir %s/tmp/%s", store->data_root, addition->folder);
    addition->root = openat(store->temporary, addition->folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return addition->root >= 0 || error_errno(err, "open %s/tmp/%s", store->data_root, addition->folder);
}

/* Gives blob and folder their names, and the database its row. */
static bool publish(struct addition *addition, struct layer_info *out, struct error *err)
{
    struct store *store = addition->store;
    enum compression compression = decompressor_compression(addition->decompressor);
    struct layer_info info = {.diff_id = xstrdup(addition->diff_id), .size = addition->size};
    const char *suffix = compression == COMPRESSION_GZIP ? "+gzip" : compression == COMPRESSION_ZSTD ? "+zstd" : "";
    info.media_type = xasprintf("%s%s", media_type_tar, suffix);
    struct blob_writer *blob = TAKE_PTR(addition->plain_blob);
    if (!blob)
        blob = TAKE_PTR(addition->tap.blob);
    bool is_done = blob_finish_unsynced(blob, &info.blob_digest, &info.blob_size, err);
    bool is_kept_as_it_came = compression != COMPRESSION_XZ && compression != COMPRESSION_BZIP2;
    if (is_done && addition->expected_blob && is_kept_as_it_came &&
        strcmp(addition->expected_blob, info.blob_digest) != 0)
        is_done = error_set(err, ERROR_INVALID, "filesystem layer verification failed for digest %s",
                            addition->expected_blob);
    if (is_done && renameat(store->temporary, addition->folder, store->layers, digest_hex(info.diff_id)) == 0)
        free(TAKE_PTR(addition->folder));
    else if (is_done && errno != EEXIST && errno != ENOTEMPTY) /* else: another thread was faster */
        is_done = error_errno(err, "rename layer %s", info.diff_id);
    is_done = is_done && layer_insert(store, &info, addition->tar_size, err);
    if (is_done)
        *out = info;
    else
        layer_info_release(&info);
    return is_done;
}

/* Bytes that could not be unpacked: where they are not the ones that were promised, that is the better reason. */
static bool explain_failure(struct addition *addition, struct error *err)
{
    bool has_come = addition->expected_blob && addition->tap.blob && !addition->tap.err.kind && !addition->is_full;
    if (!has_come || !err || err->kind == ERROR_CANCELLED)
        return false;
    char rest[4096];
    ssize_t n;
    while ((n = tap_read(&addition->tap, rest, sizeof(rest))) > 0)
        ;
    _cleanup_free_ char *digest = NULL;
    if (n < 0 || !blob_finish_unsynced(TAKE_PTR(addition->tap.blob), &digest, NULL, NULL))
        return false;
    if (strcmp(digest, addition->expected_blob) != 0)
        error_set(err, ERROR_INVALID, "filesystem layer verification failed for digest %s", addition->expected_blob);
    return false;
}

static bool add(struct addition *addition, const char *expected, struct layer_info *out, struct error *err)
{
    struct store *store = addition->store;
    bool is_known = expected && layer_exists(store, expected);
    if (!is_known && !(addition->tap.blob = blob_begin(store, err)))
        return false;
    if (!open_stream(addition, err))
        return false;
    if (is_known ? !check_only(addition, err) : !make_folder(addition, err) || !unpack(addition, err))
        return explain_failure(addition, err);
    if (expected && strcmp(expected, addition->diff_id) != 0)
        return error_set(err, ERROR_INVALID, "wrong diff id calculated on extraction: expected %s, got %s", expected,
                         addition->diff_id);
    int state = find(store, addition->diff_id, out, NULL, err);
    return state == 0 ? publish(addition, out, err) : state == 1;
}

bool layer_add(struct store *store, stream_read read, void *context, const char *expected_diff_id,
               struct layer_info *out, struct error *err)
{
    return layer_add_checked(store, read, context, expected_diff_id, NULL, out, err);
}

bool layer_add_checked(struct store *store, stream_read read, void *context, const char *expected_diff_id,
                       const char *expected_blob, struct layer_info *out, struct error *err)
{
    struct addition addition = {
        .store = store, .tap = {.read = read, .context = context}, .root = -1, .expected_blob = expected_blob};
    if (expected_diff_id && !digest_hex(expected_diff_id))
        return error_set(err, ERROR_INVALID, "invalid diff id: %s", expected_diff_id);
    addition.tap.store = store;
    addition.tap.taken = &addition.taken;
    store_hold(store);
    bool is_added = limit_begin(store, err) && add(&addition, expected_diff_id, out, err);
    limit_end(store, addition.taken);
    decompressor_close(addition.decompressor);
    blob_abandon(addition.tap.blob);
    blob_abandon(addition.plain_blob);
    ring_free(addition.ring);
    close_fd(addition.root);
    if (addition.folder)
        tree_remove(store->temporary, addition.folder, NULL);
    free(addition.folder);
    free(addition.diff_id);
    error_release(&addition.tap.err);
    store_release(store);
    return is_added;
}

/* --- the way out --- */

static ssize_t read_descriptor(void *context, void *data, size_t length)
{
    return read(*(int *)context, data, length);
}

bool layer_write_tar(struct store *store, const char *diff_id, stream_write write, void *context, struct error *err)
{
    struct layer_info info = {0};
    if (!layer_get(store, diff_id, &info, err))
        return false;
    if (!*info.blob_digest) {
        layer_info_release(&info);
        return layer_pack(store, diff_id, write, context, err);
    }
    _cleanup_close_ int fd = blob_open(store, info.blob_digest, NULL, err);
    layer_info_release(&info);
    if (fd < 0)
        return false;
    _cleanup_(decompressor_closep) struct decompressor *decompressor = decompressor_open(read_descriptor, &fd, err);
    if (!decompressor)
        return error_prefix(err, "layer %s", diff_id);
    size_t capacity = (size_t)256 << 10;
    _cleanup_free_ char *buffer = xmalloc(capacity);
    for (;;) {
        ssize_t n = decompressor_read(decompressor, buffer, capacity, err);
        if (n < 0)
            return error_prefix(err, "layer %s", diff_id);
        if (n == 0)
            return true;
        if (!write(context, buffer, (size_t)n))
            return error_set(err, ERROR_CANCELLED, "layer %s: the receiver is gone", diff_id);
    }
}

bool layer_tar_size(struct store *store, const char *diff_id, int64_t *out, struct error *err)
{
    struct layer_info info = {0};
    int64_t size;
    int state = find(store, diff_id, &info, &size, err);
    layer_info_release(&info);
    if (state == 0)
        return error_set(err, ERROR_NOT_FOUND, "layer %s: not found", diff_id);
    if (state == 1)
        *out = size;
    return state == 1;
}

bool layers_total_size(struct store *store, int64_t *out, struct error *err)
{
    static const char sql[] = "SELECT coalesce(sum(size), 0) FROM layers";
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement = database_statement(store->database, sql, err);
    bool is_read = statement && database_step(store->database, statement, err) == 1;
    if (is_read) {
        *out = sqlite3_column_int64(statement, 0);
        sqlite3_reset(statement);
    }
    return database_end(store->database, is_read, err) && is_read;
}
