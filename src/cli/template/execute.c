/* Walks the tree of a template as Go's text/template/exec.go does: the same order of evaluation, so that the same node
   is the one that an error names. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/template/functions.h"
#include "cli/template/node.h"
#include "cli/template/print.h"
#include "cli/template/template.h"

#define MAX_DEPTH 1000

enum walk_result { WALK_FINE, WALK_FAILED, WALK_BREAK, WALK_CONTINUE };

struct variable {
    const char *name;
    struct value value;
};

struct run {
    const struct template *template;
    unsigned flags;
    const struct node *node; /* the one that errors name */
    const char *name;        /* of the template being run */
    struct variable *variables;
    size_t variable_count;
    size_t variable_base; /* variables below belong to a template that called this one */
    int depth;
    struct value_pool pool;
    struct strbuf *out;
    struct error *err;
};

/* A call's last argument from the stage of the pipeline before; NULL in the first stage. */
typedef const struct value *final_value;

static bool eval_pipeline(struct run *run, struct value dot, const struct node *pipe, struct value *out);
static bool eval_argument(struct run *run, struct value dot, const struct node *node, struct value *out);

static bool _printf_(2, 3) fail(struct run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *message = xvasprintf(format, arguments);
    va_end(arguments);
    size_t line = 1, column = 0;
    for (size_t i = 0; i < run->node->position; i++)
        column = run->template->text[i] == '\n' ? (line++, 0) : column + 1;
    _cleanup_free_ char *context = node_describe(run->node);
    return error_set(run->err, ERROR_INVALID, "template: %s:%zu:%zu: executing \"%s\" at <%s>: %s", run->template->name,
                     line, column, run->name, context, message);
}

static void at(struct run *run, const struct node *node)
{
    run->node = node;
}

/* --- variables --- */

static void push(struct run *run, const char *name, struct value value)
{
    *APPEND(run->variables, run->variable_count) = (struct variable){name, value};
}

static struct variable *find_variable(struct run *run, const char *name)
{
    for (size_t i = run->variable_count; i > run->variable_base; i--)
        if (strcmp(run->variables[i - 1].name, name) == 0)
            return &run->variables[i - 1];
    return NULL;
}

/* --- fields and calls --- */

static bool check_type(struct run *run, struct value value, char parameter, struct value *out)
{
    bool is_nil;
    const char *expected = parameter == 's' ? "string" : parameter == 'i' ? "int" : "[]string";
    if (parameter == 'v') {
        *out = value;
        return true;
    }
    if (!value.type) {
        if (parameter != 'l')
            return fail(run, "invalid value; expected %s", expected);
        *out = (struct value){&type_strings, NULL};
        return true;
    }
    struct value inner = value_indirect(value, &is_nil);
    if (is_nil)
        return fail(run, "%s %s", "wrong type for value; expected", expected);
    enum value_kind kind = inner.type->kind;
    bool is_list = kind == VALUE_KIND_LIST && inner.type->element == &type_string;
    bool fits = parameter == 's'   ? kind == VALUE_KIND_STRING
                : parameter == 'i' ? kind == VALUE_KIND_INT && inner.type == &type_int
                                   : is_list;
    if (!fits)
        return fail(run, "wrong type for value; expected %s; got %s", expected, inner.type->name);
    *out = inner;
    return true;
}

static bool eval_typed_argument(struct run *run, struct value dot, const struct node *node, char parameter,
                                struct value *out)
{
    at(run, node);
    if (parameter == 'v')
        return eval_argument(run, dot, node, out);
    const char *expected = parameter == 's' ? "string" : "integer";
    switch (node->kind) {
    case NODE_NIL:
        if (parameter != 'l')
            return fail(run, "cannot assign nil to %s", parameter == 's' ? "string" : "int");
        *out = (struct value){&type_strings, NULL};
        return true;
    case NODE_BOOL:
    case NODE_NUMBER:
    case NODE_STRING:
        if (parameter == 'l')
            return fail(run, "can't handle %s for arg of type []string", node->text);
        if (node->constant_type != (parameter == 's' ? &type_string : &type_int))
            return fail(run, "expected %s; found %s", expected, node->text);
        *out = (struct value){node->constant_type, node->constant};
        return true;
    default: {
        struct value value;
        return eval_argument(run, dot, node, &value) && check_type(run, value, parameter, out);
    }
    }
}

static bool eval_lazy(struct run *run, struct value dot, const struct template_function *function,
                      const struct node *command, final_value final, struct value *out)
{
    bool stops_at = strcmp(function->name, "or") == 0;
    struct value value = VALUE_INVALID;
    for (size_t i = 1; i < command->child_count; i++) {
        if (!eval_argument(run, dot, command->children[i], &value))
            return false;
        if (value_is_true(value) == stops_at) {
            *out = value_of_interface(value);
            return true;
        }
    }
    *out = final ? *final : value_of_interface(value);
    return true;
}

static bool eval_function(struct run *run, struct value dot, const struct node *word, const struct node *command,
                          final_value final, struct value *out)
{
    at(run, word);
    const struct template_function *function = word->function;
    size_t given = command ? command->child_count - 1 : 0, count = given + (final ? 1 : 0);
    size_t parameters = strlen(function->parameters);
    bool is_variadic = function->parameters[parameters - 1] == '*';
    size_t fixed = is_variadic ? parameters - 2 : parameters;
    if (is_variadic && count < fixed)
        return fail(run, "wrong number of args for %s: want at least %zu got %zu", function->name, fixed, given);
    if (!is_variadic && count != fixed)
        return fail(run, "wrong number of args for %s: want %zu got %zu", function->name, fixed, count);
    if (function->is_lazy)
        return eval_lazy(run, dot, function, command, final, out);
    _cleanup_free_ struct value *arguments = xcalloc(count + 1, sizeof(*arguments));
    for (size_t i = 0; i < count; i++) {
        char parameter = function->parameters[i < fixed ? i : parameters - 2];
        if (i < given ? !eval_typed_argument(run, dot, command->children[i + 1], parameter, &arguments[i])
                      : !check_type(run, *final, parameter, &arguments[i]))
            return false;
    }
    _cleanup_error_ struct error why = ERROR_INIT;
    _cleanup_free_ char *source = given ? node_describe(command->children[1]) : xstrdup("");
    struct template_call call = {&run->pool, arguments, count, run->flags & TEMPLATE_HEADER, source};
    if (function->call(&call, out, &why))
        return true;
    at(run, command ? command : word);
    return fail(run, "error calling %s: %s", function->name, error_message(&why));
}

/* A method of the receiver; *is_found is false, and nothing else done, where it has none of that name. */
static bool eval_method(struct run *run, struct value dot, struct value receiver, const char *name,
                        const struct node *command, final_value final, bool *is_found, struct value *out)
{
    const struct value_method *method = NULL;
    for (size_t i = 0; i < receiver.type->method_count && !method; i++)
        if (strcmp(receiver.type->methods[i].name, name) == 0)
            method = &receiver.type->methods[i];
    *is_found = method != NULL;
    if (!method)
        return true;
    size_t given = command ? command->child_count - 1 : 0, count = given + (final ? 1 : 0);
    if (count != 1)
        return fail(run, "wrong number of args for %s: want 1 got %zu", name, count);
    struct value argument;
    if (given ? !eval_typed_argument(run, dot, command->children[1], 's', &argument)
              : !check_type(run, *final, 's', &argument))
        return false;
    *out = pool_string(&run->pool, method->call(receiver.json, string_or_empty(json_string_value(argument.json))));
    return true;
}

/* The columns of a row are methods without arguments to Go. */
static bool eval_row_field(struct run *run, struct value row, const char *name, const struct node *command,
                           final_value final, struct value *out)
{
    static const struct value_type nothing = VALUE_POINTER("*v1.Platform", &type_any);
    json_t *json = json_object_get(row.json, name);
    size_t count = (command ? command->child_count - 1 : 0) + (final ? 1 : 0);
    if (!json)
        return fail(run, "can't evaluate field %s in type %s", name, row.type->name);
    if (count)
        return fail(run, "wrong number of args for %s: want 0 got %zu", name, count);
    if (json_is_null(json))
        *out = (struct value){&nothing, json};
    else
        *out = json_is_string(json) ? (struct value){&type_string, json} : value_of_json(json);
    return true;
}

/* `command` has the arguments (behind its first word) and is NULL where there are none. */
static bool eval_field(struct run *run, struct value dot, const char *name, const struct node *command,
                       final_value final, struct value receiver, struct value *out)
{
    bool has_arguments = (command && command->child_count > 1) || final, is_nil;
    if (!receiver.type) {
        if (run->flags & TEMPLATE_MISSING_KEY_FAILS)
            return fail(run, "nil data; no entry for key \"%s\"", name);
        *out = VALUE_INVALID;
        return true;
    }
    const char *type_name = receiver.type->name;
    struct value inner = value_indirect(receiver, &is_nil);
    if (inner.type && inner.type->kind == VALUE_KIND_ANY && is_nil)
        return fail(run, "nil pointer evaluating %s.%s", type_name, name);
    bool is_method;
    if (!eval_method(run, dot, inner, name, command, final, &is_method, out))
        return false;
    if (is_method)
        return true;
    switch (inner.type->kind) {
    case VALUE_KIND_ROW:
        return eval_row_field(run, inner, name, command, final, out);
    case VALUE_KIND_STRUCT:
        if (!value_field(inner, name, out))
            break;
        if (has_arguments)
            return fail(run, "%s has arguments but cannot be invoked as function", name);
        return true;
    case VALUE_KIND_MAP:
        if (inner.type->key_name)
            break;
        if (has_arguments)
            return fail(run, "%s is not a method but has arguments", name);
        *out = value_member(inner, name);
        if (!out->type && run->flags & TEMPLATE_MISSING_KEY_FAILS)
            return fail(run, "map has no entry for key \"%s\"", name);
        return true;
    case VALUE_KIND_POINTER: {
        struct value ignored;
        struct value empty = {inner.type->element, NULL};
        if (empty.type->kind == VALUE_KIND_STRUCT && !value_field(empty, name, &ignored))
            break;
        return fail(run, "nil pointer evaluating %s.%s", type_name, name);
    }
    default:
        break;
    }
    return fail(run, "can't evaluate field %s in type %s", name, type_name);
}

/* The names from `first` on; the arguments belong to the last one. */
static bool eval_chain(struct run *run, struct value dot, struct value receiver, const struct strlist *names,
                       size_t first, const struct node *command, final_value final, struct value *out)
{
    for (size_t i = first; i < names->count; i++) {
        bool is_last = i + 1 == names->count;
        if (!eval_field(run, dot, names->items[i], is_last ? command : NULL, is_last ? final : NULL, receiver,
                        &receiver))
            return false;
    }
    *out = receiver;
    return true;
}

static bool check_no_arguments(struct run *run, const struct node *command, final_value final)
{
    if ((!command || command->child_count <= 1) && !final)
        return true;
    _cleanup_free_ char *text = node_describe(command->children[0]);
    bool is_pipe = command->children[0]->kind == NODE_PIPE;
    return fail(run, "can't give argument to non-function %s%s%s", is_pipe ? "(" : "", text, is_pipe ? ")" : "");
}

/* One word with the arguments that follow it in `command` (NULL: none). */
static bool eval_word(struct run *run, struct value dot, const struct node *word, const struct node *command,
                      final_value final, struct value *out)
{
    switch (word->kind) {
    case NODE_FIELD:
        at(run, word);
        return eval_chain(run, dot, dot, &word->names, 0, command, final, out);
    case NODE_CHAIN: {
        struct value start;
        at(run, word);
        if (word->children[0]->kind == NODE_NIL) {
            _cleanup_free_ char *text = node_describe(word);
            return fail(run, "indirection through explicit nil in %s", text);
        }
        return eval_argument(run, dot, word->children[0], &start) &&
               eval_chain(run, dot, start, &word->names, 0, command, final, out);
    }
    case NODE_IDENTIFIER:
        return eval_function(run, dot, word, command, final, out);
    case NODE_PIPE:
        return check_no_arguments(run, command, final) && eval_pipeline(run, dot, word, out);
    case NODE_VARIABLE: {
        at(run, word);
        struct variable *variable = find_variable(run, word->names.items[0]);
        if (!variable)
            return fail(run, "undefined variable: %s", word->names.items[0]);
        if (word->names.count > 1)
            return eval_chain(run, dot, variable->value, &word->names, 1, command, final, out);
        *out = variable->value;
        return check_no_arguments(run, command, final);
    }
    default:
        break;
    }
    at(run, word);
    if (!check_no_arguments(run, command, final))
        return false;
    if (word->kind == NODE_NIL)
        return fail(run, "nil is not a command");
    *out = word->kind == NODE_DOT ? dot : (struct value){word->constant_type, word->constant};
    return true;
}

static bool eval_argument(struct run *run, struct value dot, const struct node *node, struct value *out)
{
    at(run, node);
    if (node->kind == NODE_NIL) {
        *out = VALUE_INVALID;
        return true;
    }
    return eval_word(run, dot, node, NULL, NULL, out);
}

static bool eval_pipeline(struct run *run, struct value dot, const struct node *pipe, struct value *out)
{
    struct value value = VALUE_INVALID;
    at(run, pipe);
    for (size_t i = 0; i < pipe->child_count; i++) {
        struct value previous = value;
        const struct node *command = pipe->children[i];
        if (!eval_word(run, dot, command->children[0], command, i ? &previous : NULL, &value))
            return false;
        value = value_of_interface(value);
    }
    for (size_t i = 0; i < pipe->declaration_count; i++) {
        const char *name = pipe->declarations[i]->names.items[0];
        struct variable *variable = pipe->is_assignment ? find_variable(run, name) : NULL;
        if (!pipe->is_assignment)
            push(run, name, value);
        else if (variable)
            variable->value = value;
        else
            return fail(run, "undefined variable: %s", name);
    }
    *out = value;
    return true;
}

/* --- statements --- */

static enum walk_result walk(struct run *run, struct value dot, const struct node *node);

static enum walk_result walk_condition(struct run *run, struct value dot, const struct node *node)
{
    struct value value;
    if (!eval_pipeline(run, dot, node->pipe, &value))
        return WALK_FAILED;
    if (value_is_true(value))
        return walk(run, node->kind == NODE_WITH ? value : dot, node->body);
    return node->otherwise ? walk(run, dot, node->otherwise) : WALK_FINE;
}

/* One turn of a loop, with its variables set. */
static enum walk_result walk_turn(struct run *run, const struct node *node, struct value index, struct value element)
{
    const struct node *pipe = node->pipe;
    size_t mark = run->variable_count;
    for (size_t i = 0; i < pipe->declaration_count; i++) {
        bool is_index = pipe->declaration_count == 2 && i == 0;
        struct variable *variable = find_variable(run, pipe->declarations[i]->names.items[0]);
        if (variable)
            variable->value = is_index ? index : element;
    }
    enum walk_result result = walk(run, element, node->body);
    run->variable_count = mark;
    return result == WALK_CONTINUE ? WALK_FINE : result;
}

static enum walk_result walk_range(struct run *run, struct value dot, const struct node *node)
{
    struct value value;
    bool is_nil;
    at(run, node);
    if (!eval_pipeline(run, dot, node->pipe, &value))
        return WALK_FAILED;
    value = value_indirect(value, &is_nil);
    enum walk_result result = WALK_FINE;
    int64_t count = 0;
    enum value_kind kind = value.type ? value.type->kind : VALUE_KIND_LIST;
    if (kind == VALUE_KIND_LIST && value.type) {
        count = value_length(value);
        for (int64_t i = 0; i < count && result == WALK_FINE; i++)
            result = walk_turn(run, node, pool_int(&run->pool, i), value_element(value, (size_t)i));
    } else if (kind == VALUE_KIND_MAP) {
        count = value_length(value);
        size_t key_count;
        _cleanup_free_ const char **keys = value_keys(value, &key_count);
        for (size_t i = 0; i < key_count && result == WALK_FINE; i++)
            result = walk_turn(run, node, pool_string(&run->pool, xstrdup(keys[i])), value_member(value, keys[i]));
    } else if (kind == VALUE_KIND_INT) {
        count = value_int(value);
        if (node->pipe->declaration_count > 1) {
            fail(run, "can't use %lld to iterate over more than one variable", (long long)count);
            return WALK_FAILED;
        }
        for (int64_t i = 0; i < count && result == WALK_FINE; i++) {
            struct value number = pool_take(&run->pool, value.type, json_integer(i));
            result = walk_turn(run, node, number, number);
        }
    } else if (value.type) {
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        print_plain(&value, 1, &text);
        fail(run, "range can't iterate over %s", strbuf_text(&text));
        return WALK_FAILED;
    }
    if (result == WALK_BREAK)
        return WALK_FINE;
    return result == WALK_FINE && count <= 0 && node->otherwise ? walk(run, dot, node->otherwise) : result;
}

static enum walk_result walk_template(struct run *run, struct value dot, const struct node *node)
{
    at(run, node);
    const struct node *root = NULL;
    for (size_t i = 0; i < run->template->definition_count; i++)
        if (strcmp(run->template->definitions[i].name, node->text) == 0)
            root = run->template->definitions[i].root;
    if (!root) {
        fail(run, "template \"%s\" not defined", node->text);
        return WALK_FAILED;
    }
    if (run->depth == MAX_DEPTH) {
        fail(run, "exceeded maximum template depth (%d)", MAX_DEPTH);
        return WALK_FAILED;
    }
    struct value data = VALUE_INVALID;
    if (node->pipe && !eval_pipeline(run, dot, node->pipe, &data))
        return WALK_FAILED;
    size_t base = run->variable_base, count = run->variable_count;
    const char *name = run->name;
    run->name = node->text;
    run->variable_base = count;
    run->depth++;
    push(run, "$", data);
    enum walk_result result = walk(run, data, root);
    if (result == WALK_FAILED)
        return result;
    run->depth--;
    run->variable_count = count;
    run->variable_base = base;
    run->name = name;
    return WALK_FINE;
}

static enum walk_result walk(struct run *run, struct value dot, const struct node *node)
{
    enum walk_result result = WALK_FINE;
    struct value value;
    size_t mark = run->variable_count;
    at(run, node);
    switch (node->kind) {
    case NODE_LIST:
        for (size_t i = 0; i < node->child_count && result == WALK_FINE; i++)
            result = walk(run, dot, node->children[i]);
        return result;
    case NODE_TEXT:
        strbuf_add_string(run->out, node->text);
        return WALK_FINE;
    case NODE_ACTION:
        if (!eval_pipeline(run, dot, node->pipe, &value))
            return WALK_FAILED;
        if (node->pipe->declaration_count == 0)
            print_value(value, run->out);
        return WALK_FINE;
    case NODE_IF:
    case NODE_WITH:
        result = walk_condition(run, dot, node);
        break;
    case NODE_RANGE:
        result = walk_range(run, dot, node);
        break;
    case NODE_TEMPLATE:
        return walk_template(run, dot, node);
    case NODE_BREAK:
        return WALK_BREAK;
    case NODE_CONTINUE:
        return WALK_CONTINUE;
    default:
        return WALK_FINE;
    }
    run->variable_count = mark;
    return result;
}

bool template_execute(const struct template *template, struct value data, unsigned flags, struct strbuf *out,
                      struct error *err)
{
    _cleanup_error_ struct error why = ERROR_INIT;
    struct run run = {.template = template, .flags = flags, .name = template->name, .out = out, .err = &why};
    push(&run, "$", data);
    bool is_fine = walk(&run, data, template->root) != WALK_FAILED;
    free(run.variables);
    json_decref(run.pool.items);
    return is_fine || error_move(err, &why);
}
