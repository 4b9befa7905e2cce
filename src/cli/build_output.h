/* What becomes of a build's result: it stays an image of the engine, is pushed, or leaves as a folder or a tar. */
#pragma once

#include "cli/command.h"

enum build_output_kind {
    OUTPUT_ENGINE,   /* type=docker or image: an image of the engine */
    OUTPUT_REGISTRY, /* the same, and pushed */
    OUTPUT_ARCHIVE,  /* type=docker or oci with a destination: what `save` writes, which is both */
    OUTPUT_LOCAL,    /* the files, in a folder */
    OUTPUT_TAR,      /* the files, as a tar */
};
struct build_output {
    enum build_output_kind kind;
    char *destination; /* a path; "-": standard output */
};
struct build_outputs {
    struct build_output *items;
    size_t count;
    struct strlist names; /* name=…: further tags */
};
void build_outputs_release(struct build_outputs *outputs);
#define _cleanup_build_outputs_ _cleanup_(build_outputs_release)

struct build_options;
/* From --output, --push and --load. Refuses what cannot be honoured, before anything is built. */
bool build_outputs_parse(const struct build_options *options, struct build_outputs *out, struct error *err);
/* Is the image itself not wanted, only what is in it? */
bool build_outputs_leave_no_image(const struct build_outputs *outputs);
/* Does all that is to be done with the image. */
bool build_outputs_write(struct command_call *call, const struct build_outputs *outputs, const char *image,
                         struct error *err);
