/* The Dockerfile language as it is written: directives, instructions, flags, heredocs. Nothing is expanded and nothing
   is looked up here; what follows from it (stages that are needed, values of variables) is the builder's.

   The rules are those of the docker/dockerfile 1.x frontend, and so are the messages. */
#pragma once

#include "base/error.h"
#include "base/text.h"

enum instruction_kind {
    INSTRUCTION_ADD,
    INSTRUCTION_ARG,
    INSTRUCTION_CMD,
    INSTRUCTION_COPY,
    INSTRUCTION_ENTRYPOINT,
    INSTRUCTION_ENV,
    INSTRUCTION_EXPOSE,
    INSTRUCTION_FROM,
    INSTRUCTION_HEALTHCHECK,
    INSTRUCTION_LABEL,
    INSTRUCTION_MAINTAINER,
    INSTRUCTION_ONBUILD,
    INSTRUCTION_RUN,
    INSTRUCTION_SHELL,
    INSTRUCTION_STOPSIGNAL,
    INSTRUCTION_USER,
    INSTRUCTION_VOLUME,
    INSTRUCTION_WORKDIR,
    INSTRUCTION_KIND_COUNT,
};
/* "RUN" */
const char *instruction_keyword(enum instruction_kind kind);

struct instruction_flag {
    char *name;  /* "from" of --from=build */
    char *value; /* not expanded; NULL where the flag stands without `=` */
};

struct heredoc {
    char *name;       /* EOF of <<EOF; the file's name where COPY or ADD make one of it */
    char *content;    /* with leading tabs removed where <<- says so; ends with a newline unless it is empty */
    bool is_expanded; /* the name was not quoted */
};

struct instruction {
    enum instruction_kind kind;
    int line, last_line; /* from 1; with its comments and heredocs in between */
    bool has_empty_line; /* between its continued lines */
    char *original;      /* "RUN apt-get update && apt-get install": continuations joined, comments left out, without
                            heredocs */
    struct instruction_flag *flags;
    size_t flag_count;
    /* What is allowed for the instruction, and how many, was checked. By kind:
       RUN, CMD, ENTRYPOINT, shell form   one text, quotes and all; nothing at all where nothing follows the keyword
       RUN, CMD, ENTRYPOINT, SHELL, VOLUME, COPY, ADD, exec form (is_json)  the array's texts
       COPY, ADD                          sources without the marks of heredocs, then the destination
       ENV, LABEL                         name, value, name, value, … values with their quotes
       ARG                                a word each: "NAME" or "NAME=value"
       FROM                               image, or image "AS" name (in lower case)
       HEALTHCHECK                        "NONE", or "CMD" and what is its (is_json says how)
       ONBUILD                            the text that follows, with its heredocs; `trigger` is the same, parsed: NULL
                                          where it is wrong, which Docker tells only those who build on the image
       the others                         their words */
    struct strlist arguments;
    bool is_json;
    struct heredoc *heredocs; /* in the order of their marks */
    size_t heredoc_count;
    struct instruction *trigger; /* of ONBUILD; NULL else */
};

struct dockerfile {
    char *name;                    /* for messages: "Dockerfile" */
    char *syntax;                  /* of `# syntax=`; NULL */
    char escape;                   /* '\\' or '`' */
    struct strlist checks_skipped; /* of `# check=skip=A,B`; "all" */
    bool checks_are_errors;        /* of `# check=error=true` */
    struct instruction *instructions;
    size_t count;
    struct strlist lines; /* as written, for excerpts; with the empty one behind the last line's end */
};

/* Parses all of it. Errors are ERROR_INVALID with Docker's message ("dockerfile parse error on line 3: unknown
   instruction: RUNN (did you mean RUN?)"); *line (may be NULL) gets the line they are about, 0 for none. On failure,
   too, *out has `name` and `lines`, for dockerfile_excerpt, and is to be released. */
bool dockerfile_parse(const char *text, size_t length, const char *name, struct dockerfile *out, int *line,
                      struct error *err);
void dockerfile_release(struct dockerfile *file);
#define _cleanup_dockerfile_ _cleanup_(dockerfile_release)
/* One instruction alone, as ONBUILD in an image's config has it. */
bool instruction_parse(const char *text, struct instruction *out, struct error *err);
void instruction_release(struct instruction *instruction);
/* The value of the last flag of that name, NULL where there is none. "" for one without value. */
const char *instruction_flag_value(const struct instruction *instruction, const char *name);
/* The lines around an instruction, as Docker shows them with an error:

       Dockerfile:3
       --------------------
          1 |     FROM busybox
          2 |
          3 | >>> RUNN true
       --------------------
   Caller frees. */
char *dockerfile_excerpt(const struct dockerfile *file, int line, int last_line);
