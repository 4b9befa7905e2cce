/* What wherry-logger is told, and what it and the shim say to each other on the socket that is its standard input:

       shim   → a frame with struct logger_settings in its wire form
       logger → a frame with text: "" when it is ready to take output, else why the container cannot be started
       shim   → a frame for each piece of output: struct logger_head and the bytes; the end of the stream is the end

   A frame is a 32-bit length in the machine's order, and that many bytes. Both programs are of one build, because a
   shim starts the logger that the wherryd which started it has named. */
#pragma once

#include <stdint.h>

#include "base/record.h"

/* Of a frame; what is longer is no frame of ours. */
#define LOGGER_FRAME_LIMIT ((size_t)1 << 20)
#define LOGGER_ID_LENGTH   64

struct logger_settings {
    char *driver;
    struct strmap options; /* as the container has them, known to be valid */
    char *id, *name;       /* of the container, without '/' */
    char *image_id, *image_name;
    char *command;  /* the program with its arguments */
    char *hostname; /* of the host */
    char *tag;      /* rendered; "" where the driver is to have none */
    int64_t created;
    struct strmap attributes; /* labels and environment that were asked for */
};
extern const struct record_type logger_settings_type;

struct logger_head {
    int64_t time; /* nanoseconds since 1970 */
    uint32_t ordinal;
    uint8_t is_stderr;
    uint8_t is_partial; /* a piece of a longer line; id and ordinal are set */
    uint8_t is_last;    /* its last one */
    uint8_t ends_line;
    char partial_id[LOGGER_ID_LENGTH]; /* no NUL */
};
