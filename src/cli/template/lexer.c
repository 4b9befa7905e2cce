#include "cli/template/lexer.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"

struct lexer {
    const char *text;
    size_t length;
    size_t position;
    size_t start; /* of the token at hand */
    int paren_depth;
    bool is_failed;
    struct token_list *tokens;
};

static const struct {
    const char *name;
    enum token_kind kind;
} keywords[] = {
    {"block", TOKEN_BLOCK},
    {"break", TOKEN_BREAK},
    {"continue", TOKEN_CONTINUE},
    {"define", TOKEN_DEFINE},
    {"else", TOKEN_ELSE},
    {"end", TOKEN_END},
    {"if", TOKEN_IF},
    {"nil", TOKEN_NIL},
    {"range", TOKEN_RANGE},
    {"template", TOKEN_TEMPLATE},
    {"with", TOKEN_WITH},
    {"true", TOKEN_BOOL},
    {"false", TOKEN_BOOL},
};

static size_t line_of(const struct lexer *lexer, size_t position)
{
    size_t line = 1;
    for (size_t i = 0; i < position; i++)
        line += lexer->text[i] == '\n';
    return line;
}

static void add(struct lexer *lexer, enum token_kind kind, char *text)
{
    struct token *token = APPEND(lexer->tokens->items, lexer->tokens->count);
    *token = (struct token){kind, text, lexer->start, line_of(lexer, lexer->start)};
    lexer->start = lexer->position;
}

static void emit(struct lexer *lexer, enum token_kind kind)
{
    add(lexer, kind, xstrndup(lexer->text + lexer->start, lexer->position - lexer->start));
}

static void _printf_(2, 3) fail(struct lexer *lexer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(lexer, TOKEN_ERROR, xvasprintf(format, arguments));
    va_end(arguments);
    lexer->is_failed = true;
}

static bool is_space(char character)
{
    return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

/* Bytes of UTF-8 sequences count as letters. */
static bool is_word(char character)
{
    return character == '_' || isalnum((unsigned char)character) || (unsigned char)character >= 0x80;
}

static bool has_prefix(const struct lexer *lexer, const char *prefix)
{
    return strncmp(lexer->text + lexer->position, prefix, strlen(prefix)) == 0;
}

static char current(const struct lexer *lexer)
{
    return lexer->text[lexer->position];
}

/* At "}}", or at " -}}"? */
static bool at_right_delimiter(const struct lexer *lexer, bool *trims)
{
    *trims = is_space(current(lexer)) && strncmp(lexer->text + lexer->position + 1, "-}}", 3) == 0;
    return *trims || has_prefix(lexer, "}}");
}

static bool at_terminator(const struct lexer *lexer)
{
    char character = current(lexer);
    return !character || is_space(character) || strchr(".,|:)(", character) || has_prefix(lexer, "}}");
}

char *describe_character(const char *text)
{
    unsigned char first = (unsigned char)text[0];
    size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    unsigned code = length == 1 ? first : first & (0xffu >> (length + 1));
    for (size_t i = 1; i < length && text[i]; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    if (code < 0x20 || code == 0x7f)
        return xasprintf("U+%04X", code);
    return xasprintf("U+%04X '%.*s'", code, (int)length, text);
}

static void lex_text(struct lexer *lexer)
{
    const char *delimiter = strstr(lexer->text + lexer->position, "{{");
    size_t end = delimiter ? (size_t)(delimiter - lexer->text) : lexer->length;
    bool trims = delimiter && delimiter[2] == '-' && is_space(delimiter[3]);
    lexer->position = end;
    while (trims && lexer->position > lexer->start && is_space(lexer->text[lexer->position - 1]))
        lexer->position--;
    if (lexer->position > lexer->start)
        emit(lexer, TOKEN_TEXT);
    lexer->position = lexer->start = end;
    if (!delimiter) {
        emit(lexer, TOKEN_EOF);
        return;
    }
    lexer->position += 2;
    size_t marker = trims ? 2 : 0;
    if (strncmp(lexer->text + lexer->position + marker, "/*", 2) != 0) {
        emit(lexer, TOKEN_LEFT_DELIMITER);
        lexer->position += marker;
        lexer->start = lexer->position;
        lexer->paren_depth = 0;
        return;
    }
    lexer->position += marker;
    lexer->start = lexer->position;
    const char *close = strstr(lexer->text + lexer->position + 2, "*/");
    if (!close) {
        fail(lexer, "unclosed comment");
        return;
    }
    lexer->position = (size_t)(close + 2 - lexer->text);
    if (!at_right_delimiter(lexer, &trims)) {
        fail(lexer, "comment ends before closing delimiter");
        return;
    }
    lexer->position += trims ? 4 : 2;
    while (trims && is_space(current(lexer)))
        lexer->position++;
    lexer->start = lexer->position;
}

static void lex_space(struct lexer *lexer)
{
    bool trims;
    while (is_space(current(lexer))) {
        if (at_right_delimiter(lexer, &trims) && trims)
            break; /* the last space belongs to the marker */
        lexer->position++;
    }
    if (lexer->position > lexer->start)
        emit(lexer, TOKEN_SPACE);
}

static void lex_word(struct lexer *lexer)
{
    while (is_word(current(lexer)))
        lexer->position++;
    if (!at_terminator(lexer)) {
        _cleanup_free_ char *character = describe_character(lexer->text + lexer->position);
        fail(lexer, "bad character %s", character);
        return;
    }
    size_t length = lexer->position - lexer->start;
    for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
        if (strlen(keywords[i].name) == length && !strncmp(keywords[i].name, lexer->text + lexer->start, length)) {
            emit(lexer, keywords[i].kind);
            return;
        }
    emit(lexer, TOKEN_IDENTIFIER);
}

static void lex_field_or_variable(struct lexer *lexer, enum token_kind kind)
{
    lexer->position++;
    if (at_terminator(lexer)) {
        emit(lexer, kind == TOKEN_VARIABLE ? TOKEN_VARIABLE : TOKEN_DOT);
        return;
    }
    while (is_word(current(lexer)))
        lexer->position++;
    if (!at_terminator(lexer)) {
        _cleanup_free_ char *character = describe_character(lexer->text + lexer->position);
        fail(lexer, "bad character %s", character);
        return;
    }
    emit(lexer, kind);
}

static void accept_run(struct lexer *lexer, const char *accepted)
{
    while (current(lexer) && strchr(accepted, current(lexer)))
        lexer->position++;
}

static bool accept(struct lexer *lexer, const char *accepted)
{
    if (!current(lexer) || !strchr(accepted, current(lexer)))
        return false;
    lexer->position++;
    return true;
}

static void lex_number(struct lexer *lexer)
{
    const char *digits = "0123456789_";
    accept(lexer, "+-");
    if (accept(lexer, "0")) {
        if (accept(lexer, "xX"))
            digits = "0123456789abcdefABCDEF_";
        else if (accept(lexer, "oO"))
            digits = "01234567_";
        else if (accept(lexer, "bB"))
            digits = "01_";
    }
    accept_run(lexer, digits);
    if (accept(lexer, "."))
        accept_run(lexer, digits);
    bool is_decimal = strlen(digits) == 11;
    if ((is_decimal && accept(lexer, "eE")) || (strlen(digits) == 23 && accept(lexer, "pP"))) {
        accept(lexer, "+-");
        accept_run(lexer, "0123456789_");
    }
    if (is_word(current(lexer))) {
        lexer->position++;
        _cleanup_free_ char *text = quote_go_string(lexer->text + lexer->start, lexer->position - lexer->start);
        fail(lexer, "bad number syntax: %s", text);
        return;
    }
    emit(lexer, TOKEN_NUMBER);
}

static void lex_quoted(struct lexer *lexer, char quote, enum token_kind kind, const char *what)
{
    for (lexer->position++; current(lexer) && current(lexer) != quote; lexer->position++) {
        if (kind == TOKEN_RAW_STRING)
            continue;
        if (current(lexer) == '\\' && lexer->text[lexer->position + 1] && lexer->text[lexer->position + 1] != '\n')
            lexer->position++;
        else if (current(lexer) == '\\' || current(lexer) == '\n')
            break;
    }
    if (current(lexer) != quote) {
        fail(lexer, "unterminated %s", what);
        return;
    }
    lexer->position++;
    emit(lexer, kind);
}

static void lex_parenthesis(struct lexer *lexer)
{
    bool opens = current(lexer) == '(';
    lexer->paren_depth += opens ? 1 : -1;
    lexer->position++;
    if (lexer->paren_depth < 0)
        fail(lexer, "unexpected right paren");
    else
        emit(lexer, opens ? TOKEN_LEFT_PAREN : TOKEN_RIGHT_PAREN);
}

static void lex_other(struct lexer *lexer, char character)
{
    lexer->position++;
    if (character == '=') {
        emit(lexer, TOKEN_ASSIGN);
    } else if (character == ':') {
        if (accept(lexer, "="))
            emit(lexer, TOKEN_DECLARE);
        else
            fail(lexer, "expected :=");
    } else if (character == '|') {
        emit(lexer, TOKEN_PIPE);
    } else if (character >= 0x20 && character < 0x7f) {
        emit(lexer, TOKEN_CHARACTER);
    } else {
        _cleanup_free_ char *text = describe_character(lexer->text + lexer->start);
        fail(lexer, "unrecognized character in action: %s", text);
    }
}

/* One token inside an action; false behind its end. */
static bool lex_action(struct lexer *lexer)
{
    bool trims;
    char character = current(lexer);
    if (at_right_delimiter(lexer, &trims)) {
        if (lexer->paren_depth > 0) {
            fail(lexer, "unclosed left paren");
            return false;
        }
        lexer->start = lexer->position += trims ? 2 : 0;
        lexer->position += 2;
        emit(lexer, TOKEN_RIGHT_DELIMITER);
        while (trims && is_space(current(lexer)))
            lexer->position++;
        lexer->start = lexer->position;
        return false;
    }
    if (!character)
        fail(lexer, "unclosed action");
    else if (is_space(character))
        lex_space(lexer);
    else if (character == '"')
        lex_quoted(lexer, '"', TOKEN_STRING, "quoted string");
    else if (character == '`')
        lex_quoted(lexer, '`', TOKEN_RAW_STRING, "raw quoted string");
    else if (character == '\'')
        lex_quoted(lexer, '\'', TOKEN_CHARACTER_CONSTANT, "character constant");
    else if (character == '$')
        lex_field_or_variable(lexer, TOKEN_VARIABLE);
    else if (character == '.' && lexer->text[lexer->position + 1] &&
             !isdigit((unsigned char)lexer->text[lexer->position + 1]))
        lex_field_or_variable(lexer, TOKEN_FIELD);
    else if (strchr(".+-", character) || isdigit((unsigned char)character))
        lex_number(lexer);
    else if (is_word(character))
        lex_word(lexer);
    else if (character == '(' || character == ')')
        lex_parenthesis(lexer);
    else
        lex_other(lexer, character);
    return !lexer->is_failed;
}

void template_tokenize(const char *text, struct token_list *out)
{
    struct lexer lexer = {.text = text, .length = strlen(text), .tokens = out};
    do {
        lex_text(&lexer);
        if (!lexer.is_failed && out->count && out->items[out->count - 1].kind == TOKEN_LEFT_DELIMITER)
            while (lex_action(&lexer))
                ;
    } while (!lexer.is_failed && !(out->count && out->items[out->count - 1].kind == TOKEN_EOF));
}

void token_list_release(struct token_list *tokens)
{
    for (size_t i = 0; i < tokens->count; i++)
        free(tokens->items[i].text);
    free(tokens->items);
    *tokens = (struct token_list){0};
}

char *quote_go_string(const char *text, size_t length)
{
    struct strbuf quoted = STRBUF_INIT;
    strbuf_add_char(&quoted, '"');
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        static const char plain[] = "\a\b\t\n\v\f\r", letters[] = "abtnvfr";
        const char *place = byte ? strchr(plain, byte) : NULL;
        if (byte == '"' || byte == '\\')
            strbuf_addf(&quoted, "\\%c", byte);
        else if (place)
            strbuf_addf(&quoted, "\\%c", letters[place - plain]);
        else if (byte < 0x20 || byte == 0x7f)
            strbuf_addf(&quoted, "\\x%02x", byte);
        else
            strbuf_add_char(&quoted, (char)byte);
    }
    strbuf_add_char(&quoted, '"');
    return strbuf_take(&quoted);
}

char *token_describe(const struct token *token)
{
    if (token->kind == TOKEN_EOF)
        return xstrdup("EOF");
    if (token->kind == TOKEN_ERROR)
        return xstrdup(token->text);
    if (token->kind > TOKEN_KEYWORD)
        return xasprintf("<%s>", token->text);
    if (strlen(token->text) <= 10)
        return quote_go_string(token->text, strlen(token->text));
    _cleanup_free_ char *start = quote_go_string(token->text, 10);
    return xasprintf("%s...", start);
}
