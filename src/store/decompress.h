/* Compressed streams, told apart by their first bytes: gzip (several members too), zstd, xz, bzip2, or none of them. */
#pragma once

#include "store/store.h"

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD, COMPRESSION_XZ, COMPRESSION_BZIP2 };

struct decompressor;

/* Reads the first bytes and decides. `read` is called until it returns 0. */
struct decompressor *decompressor_open(stream_read read, void *context, struct error *err);
void decompressor_close(struct decompressor *decompressor);
DEFINE_CLEANUP(struct decompressor *, decompressor_close)
enum compression decompressor_compression(const struct decompressor *decompressor);
/* Fills `data` as far as the stream goes: less than `length` only at the end; -1 on error ("unexpected EOF" for a
   stream that stops in the middle). Reads the compressed stream to its very end. */
ssize_t decompressor_read(struct decompressor *decompressor, void *data, size_t length, struct error *err);
