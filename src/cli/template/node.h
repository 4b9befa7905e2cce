/* The tree of a parsed template. Internal to cli/template. */
#pragma once

#include <jansson.h>

#include "base/text.h"
#include "cli/template/value.h"

enum node_kind {
    NODE_LIST,
    NODE_TEXT,
    NODE_ACTION,
    NODE_IF,
    NODE_RANGE,
    NODE_WITH,
    NODE_TEMPLATE,
    NODE_BREAK,
    NODE_CONTINUE,
    NODE_ELSE, /* only while parsing, as is NODE_END */
    NODE_END,
    NODE_PIPE,
    NODE_COMMAND,
    NODE_IDENTIFIER,
    NODE_FIELD,    /* names: .a.b */
    NODE_VARIABLE, /* names: $x .a .b */
    NODE_CHAIN,    /* first child, then names: (pipe).a.b */
    NODE_DOT,
    NODE_NIL,
    NODE_BOOL,
    NODE_NUMBER,
    NODE_STRING,
};

struct node {
    enum node_kind kind;
    size_t position;
    char *text;           /* text; identifier; source text of a constant; name of a template */
    struct strlist names; /* of fields */
    json_t *constant;     /* the value of a constant */
    const struct value_type *constant_type;
    struct node **children; /* list: statements; pipe: commands; command: words; chain: its start */
    size_t child_count;
    struct node **declarations; /* pipe: variables */
    size_t declaration_count;
    bool is_assignment; /* pipe: "=", not ":=" */
    struct node *pipe;  /* action, if, range, with, template (may be NULL there) */
    struct node *body;
    struct node *otherwise;
    const struct template_function *function; /* identifier */
};

struct template_definition {
    char *name;
    struct node *root;
};

struct template
{
    char *name;
    char *text;
    struct node *root;
    struct template_definition *definitions;
    size_t definition_count;
};

void node_free(struct node *node);
DEFINE_CLEANUP(struct node *, node_free)
/* The source text that error messages quote; the caller frees. */
char *node_describe(const struct node *node);
