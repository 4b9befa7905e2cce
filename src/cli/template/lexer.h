/* Go's template syntax as tokens. */
#pragma once

#include <stddef.h>

#include "base/macros.h"

enum token_kind {
    TOKEN_ERROR, /* text is the message */
    TOKEN_EOF,
    TOKEN_TEXT,
    TOKEN_LEFT_DELIMITER,
    TOKEN_RIGHT_DELIMITER,
    TOKEN_SPACE,
    TOKEN_ASSIGN,
    TOKEN_DECLARE,
    TOKEN_PIPE,
    TOKEN_LEFT_PAREN,
    TOKEN_RIGHT_PAREN,
    TOKEN_CHARACTER, /* punctuation that means nothing by itself, as ',' */
    TOKEN_STRING,
    TOKEN_RAW_STRING,
    TOKEN_CHARACTER_CONSTANT,
    TOKEN_NUMBER,
    TOKEN_BOOL,
    TOKEN_FIELD,    /* ".Name" */
    TOKEN_VARIABLE, /* "$", "$name" */
    TOKEN_IDENTIFIER,
    TOKEN_KEYWORD, /* the first of the keywords; the order matters */
    TOKEN_DOT,
    TOKEN_BLOCK,
    TOKEN_BREAK,
    TOKEN_CONTINUE,
    TOKEN_DEFINE,
    TOKEN_ELSE,
    TOKEN_END,
    TOKEN_IF,
    TOKEN_NIL,
    TOKEN_RANGE,
    TOKEN_TEMPLATE,
    TOKEN_WITH,
};

struct token {
    enum token_kind kind;
    char *text;      /* owned */
    size_t position; /* bytes from the start */
    size_t line;     /* from 1 */
};

struct token_list {
    struct token *items;
    size_t count;
};

/* Always ends with TOKEN_EOF or TOKEN_ERROR. */
void template_tokenize(const char *text, struct token_list *out);
void token_list_release(struct token_list *tokens);
/* As Go's messages quote a token; the caller frees. */
char *token_describe(const struct token *token);
/* "U+0025 '%'" for the character at text; the caller frees. */
char *describe_character(const char *text);
/* Quoted as Go's %q; the caller frees. */
char *quote_go_string(const char *text, size_t length);
