#include "store/decompress.h"

#include <bzlib.h>
#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <string.h>
#include <zstd.h>

#include "base/memory.h"

#define INPUT_SIZE ((size_t)128 << 10)
/* `xz -9` needs 65 MiB; a stream that asks for more than this is refused. */
#define XZ_MEMORY_LIMIT ((uint64_t)256 << 20)

/* What a step of a codec came to. */
enum step { STEP_MORE, STEP_END_OF_MEMBER, STEP_ERROR };

struct decompressor {
    stream_read read;
    void *context;
    enum compression compression;
    uint8_t *input;        /* INPUT_SIZE bytes */
    size_t start, end;     /* of what is left in input */
    bool is_input_at_end;  /* read returned 0 */
    bool is_within_member; /* a compressed member began and has not ended: the end of the input is premature */
    bool is_at_end;
    struct inflate_state *gzip;
    ZSTD_DStream *zstd;
    lzma_stream xz;
    bz_stream bzip2;
};

static bool fill(struct decompressor *decompressor, struct error *err)
{
    if (decompressor->start == decompressor->end)
        decompressor->start = decompressor->end = 0;
    if (decompressor->is_input_at_end || decompressor->end == INPUT_SIZE)
        return true;
    ssize_t n;
    do
        n = decompressor->read(decompressor->context, decompressor->input + decompressor->end,
                               INPUT_SIZE - decompressor->end);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return error_errno(err, "read");
    decompressor->end += (size_t)n;
    decompressor->is_input_at_end = n == 0;
    return true;
}

static enum compression detect(const uint8_t *data, size_t length)
{
    static const struct {
        enum compression compression;
        size_t length;
        uint8_t magic[6];
    } known[] = {
        {COMPRESSION_GZIP, 3, {0x1f, 0x8b, 8}},
        {COMPRESSION_ZSTD, 4, {0x28, 0xb5, 0x2f, 0xfd}},
        {COMPRESSION_XZ, 6, {0xfd, '7', 'z', 'X', 'Z', 0}},
        {COMPRESSION_BZIP2, 3, {'B', 'Z', 'h'}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (length >= known[i].length && memcmp(data, known[i].magic, known[i].length) == 0)
            return known[i].compression;
    }
    /* A zstd stream may start with a skippable frame (RFC 8878, 3.1.2): 0x184D2A5? little-endian. */
    if (length >= 4 && (data[0] & 0xf0) == 0x50 && data[1] == 0x2a && data[2] == 0x4d && data[3] == 0x18)
        return COMPRESSION_ZSTD;
    return COMPRESSION_NONE;
}

static bool start(struct decompressor *decompressor, struct error *err)
{
    switch (decompressor->compression) {
    case COMPRESSION_NONE:
        return true;
    case COMPRESSION_GZIP:
        decompressor->gzip = xmalloc(sizeof(*decompressor->gzip));
        isal_inflate_init(decompressor->gzip);
        decompressor->gzip->crc_flag = ISAL_GZIP;
        break;
    case COMPRESSION_ZSTD:
        decompressor->zstd = ZSTD_createDStream();
        if (!decompressor->zstd)
            return error_set(err, ERROR_INTERNAL, "zstd: out of memory");
        break;
    case COMPRESSION_XZ:
        if (lzma_stream_decoder(&decompressor->xz, XZ_MEMORY_LIMIT, LZMA_CONCATENATED) != LZMA_OK)
            return error_set(err, ERROR_INTERNAL, "xz: out of memory");
        break;
    case COMPRESSION_BZIP2:
        if (BZ2_bzDecompressInit(&decompressor->bzip2, 0, 0) != BZ_OK)
            return error_set(err, ERROR_INTERNAL, "bzip2: out of memory");
        break;
    }
    decompressor->is_within_member = true;
    return true;
}

struct decompressor *decompressor_open(stream_read read, void *context, struct error *err)
{
    struct decompressor *decompressor = NEW(struct decompressor);
    decompressor->read = read;
    decompressor->context = context;
    decompressor->input = xmalloc(INPUT_SIZE);
    bool is_open = true;
    while (is_open && decompressor->end < 6 && !decompressor->is_input_at_end)
        is_open = fill(decompressor, err);
    if (is_open) {
        decompressor->compression = detect(decompressor->input, decompressor->end);
        is_open = start(decompressor, err);
    }
    if (!is_open) {
        decompressor_close(decompressor);
        return NULL;
    }
    return decompressor;
}

void decompressor_close(struct decompressor *decompressor)
{
    if (!decompressor)
        return;
    free(decompressor->gzip);
    ZSTD_freeDStream(decompressor->zstd);
    lzma_end(&decompressor->xz);
    if (decompressor->compression == COMPRESSION_BZIP2)
        BZ2_bzDecompressEnd(&decompressor->bzip2);
    free(decompressor->input);
    free(decompressor);
}

enum compression decompressor_compression(const struct decompressor *decompressor)
{
    return decompressor->compression;
}

/* Each takes from the input what it can, writes at most *length bytes to data and puts their number into *length. */

static enum step step_gzip(struct decompressor *decompressor, uint8_t *data, size_t *length, struct error *err)
{
    struct inflate_state *state = decompressor->gzip;
    state->next_in = decompressor->input + decompressor->start;
    state->avail_in = (uint32_t)(decompressor->end - decompressor->start);
    state->next_out = data;
    state->avail_out = (uint32_t)MIN(*length, (size_t)1 << 30);
    uint32_t before = state->avail_out;
    int code = isal_inflate(state);
    decompressor->start = decompressor->end - state->avail_in;
    *length = before - state->avail_out;
    if (code < 0) {
        error_set(err, ERROR_INVALID,
                  code == ISAL_INCORRECT_CHECKSUM ? "gzip: invalid checksum" : "gzip: invalid data");
        return STEP_ERROR;
    }
    return state->block_state == ISAL_BLOCK_FINISH ? STEP_END_OF_MEMBER : STEP_MORE;
}

static enum step step_zstd(struct decompressor *decompressor, uint8_t *data, size_t *length, struct error *err)
{
    ZSTD_inBuffer in = {decompressor->input, decompressor->end, decompressor->start};
    ZSTD_outBuffer out = {data, *length, 0};
    size_t code = ZSTD_decompressStream(decompressor->zstd, &out, &in);
    decompressor->start = in.pos;
    *length = out.pos;
    if (ZSTD_isError(code)) {
        error_set(err, ERROR_INVALID, "zstd: %s", ZSTD_getErrorName(code));
        return STEP_ERROR;
    }
    return code == 0 ? STEP_END_OF_MEMBER : STEP_MORE;
}

static enum step step_xz(struct decompressor *decompressor, uint8_t *data, size_t *length, struct error *err)
{
    lzma_stream *stream = &decompressor->xz;
    stream->next_in = decompressor->input + decompressor->start;
    stream->avail_in = decompressor->end - decompressor->start;
    stream->next_out = data;
    stream->avail_out = *length;
    lzma_ret code = lzma_code(stream, decompressor->is_input_at_end ? LZMA_FINISH : LZMA_RUN);
    decompressor->start = decompressor->end - stream->avail_in;
    *length -= stream->avail_out;
    if (code == LZMA_STREAM_END)
        return STEP_END_OF_MEMBER;
    if (code == LZMA_OK || code == LZMA_BUF_ERROR)
        return STEP_MORE;
    error_set(err, ERROR_INVALID,
              code == LZMA_MEMLIMIT_ERROR ? "xz: the stream needs more than 256 MiB of memory" : "xz: invalid data");
    return STEP_ERROR;
}

static enum step step_bzip2(struct decompressor *decompressor, uint8_t *data, size_t *length, struct error *err)
{
    bz_stream *stream = &decompressor->bzip2;
    stream->next_in = (char *)decompressor->input + decompressor->start;
    stream->avail_in = (unsigned)(decompressor->end - decompressor->start);
    stream->next_out = (char *)data;
    stream->avail_out = (unsigned)MIN(*length, (size_t)1 << 30);
    unsigned before = stream->avail_out;
    int code = BZ2_bzDecompress(stream);
    decompressor->start = decompressor->end - stream->avail_in;
    *length = before - stream->avail_out;
    if (code == BZ_STREAM_END)
        return STEP_END_OF_MEMBER;
    if (code == BZ_OK)
        return STEP_MORE;
    error_set(err, ERROR_INVALID, "bzip2: invalid data");
    return STEP_ERROR;
}

static enum step step(struct decompressor *decompressor, uint8_t *data, size_t *length, struct error *err)
{
    switch (decompressor->compression) {
    case COMPRESSION_GZIP:
        return step_gzip(decompressor, data, length, err);
    case COMPRESSION_ZSTD:
        return step_zstd(decompressor, data, length, err);
    case COMPRESSION_XZ:
        return step_xz(decompressor, data, length, err);
    default:
        return step_bzip2(decompressor, data, length, err);
    }
}

/* After a member: begins the next one where its magic follows. What follows otherwise is garbage that gzip, and Docker
   with it, ignores; it is read nevertheless, because it belongs to the blob. */
static bool next_member(struct decompressor *decompressor, struct error *err)
{
    decompressor->is_within_member = false;
    while (decompressor->end - decompressor->start < 6 && !decompressor->is_input_at_end) {
        memmove(decompressor->input, decompressor->input + decompressor->start,
                decompressor->end - decompressor->start);
        decompressor->end -= decompressor->start;
        decompressor->start = 0;
        if (!fill(decompressor, err))
            return false;
    }
    size_t left = decompressor->end - decompressor->start;
    bool is_another = left && decompressor->compression != COMPRESSION_XZ &&
                      detect(decompressor->input + decompressor->start, left) == decompressor->compression;
    if (!is_another) {
        do {
            decompressor->start = decompressor->end;
            if (!fill(decompressor, err))
                return false;
        } while (!decompressor->is_input_at_end);
        decompressor->is_at_end = true;
        return true;
    }
    if (decompressor->compression == COMPRESSION_GZIP) {
        isal_inflate_reset(decompressor->gzip);
    } else if (decompressor->compression == COMPRESSION_BZIP2) {
        BZ2_bzDecompressEnd(&decompressor->bzip2);
        decompressor->bzip2 = (bz_stream){0};
        return start(decompressor, err);
    }
    decompressor->is_within_member = true;
    return true;
}

static ssize_t read_plain(struct decompressor *decompressor, uint8_t *data, size_t length, struct error *err)
{
    size_t done = MIN(length, decompressor->end - decompressor->start);
    memcpy(data, decompressor->input + decompressor->start, done);
    decompressor->start += done;
    while (done < length && !decompressor->is_input_at_end) {
        ssize_t n = decompressor->read(decompressor->context, data + done, length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_errno(err, "read");
            return -1;
        }
        decompressor->is_input_at_end = n == 0;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

ssize_t decompressor_read(struct decompressor *decompressor, void *data, size_t length, struct error *err)
{
    if (decompressor->compression == COMPRESSION_NONE)
        return read_plain(decompressor, data, length, err);
    size_t done = 0;
    while (done < length && !decompressor->is_at_end) {
        if (decompressor->start == decompressor->end && !fill(decompressor, err))
            return -1;
        size_t before = decompressor->start, got = length - done;
        enum step result = step(decompressor, (uint8_t *)data + done, &got, err);
        if (result == STEP_ERROR)
            return -1;
        done += got;
        if (result == STEP_END_OF_MEMBER) {
            if (!next_member(decompressor, err))
                return -1;
        } else if (!got && decompressor->start == before && decompressor->is_input_at_end) {
            error_set(err, ERROR_INVALID, "unexpected EOF");
            return -1;
        }
    }
    return (ssize_t)done;
}
