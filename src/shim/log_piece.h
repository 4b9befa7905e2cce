/* What a log takes: a line of output, or a piece of one that is longer than 16 KiB. */
#pragma once

#include <stdint.h>

#include "base/clock.h"

enum output_stream { STREAM_STDIN, STREAM_STDOUT, STREAM_STDERR }; /* numbered as in Docker's stream frames */

struct log_piece {
    enum output_stream stream;
    unix_nano time; /* the pieces of a line share it */
    const char *data;
    size_t length;          /* without the newline */
    bool ends_line;         /* a newline came behind it */
    const char *partial_id; /* of a line in pieces; NULL: it is whole */
    uint32_t ordinal;       /* of the piece, from 1 */
};
