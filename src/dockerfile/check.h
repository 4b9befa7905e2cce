/* The build checks of the frontend (docs.docker.com/reference/build-checks): what is allowed and yet unwise. */
#pragma once

#include "dockerfile/dockerfile.h"

struct check_warning {
    const char *rule;        /* "StageNameCasing"; static */
    const char *description; /* of the rule; static */
    const char *url;         /* static */
    char *detail;            /* of this case */
    int line, last_line;     /* 0: of the whole file */
};
struct check_warnings {
    struct check_warning *items;
    size_t count;
};
void check_warnings_release(struct check_warnings *warnings);
/* All that can be told from the file alone, in the order of its lines; rules that the file skips are left out. */
void dockerfile_check(const struct dockerfile *file, struct check_warnings *out);
