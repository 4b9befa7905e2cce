/* The functions of templates: Go's and docker's. Internal to cli/template. */
#pragma once

#include "cli/template/value.h"

/* Values that a template makes while it runs; freed together at its end. */
struct value_pool {
    json_t *items; /* an array */
};
struct value pool_take(struct value_pool *pool, const struct value_type *type, json_t *json); /* takes the reference */
struct value pool_string(struct value_pool *pool, char *text);                                /* takes the text */
struct value pool_int(struct value_pool *pool, int64_t number);
struct value pool_bool(struct value_pool *pool, bool is_true);

struct template_call {
    struct value_pool *pool;
    struct value *arguments;
    size_t count;
    bool is_header;
    const char *source; /* of the first argument, as the template has it */
};

struct template_function {
    const char *name;
    /* One letter for each parameter: s string, i int, l []string, v any value; a last '*' repeats the one before it. */
    const char *parameters;
    bool (*call)(const struct template_call *call, struct value *out, struct error *err);
    bool is_lazy; /* and, or: the executor evaluates the arguments one after the other */
};
const struct template_function *template_function_find(const char *name);

/* compare.c */
bool function_eq(const struct template_call *call, struct value *out, struct error *err);
bool function_ne(const struct template_call *call, struct value *out, struct error *err);
bool function_lt(const struct template_call *call, struct value *out, struct error *err);
bool function_le(const struct template_call *call, struct value *out, struct error *err);
bool function_gt(const struct template_call *call, struct value *out, struct error *err);
bool function_ge(const struct template_call *call, struct value *out, struct error *err);

/* collections.c */
bool function_index(const struct template_call *call, struct value *out, struct error *err);
bool function_slice(const struct template_call *call, struct value *out, struct error *err);
bool function_len(const struct template_call *call, struct value *out, struct error *err);
bool function_join(const struct template_call *call, struct value *out, struct error *err);
bool function_split(const struct template_call *call, struct value *out, struct error *err);
