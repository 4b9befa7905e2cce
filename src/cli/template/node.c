#include "cli/template/node.h"

#include "base/memory.h"

void node_free(struct node *node)
{
    if (!node)
        return;
    free(node->text);
    strlist_release(&node->names);
    json_decref(node->constant);
    for (size_t i = 0; i < node->child_count; i++)
        node_free(node->children[i]);
    free(node->children);
    for (size_t i = 0; i < node->declaration_count; i++)
        node_free(node->declarations[i]);
    free(node->declarations);
    node_free(node->pipe);
    node_free(node->body);
    node_free(node->otherwise);
    free(node);
}

static void describe(const struct node *node, struct strbuf *out);

static void describe_pipe(const struct node *pipe, struct strbuf *out)
{
    for (size_t i = 0; i < pipe->declaration_count; i++) {
        strbuf_add_string(out, i ? ", " : "");
        describe(pipe->declarations[i], out);
    }
    if (pipe->declaration_count)
        strbuf_add_string(out, pipe->is_assignment ? " = " : " := ");
    for (size_t i = 0; i < pipe->child_count; i++) {
        strbuf_add_string(out, i ? " | " : "");
        describe(pipe->children[i], out);
    }
}

static void describe_word(const struct node *word, struct strbuf *out)
{
    bool is_pipe = word->kind == NODE_PIPE;
    strbuf_add_string(out, is_pipe ? "(" : "");
    describe(word, out);
    strbuf_add_string(out, is_pipe ? ")" : "");
}

static void describe(const struct node *node, struct strbuf *out)
{
    switch (node->kind) {
    case NODE_PIPE:
        describe_pipe(node, out);
        return;
    case NODE_COMMAND:
        for (size_t i = 0; i < node->child_count; i++) {
            strbuf_add_string(out, i ? " " : "");
            describe_word(node->children[i], out);
        }
        return;
    case NODE_CHAIN:
        describe_word(node->children[0], out);
        for (size_t i = 0; i < node->names.count; i++)
            strbuf_addf(out, ".%s", node->names.items[i]);
        return;
    case NODE_FIELD:
    case NODE_VARIABLE:
        for (size_t i = 0; i < node->names.count; i++)
            strbuf_addf(out, "%s%s", node->kind == NODE_FIELD || i ? "." : "", node->names.items[i]);
        return;
    case NODE_DOT:
        strbuf_add_char(out, '.');
        return;
    case NODE_NIL:
        strbuf_add_string(out, "nil");
        return;
    case NODE_ELSE:
        strbuf_add_string(out, "{{else}}");
        return;
    case NODE_END:
        strbuf_add_string(out, "{{end}}");
        return;
    case NODE_TEMPLATE:
        strbuf_addf(out, "{{template \"%s\"", node->text);
        if (node->pipe) {
            strbuf_add_char(out, ' ');
            describe_pipe(node->pipe, out);
        }
        strbuf_add_string(out, "}}");
        return;
    case NODE_ACTION:
        strbuf_add_string(out, "{{");
        describe_pipe(node->pipe, out);
        strbuf_add_string(out, "}}");
        return;
    default:
        strbuf_add_string(out, string_or_empty(node->text));
    }
}

char *node_describe(const struct node *node)
{
    struct strbuf text = STRBUF_INIT;
    describe(node, &text);
    return strbuf_take(&text);
}
