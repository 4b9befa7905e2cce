/* Recursive descent over the tokens, with the checks and messages of Go's text/template/parse. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "cli/template/functions.h"
#include "cli/template/lexer.h"
#include "cli/template/literal.h"
#include "cli/template/node.h"
#include "cli/template/template.h"

#define MAX_NESTING 500

struct parser {
    struct template *template;
    struct token_list tokens;
    size_t next; /* token that is read next */
    size_t last; /* token that was looked at last: errors name its line */
    size_t action_line;
    struct strlist variables;
    int range_depth;
    int nesting;
    struct error *err;
};

static const struct token *look(struct parser *parser, size_t index)
{
    parser->last = MIN(index, parser->tokens.count - 1);
    return &parser->tokens.items[parser->last];
}

static const struct token *next(struct parser *parser)
{
    const struct token *token = look(parser, parser->next);
    if (parser->next < parser->tokens.count)
        parser->next++;
    return token;
}

static const struct token *peek(struct parser *parser)
{
    return look(parser, parser->next);
}

static const struct token *next_word(struct parser *parser)
{
    while (peek(parser)->kind == TOKEN_SPACE)
        parser->next++;
    return next(parser);
}

static const struct token *peek_word(struct parser *parser)
{
    while (peek(parser)->kind == TOKEN_SPACE)
        parser->next++;
    return peek(parser);
}

static void back(struct parser *parser)
{
    parser->next--;
}

/* Sets the error and returns NULL. */
static void *_printf_(2, 3) fail(struct parser *parser, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *message = xvasprintf(format, arguments);
    va_end(arguments);
    error_set(parser->err, ERROR_INVALID, "template: %s:%zu: %s", parser->template->name,
              parser->tokens.items[parser->last].line, message);
    return NULL;
}

static void *unexpected(struct parser *parser, const struct token *token, const char *context)
{
    _cleanup_free_ char *text = token_describe(token);
    if (token->kind != TOKEN_ERROR)
        return fail(parser, "unexpected %s in %s", text, context);
    if (!parser->action_line || parser->action_line == token->line)
        return fail(parser, "%s", text);
    return fail(parser, "%s%s started at %s:%zu", text, string_ends_with(text, " action") ? "" : " in action",
                parser->template->name, parser->action_line);
}

static const struct token *expect(struct parser *parser, enum token_kind kind, const char *context)
{
    const struct token *token = next_word(parser);
    return token->kind == kind ? token : unexpected(parser, token, context);
}

static struct node *node_new(enum node_kind kind, size_t position)
{
    struct node *node = NEW(struct node);
    node->kind = kind;
    node->position = position;
    return node;
}

static void add_child(struct node *parent, struct node *child)
{
    *APPEND(parent->children, parent->child_count) = child;
}

static bool unquote_token(struct parser *parser, const struct token *token, struct strbuf *out)
{
    if (literal_unquote(token->text, out))
        return true;
    strbuf_release(out);
    fail(parser, "invalid syntax");
    return false;
}

static struct node *constant(enum node_kind kind, const struct token *token, const struct value_type *type,
                             json_t *json)
{
    struct node *node = node_new(kind, token->position);
    node->text = xstrdup(token->text);
    node->constant = json;
    node->constant_type = type;
    return node;
}

static struct node *parse_number(struct parser *parser, const struct token *token)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (token->kind == TOKEN_CHARACTER_CONSTANT) {
        if (!literal_unquote(token->text, &text) || !text.length)
            return fail(parser, "malformed character constant: %s", token->text);
        _cleanup_free_ char *described = describe_character(strbuf_text(&text));
        size_t runes = 0;
        for (size_t i = 0; i < text.length; i++)
            runes += ((unsigned char)text.data[i] & 0xc0) != 0x80;
        if (runes != 1)
            return fail(parser, "malformed character constant: %s", token->text);
        return constant(NODE_NUMBER, token, &type_int, json_integer(strtol(described + 2, NULL, 16)));
    }
    for (const char *cursor = token->text; *cursor; cursor++)
        if (*cursor != '_')
            strbuf_add_char(&text, *cursor);
    const char *digits = strbuf_text(&text);
    bool is_negative = *digits == '-';
    const char *body = digits + (*digits == '-' || *digits == '+');
    int base = 10;
    bool has_prefix = body[0] == '0' && body[1] && strchr("xXbBoO", body[1]);
    if (has_prefix) {
        base = strchr("xX", body[1]) ? 16 : strchr("bB", body[1]) ? 2 : 8;
        body += 2;
    } else if (body[0] == '0' && isdigit((unsigned char)body[1])) {
        base = 8;
    }
    char *end;
    errno = 0;
    unsigned long long number = strtoull(body, &end, base);
    if (*body && !*end && isxdigit((unsigned char)*body)) {
        if (errno || number > (unsigned long long)INT64_MAX + is_negative)
            return fail(parser, "integer overflow: \"%s\"", token->text);
        return constant(NODE_NUMBER, token, &type_int, json_integer((json_int_t)(is_negative ? 0 - number : number)));
    }
    double real = strtod(digits, &end);
    if (!*digits || *end || end == digits)
        return fail(parser, "illegal number syntax: \"%s\"", token->text);
    return constant(NODE_NUMBER, token, &type_float64, json_real(real));
}

static struct node *parse_pipeline(struct parser *parser, const char *context, enum token_kind end);

static struct node *parse_variable(struct parser *parser, const struct token *token)
{
    if (!strlist_contains(&parser->variables, token->text))
        return fail(parser, "undefined variable \"%s\"", token->text);
    struct node *node = node_new(NODE_VARIABLE, token->position);
    strlist_add(&node->names, token->text);
    return node;
}

/* A word of a command. NULL without an error: the next token starts none. */
static struct node *parse_term(struct parser *parser)
{
    const struct token *token = next_word(parser);
    struct node *node;
    switch (token->kind) {
    case TOKEN_IDENTIFIER: {
        const struct template_function *function = template_function_find(token->text);
        if (!function)
            return fail(parser, "function \"%s\" not defined", token->text);
        node = node_new(NODE_IDENTIFIER, token->position);
        node->text = xstrdup(token->text);
        node->function = function;
        return node;
    }
    case TOKEN_DOT:
        return node_new(NODE_DOT, token->position);
    case TOKEN_NIL:
        return node_new(NODE_NIL, token->position);
    case TOKEN_VARIABLE:
        return parse_variable(parser, token);
    case TOKEN_FIELD:
        node = node_new(NODE_FIELD, token->position);
        strlist_add(&node->names, token->text + 1);
        return node;
    case TOKEN_BOOL:
        return constant(NODE_BOOL, token, &type_bool, json_boolean(token->text[0] == 't'));
    case TOKEN_CHARACTER_CONSTANT:
    case TOKEN_NUMBER:
        return parse_number(parser, token);
    case TOKEN_LEFT_PAREN:
        return parse_pipeline(parser, "parenthesized pipeline", TOKEN_RIGHT_PAREN);
    case TOKEN_STRING:
    case TOKEN_RAW_STRING: {
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        if (!unquote_token(parser, token, &text))
            return NULL;
        return constant(NODE_STRING, token, &type_string, json_stringn_nocheck(strbuf_text(&text), text.length));
    }
    default:
        back(parser);
        return NULL;
    }
}

/* A term and the fields that follow it at once. */
static struct node *parse_operand(struct parser *parser)
{
    _cleanup_(node_freep) struct node *node = parse_term(parser);
    if (!node || peek(parser)->kind != TOKEN_FIELD)
        return TAKE_PTR(node);
    size_t position = peek(parser)->position;
    switch (node->kind) {
    case NODE_FIELD:
    case NODE_VARIABLE:
        node->position = position;
        break;
    case NODE_DOT:
    case NODE_NIL:
    case NODE_BOOL:
    case NODE_NUMBER:
    case NODE_STRING: {
        _cleanup_free_ char *text = node_describe(node);
        _cleanup_free_ char *quoted = quote_go_string(text, strlen(text));
        return fail(parser, "unexpected . after term %s", quoted);
    }
    default: {
        struct node *chain = node_new(NODE_CHAIN, position);
        add_child(chain, TAKE_PTR(node));
        node = chain;
    }
    }
    while (peek(parser)->kind == TOKEN_FIELD)
        strlist_add(&node->names, next(parser)->text + 1);
    return TAKE_PTR(node);
}

static bool has_failed(const struct parser *parser)
{
    return parser->err->kind != ERROR_NONE;
}

static struct node *parse_command(struct parser *parser)
{
    _cleanup_(node_freep) struct node *command = node_new(NODE_COMMAND, peek_word(parser)->position);
    while (true) {
        peek_word(parser);
        struct node *operand = parse_operand(parser);
        if (has_failed(parser))
            return NULL;
        if (operand)
            add_child(command, operand);
        const struct token *token = next(parser);
        if (token->kind == TOKEN_SPACE)
            continue;
        if (token->kind == TOKEN_RIGHT_DELIMITER || token->kind == TOKEN_RIGHT_PAREN)
            back(parser);
        else if (token->kind != TOKEN_PIPE)
            return unexpected(parser, token, "operand");
        break;
    }
    return command->child_count ? TAKE_PTR(command) : fail(parser, "empty command");
}

static void declare(struct parser *parser, struct node *pipe, const struct token *token)
{
    struct node *variable = node_new(NODE_VARIABLE, token->position);
    strlist_add(&variable->names, token->text);
    *APPEND(pipe->declarations, pipe->declaration_count) = variable;
    strlist_add(&parser->variables, token->text);
}

/* "$x :=", "$x =", "$i, $x :=" at the start of a pipeline, where they are there. */
static bool parse_declarations(struct parser *parser, struct node *pipe, const char *context)
{
    while (peek_word(parser)->kind == TOKEN_VARIABLE) {
        size_t start = parser->next;
        const struct token *variable = next(parser), *after = peek_word(parser);
        if (after->kind == TOKEN_ASSIGN || after->kind == TOKEN_DECLARE) {
            pipe->is_assignment = after->kind == TOKEN_ASSIGN;
            next_word(parser);
            declare(parser, pipe, variable);
            return true;
        }
        if (after->kind != TOKEN_CHARACTER || strcmp(after->text, ",") != 0) {
            parser->next = start;
            return true;
        }
        next_word(parser);
        declare(parser, pipe, variable);
        if (strcmp(context, "range") != 0 || pipe->declaration_count >= 2) {
            fail(parser, "too many declarations in %s", context);
            return false;
        }
        enum token_kind kind = peek_word(parser)->kind;
        if (kind != TOKEN_VARIABLE && kind != TOKEN_RIGHT_DELIMITER && kind != TOKEN_RIGHT_PAREN) {
            fail(parser, "range can only initialize variables");
            return false;
        }
    }
    return true;
}

static struct node *check_pipeline(struct parser *parser, struct node *pipe, const char *context)
{
    if (!pipe->child_count)
        return fail(parser, "missing value for %s", context);
    for (size_t i = 1; i < pipe->child_count; i++) {
        enum node_kind kind = pipe->children[i]->children[0]->kind;
        if (kind == NODE_BOOL || kind == NODE_DOT || kind == NODE_NIL || kind == NODE_NUMBER || kind == NODE_STRING)
            return fail(parser, "non executable command in pipeline stage %zu", i + 1);
    }
    return pipe;
}

static struct node *parse_pipeline(struct parser *parser, const char *context, enum token_kind end)
{
    _cleanup_(node_freep) struct node *pipe = node_new(NODE_PIPE, peek_word(parser)->position);
    if (++parser->nesting > MAX_NESTING)
        return fail(parser, "template is nested too deeply");
    if (!parse_declarations(parser, pipe, context))
        return NULL;
    while (true) {
        const struct token *token = next_word(parser);
        if (token->kind == end) {
            parser->nesting--;
            return check_pipeline(parser, pipe, context) ? TAKE_PTR(pipe) : NULL;
        }
        switch (token->kind) {
        case TOKEN_BOOL:
        case TOKEN_CHARACTER_CONSTANT:
        case TOKEN_DOT:
        case TOKEN_FIELD:
        case TOKEN_IDENTIFIER:
        case TOKEN_NUMBER:
        case TOKEN_NIL:
        case TOKEN_RAW_STRING:
        case TOKEN_STRING:
        case TOKEN_VARIABLE:
        case TOKEN_LEFT_PAREN:
            break;
        default:
            return unexpected(parser, token, context);
        }
        back(parser);
        struct node *command = parse_command(parser);
        if (!command)
            return NULL;
        add_child(pipe, command);
    }
}

static struct node *parse_statement(struct parser *parser);

/* Statements up to {{end}} or {{else}}, which is given in *end. */
static struct node *parse_list(struct parser *parser, struct node **end)
{
    _cleanup_(node_freep) struct node *list = node_new(NODE_LIST, peek_word(parser)->position);
    while (peek_word(parser)->kind != TOKEN_EOF) {
        struct node *node = parse_statement(parser);
        if (!node)
            return NULL;
        if (node->kind == NODE_END || node->kind == NODE_ELSE) {
            *end = node;
            return TAKE_PTR(list);
        }
        add_child(list, node);
    }
    return fail(parser, "unexpected EOF");
}

static void drop_variables(struct parser *parser, size_t count)
{
    while (parser->variables.count > count)
        strlist_remove(&parser->variables, parser->variables.count - 1);
}

static struct node *parse_control(struct parser *parser, enum node_kind kind, const char *context, size_t position);

/* What follows an {{else}}: a list, or the {{if}} of an {{else if}}, whose {{end}} then ends both. */
static bool parse_otherwise(struct parser *parser, struct node *control, const char *context, size_t position)
{
    enum token_kind chained = control->kind == NODE_IF ? TOKEN_IF : control->kind == NODE_WITH ? TOKEN_WITH : TOKEN_EOF;
    if (peek(parser)->kind == chained) {
        next(parser);
        control->otherwise = node_new(NODE_LIST, position);
        struct node *inner = parse_control(parser, control->kind, context, position);
        if (inner)
            add_child(control->otherwise, inner);
        return inner != NULL;
    }
    _cleanup_(node_freep) struct node *end = NULL;
    control->otherwise = parse_list(parser, &end);
    if (!control->otherwise)
        return false;
    if (end->kind == NODE_END)
        return true;
    fail(parser, "expected end; found {{else}}");
    return false;
}

static struct node *parse_control(struct parser *parser, enum node_kind kind, const char *context, size_t position)
{
    _cleanup_(node_freep) struct node *control = node_new(kind, position);
    _cleanup_(node_freep) struct node *end = NULL;
    size_t variables = parser->variables.count;
    if (++parser->nesting > MAX_NESTING)
        return fail(parser, "template is nested too deeply");
    control->pipe = parse_pipeline(parser, context, TOKEN_RIGHT_DELIMITER);
    if (!control->pipe)
        return NULL;
    parser->range_depth += kind == NODE_RANGE;
    control->body = parse_list(parser, &end);
    parser->range_depth -= kind == NODE_RANGE;
    if (!control->body || (end->kind == NODE_ELSE && !parse_otherwise(parser, control, context, position)))
        return NULL;
    drop_variables(parser, variables);
    parser->nesting--;
    return TAKE_PTR(control);
}

static struct node *parse_else(struct parser *parser, size_t position)
{
    enum token_kind kind = peek_word(parser)->kind;
    if (kind == TOKEN_IF || kind == TOKEN_WITH || expect(parser, TOKEN_RIGHT_DELIMITER, "else"))
        return node_new(NODE_ELSE, position);
    return NULL;
}

static struct node *parse_loop_exit(struct parser *parser, enum node_kind kind, const char *text, size_t position)
{
    const struct token *token = next_word(parser);
    if (token->kind != TOKEN_RIGHT_DELIMITER)
        return unexpected(parser, token, text);
    if (!parser->range_depth)
        return fail(parser, "%s outside {{range}}", text);
    return node_new(kind, position);
}

/* `position` may be NULL. */
static char *parse_name(struct parser *parser, const char *context, size_t *position)
{
    const struct token *token = next_word(parser);
    if (position)
        *position = token->position;
    if (token->kind != TOKEN_STRING && token->kind != TOKEN_RAW_STRING)
        return unexpected(parser, token, context);
    struct strbuf name = STRBUF_INIT;
    return unquote_token(parser, token, &name) ? strbuf_take(&name) : NULL;
}

static bool is_blank(const char *text)
{
    return !text[strspn(text, " \t\r\n")];
}

/* The later of two definitions with one name counts, unless it is empty. */
static void define(struct template *template, const char *name, struct node *root)
{
    for (size_t i = 0; i < template->definition_count; i++) {
        if (strcmp(template->definitions[i].name, name) != 0)
            continue;
        bool is_empty = true;
        for (size_t k = 0; k < root->child_count; k++)
            is_empty &= root->children[k]->kind == NODE_TEXT && is_blank(root->children[k]->text);
        node_free(is_empty ? root : template->definitions[i].root);
        if (!is_empty)
            template->definitions[i].root = root;
        return;
    }
    *APPEND(template->definitions, template->definition_count) = (struct template_definition){xstrdup(name), root};
}

/* The body of a {{define}} or {{block}}: variables of the outside are not seen. */
static bool parse_definition_body(struct parser *parser, const char *name, const char *context)
{
    struct strlist outer = parser->variables;
    int range_depth = parser->range_depth;
    parser->variables = (struct strlist){0};
    parser->range_depth = 0;
    strlist_add(&parser->variables, "$");
    _cleanup_(node_freep) struct node *end = NULL;
    struct node *root = parse_list(parser, &end);
    strlist_release(&parser->variables);
    parser->variables = outer;
    parser->range_depth = range_depth;
    if (root && end->kind != NODE_END) {
        node_free(root);
        fail(parser, "unexpected {{else}} in %s", context);
        return false;
    }
    if (root)
        define(parser->template, name, root);
    return root != NULL;
}

static bool parse_definition(struct parser *parser)
{
    const char *context = "define clause";
    _cleanup_free_ char *name = parse_name(parser, context, NULL);
    return name && expect(parser, TOKEN_RIGHT_DELIMITER, context) && parse_definition_body(parser, name, context);
}

static struct node *parse_template_call(struct parser *parser, size_t position)
{
    _cleanup_(node_freep) struct node *node = node_new(NODE_TEMPLATE, position);
    node->text = parse_name(parser, "template clause", &node->position);
    if (!node->text)
        return NULL;
    if (next_word(parser)->kind == TOKEN_RIGHT_DELIMITER)
        return TAKE_PTR(node);
    back(parser);
    node->pipe = parse_pipeline(parser, "template clause", TOKEN_RIGHT_DELIMITER);
    return node->pipe ? TAKE_PTR(node) : NULL;
}

static struct node *parse_block(struct parser *parser, size_t position)
{
    const char *context = "block clause";
    _cleanup_(node_freep) struct node *node = node_new(NODE_TEMPLATE, position);
    node->text = parse_name(parser, context, &node->position);
    if (!node->text)
        return NULL;
    node->pipe = parse_pipeline(parser, context, TOKEN_RIGHT_DELIMITER);
    if (!node->pipe || !parse_definition_body(parser, node->text, context))
        return NULL;
    return TAKE_PTR(node);
}

static struct node *parse_action(struct parser *parser)
{
    const struct token *token = next_word(parser);
    switch (token->kind) {
    case TOKEN_BLOCK:
        return parse_block(parser, token->position);
    case TOKEN_BREAK:
        return parse_loop_exit(parser, NODE_BREAK, "{{break}}", token->position);
    case TOKEN_CONTINUE:
        return parse_loop_exit(parser, NODE_CONTINUE, "{{continue}}", token->position);
    case TOKEN_ELSE:
        return parse_else(parser, token->position);
    case TOKEN_END:
        return expect(parser, TOKEN_RIGHT_DELIMITER, "end") ? node_new(NODE_END, token->position) : NULL;
    case TOKEN_IF:
        return parse_control(parser, NODE_IF, "if", token->position);
    case TOKEN_RANGE:
        return parse_control(parser, NODE_RANGE, "range", token->position);
    case TOKEN_WITH:
        return parse_control(parser, NODE_WITH, "with", token->position);
    case TOKEN_TEMPLATE:
        return parse_template_call(parser, token->position);
    default:
        break;
    }
    back(parser);
    _cleanup_(node_freep) struct node *action = node_new(NODE_ACTION, peek(parser)->position);
    action->pipe = parse_pipeline(parser, "command", TOKEN_RIGHT_DELIMITER);
    return action->pipe ? TAKE_PTR(action) : NULL;
}

static struct node *parse_statement(struct parser *parser)
{
    const struct token *token = next_word(parser);
    if (token->kind == TOKEN_TEXT) {
        struct node *text = node_new(NODE_TEXT, token->position);
        text->text = xstrdup(token->text);
        return text;
    }
    if (token->kind != TOKEN_LEFT_DELIMITER)
        return unexpected(parser, token, "input");
    parser->action_line = token->line;
    struct node *node = parse_action(parser);
    if (node)
        parser->action_line = 0;
    return node;
}

static bool parse_top(struct parser *parser)
{
    parser->template->root = node_new(NODE_LIST, 0);
    while (peek(parser)->kind != TOKEN_EOF) {
        if (peek(parser)->kind == TOKEN_LEFT_DELIMITER) {
            size_t start = parser->next;
            next(parser);
            if (next_word(parser)->kind == TOKEN_DEFINE) {
                if (!parse_definition(parser))
                    return false;
                continue;
            }
            parser->next = start;
        }
        struct node *node = parse_statement(parser);
        if (!node)
            return false;
        if (node->kind == NODE_END || node->kind == NODE_ELSE) {
            fail(parser, "unexpected %s", node->kind == NODE_END ? "{{end}}" : "{{else}}");
            node_free(node);
            return false;
        }
        add_child(parser->template->root, node);
    }
    return true;
}

struct template *template_parse(const char *text, struct error *err)
{
    return template_parse_named("", text, err);
}

struct template *template_parse_named(const char *name, const char *text, struct error *err)
{
    _cleanup_error_ struct error why = ERROR_INIT;
    struct parser parser = {.err = &why};
    _cleanup_(template_freep) struct template *template = NEW(struct template);
    template->name = xstrdup(name);
    template->text = xstrdup(text);
    parser.template = template;
    template_tokenize(text, &parser.tokens);
    strlist_add(&parser.variables, "$");
    bool is_fine = parse_top(&parser);
    token_list_release(&parser.tokens);
    strlist_release(&parser.variables);
    if (is_fine)
        return TAKE_PTR(template);
    error_move(err, &why);
    return NULL;
}

void template_free(struct template *template)
{
    if (!template)
        return;
    free(template->name);
    free(template->text);
    node_free(template->root);
    for (size_t i = 0; i < template->definition_count; i++) {
        free(template->definitions[i].name);
        node_free(template->definitions[i].root);
    }
    free(template->definitions);
    free(template);
}
