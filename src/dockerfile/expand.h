/* Variables in a Dockerfile: $NAME, ${NAME}, ${NAME:-word}, ${NAME-word}, :+ + :? ?, ${NAME#pattern} ## % %%,
   ${NAME/pattern/replacement} and //. Quotes are taken away, the escape character escapes; single quotes keep. */
#pragma once

#include "base/error.h"
#include "base/text.h"

struct expansion {
    char escape; /* of the Dockerfile */
    /* The value of a variable; NULL where it is not set. `name` ends with a NUL. */
    const char *(*lookup)(void *context, const char *name);
    void *context;
    /* May be NULL: told of each variable without a value, for the check UndefinedVar. */
    void (*undefined)(void *context, const char *name);
    bool keeps_quotes; /* of a heredoc's content: quotes are text there */
};
/* One word from one word. Caller frees; NULL with ERROR_INVALID ("failed to process \"${x:?}\": x: not set …"). */
char *expand_word(const struct expansion *expansion, const char *text, struct error *err);
/* Words from one text: what a variable holds is split at spaces where it is not quoted (EXPOSE $PORTS). Appends. */
bool expand_words(const struct expansion *expansion, const char *text, struct strlist *out, struct error *err);
