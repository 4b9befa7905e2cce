/* A layer that was made here is kept as a plain tar until a registry is to have it: then it becomes gzip, once, and
   stays so. Its diff id is the same. */
#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <sqlite3.h>
#include <string.h>

#include "base/memory.h"
#include "store/internal.h"

#define OUTPUT_SIZE ((size_t)256 << 10)
#define LEVEL       2

struct compression_stream {
    struct isal_zstream stream;
    struct blob_writer *blob;
    uint8_t *level_buffer;
    uint8_t *output;
    bool (*is_cancelled)(void *context);
    void *context;
    struct error err;
};

static bool deflate_all(struct compression_stream *state)
{
    struct isal_zstream *stream = &state->stream;
    do {
        stream->next_out = state->output;
        stream->avail_out = OUTPUT_SIZE;
        if (isal_deflate(stream) != COMP_OK)
            return error_set(&state->err, ERROR_INTERNAL, "compressing a layer failed");
        size_t count = OUTPUT_SIZE - stream->avail_out;
        if (count > 0 && !blob_write(state->blob, state->output, count, &state->err))
            return false;
    } while (stream->avail_out == 0 || (stream->end_of_stream && stream->internal_state.state != ZSTATE_END));
    return true;
}

/* A stream_write. */
static bool compress_write(void *context, const void *data, size_t length)
{
    struct compression_stream *state = context;
    if (state->is_cancelled && state->is_cancelled(state->context))
        return error_set(&state->err, ERROR_CANCELLED, "context canceled");
    state->stream.next_in = (uint8_t *)(uintptr_t)data;
    state->stream.avail_in = (uint32_t)length;
    return deflate_all(state);
}

static bool set_blob(struct store *store, const struct layer_info *info, struct error *err)
{
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement = database_statement(
        store->database, "UPDATE layers SET blob_digest = ?2, blob_size = ?3, media_type = ?4 WHERE diff_id = ?1", err);
    bool is_done = statement != NULL;
    if (is_done) {
        sqlite3_bind_text(statement, 1, info->diff_id, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, info->blob_digest, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 3, info->blob_size);
        sqlite3_bind_text(statement, 4, info->media_type, -1, SQLITE_STATIC);
        is_done = database_step(store->database, statement, err) == 0;
    }
    return database_end(store->database, is_done, is_done ? err : NULL) && is_done;
}

static bool compress_to_blob(struct store *store, const char *diff_id, struct compression_stream *state,
                             struct layer_info *info, struct error *err)
{
    state->blob = blob_begin(store, err);
    if (!state->blob)
        return false;
    struct error why = ERROR_INIT;
    bool is_done = layer_write_tar(store, diff_id, compress_write, state, &why);
    if (is_done) {
        state->stream.end_of_stream = 1;
        state->stream.avail_in = 0;
        is_done = deflate_all(state);
    }
    if (!is_done) {
        blob_abandon(TAKE_PTR(state->blob));
        if (state->err.kind != ERROR_NONE) {
            error_release(&why);
            return error_move(err, &state->err);
        }
        return error_move(err, &why);
    }
    error_release(&why);
    return blob_finish_unsynced(TAKE_PTR(state->blob), &info->blob_digest, &info->blob_size, err);
}

static bool compress_layer(struct store *store, const char *diff_id, bool (*is_cancelled)(void *context), void *context,
                           struct layer_info *info, struct error *err)
{
    struct compression_stream *state = NEW(struct compression_stream);
    state->is_cancelled = is_cancelled;
    state->context = context;
    state->output = xmalloc(OUTPUT_SIZE);
    state->level_buffer = xmalloc(ISAL_DEF_LVL2_DEFAULT);
    isal_deflate_init(&state->stream);
    state->stream.level = LEVEL;
    state->stream.level_buf = state->level_buffer;
    state->stream.level_buf_size = ISAL_DEF_LVL2_DEFAULT;
    state->stream.gzip_flag = IGZIP_GZIP;
    bool is_done = compress_to_blob(store, diff_id, state, info, err);
    free(state->output);
    free(state->level_buffer);
    free(state);
    return is_done;
}

bool layer_compress(struct store *store, const char *diff_id, bool (*is_cancelled)(void *context), void *context,
                    struct layer_info *out, struct error *err)
{
    struct layer_info info = {0};
    if (!layer_get(store, diff_id, &info, err))
        return false;
    if (!string_ends_with(info.media_type, ".tar")) {
        *out = info;
        return true;
    }
    free(TAKE_PTR(info.blob_digest));
    string_replace(&info.media_type, "application/vnd.oci.image.layer.v1.tar+gzip");
    if (compress_layer(store, diff_id, is_cancelled, context, &info, err) && store_sync(store, err) &&
        set_blob(store, &info, err)) {
        *out = info;
        return true;
    }
    layer_info_release(&info);
    return false;
}
