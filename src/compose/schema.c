#include "compose/schema.h"

#include <regex.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "json/json_record.h"

/* The schema as published by the Compose Specification (Apache-2.0). */
static const char schema_text[] =
#include <compose_spec.inc>
    ;

/* The patterns are few: each is compiled once. */
struct pattern {
    char *text;
    regex_t regex;
};
struct checker {
    json_t *schema;
    struct pattern *patterns;
    size_t pattern_count;
};

static bool matches(struct checker *checker, const char *pattern, const char *text)
{
    for (size_t i = 0; i < checker->pattern_count; i++)
        if (strcmp(checker->patterns[i].text, pattern) == 0)
            return regexec(&checker->patterns[i].regex, text, 0, NULL, 0) == 0;
    struct pattern *made = APPEND(checker->patterns, checker->pattern_count);
    made->text = xstrdup(pattern);
    /* The schema's one ECMA class. */
    const char *posix = strcmp(pattern, "^\\d+$") == 0 ? "^[0-9]+$" : pattern;
    if (regcomp(&made->regex, posix, REG_EXTENDED | REG_NOSUB) != 0)
        abort();
    return regexec(&made->regex, text, 0, NULL, 0) == 0;
}

static const json_t *resolve(const struct checker *checker, const json_t *schema)
{
    const char *reference;
    while ((reference = json_string_value(json_object_get(schema, "$ref"))))
        schema = json_object_get(json_object_get(checker->schema, "definitions"), reference + strlen("#/definitions/"));
    return schema;
}

static const char *kind_name(const struct element *node)
{
    static const char *const names[] = {"null",     "a boolean", "an integer", "a number",
                                        "a string", "a list",    "a mapping"};
    return names[node->kind];
}

static const char *type_name(const char *type)
{
    static const char *const names[][2] = {
        {"object", "a mapping"}, {"array", "a list"},          {"string", "a string"}, {"integer", "an integer"},
        {"number", "a number"},  {"boolean", "true or false"}, {"null", "null"}};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i][0], type) == 0)
            return names[i][1];
    return type;
}

static bool is_of_type(const struct element *node, const char *type)
{
    switch (node->kind) {
    case ELEMENT_NULL:
        return string_equal(type, "null");
    case ELEMENT_BOOL:
        return string_equal(type, "boolean");
    case ELEMENT_INT:
        return string_equal(type, "integer") || string_equal(type, "number");
    case ELEMENT_FLOAT:
        return string_equal(type, "number");
    case ELEMENT_STRING:
        return string_equal(type, "string");
    case ELEMENT_LIST:
        return string_equal(type, "array");
    case ELEMENT_MAP:
        return string_equal(type, "object");
    }
    return false;
}

static bool has_type(const struct element *node, const json_t *type)
{
    size_t i;
    json_t *item;
    if (!type)
        return true;
    if (json_is_string(type))
        return is_of_type(node, json_string_value(type));
    json_array_foreach(type, i, item)
    {
        if (is_of_type(node, json_string_value(item)))
            return true;
    }
    return false;
}

/* A text made of variables, as the number or boolean that is wanted; unchanged where it is none. */
static bool cast(struct element *node, const json_t *type)
{
    if (!node->is_interpolated || node->kind != ELEMENT_STRING)
        return false;
    struct element probe = {.text = node->text};
    element_resolve(&probe);
    if (!has_type(&probe, type))
        return false;
    node->kind = probe.kind;
    node->integer = probe.integer;
    node->number = probe.number;
    return true;
}

static void add_expected(const json_t *type, struct strbuf *out)
{
    size_t i;
    json_t *item;
    if (json_is_string(type)) {
        if (!strstr(strbuf_text(out), type_name(json_string_value(type))))
            strbuf_addf(out, "%s%s", out->length ? ", " : "", type_name(json_string_value(type)));
        return;
    }
    json_array_foreach(type, i, item)
    {
        add_expected(item, out);
    }
}

static void add_expected_of(const struct checker *checker, const json_t *schema, struct strbuf *out)
{
    schema = resolve(checker, schema);
    add_expected(json_object_get(schema, "type"), out);
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(schema, "oneOf"), i, item)
    {
        add_expected_of(checker, item, out);
    }
}

static bool wrong_type(const struct checker *checker, const struct element *node, const char *path,
                       const json_t *schema, struct error *err)
{
    _cleanup_strbuf_ struct strbuf wanted = STRBUF_INIT;
    add_expected_of(checker, schema, &wanted);
    for (char *comma = wanted.data ? strrchr(wanted.data, ',') : NULL; comma;) {
        _cleanup_free_ char *rest = xstrdup(comma + 1);
        strbuf_truncate(&wanted, (size_t)(comma - wanted.data));
        strbuf_addf(&wanted, " or%s", rest);
        break;
    }
    return element_error(node, path, err, "must be %s, not %s", strbuf_text(&wanted), kind_name(node));
}

static bool check(struct checker *checker, struct element *node, const json_t *schema, const char *path,
                  struct error *err);

/* How far two words are from each other, capped, for "did you mean". */
static size_t distance(const char *left, const char *right)
{
    size_t a = strlen(left), b = strlen(right), row[64];
    if (a >= ARRAY_SIZE(row) || b >= ARRAY_SIZE(row))
        return ARRAY_SIZE(row);
    for (size_t j = 0; j <= b; j++)
        row[j] = j;
    for (size_t i = 1; i <= a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b; j++) {
            size_t above = row[j];
            size_t changed = diagonal + (left[i - 1] != right[j - 1]), one_more = MIN(row[j] + 1, row[j - 1] + 1);
            row[j] = MIN(changed, one_more);
            diagonal = above;
        }
    }
    return row[b];
}

static bool unknown_key(const struct element *value, const char *key, const json_t *properties, const char *path,
                        struct error *err)
{
    const char *name, *best = NULL;
    json_t *unused;
    size_t least = 3;
    json_object_foreach((json_t *)(uintptr_t)properties, name, unused)
    {
        size_t far = distance(key, name);
        if (far < least) {
            least = far;
            best = name;
        }
    }
    if (best)
        return element_error(value, path, err, "Additional property %s is not allowed (did you mean %s?)", key, best);
    return element_error(value, path, err, "Additional property %s is not allowed", key);
}

static bool check_map(struct checker *checker, struct element *map, const json_t *schema, const char *path,
                      struct error *err)
{
    const json_t *properties = json_object_get(schema, "properties"),
                 *patterns = json_object_get(schema, "patternProperties"),
                 *others = json_object_get(schema, "additionalProperties"),
                 *required = json_object_get(schema, "required");
    size_t i;
    json_t *item;
    json_array_foreach(required, i, item)
    {
        if (!element_get(map, json_string_value(item)))
            return element_error(map, path, err, "%s is required", json_string_value(item));
    }
    for (i = 0; i < map->count; i++) {
        const char *key = map->keys[i], *pattern;
        _cleanup_free_ char *below = xasprintf("%s%s%s", path, *path ? "." : "", key);
        const json_t *rule = json_object_get(properties, key);
        json_object_foreach((json_t *)(uintptr_t)patterns, pattern, item)
        {
            if (!rule && matches(checker, pattern, key))
                rule = item;
        }
        if (!rule && json_is_false(others))
            return unknown_key(map->items[i], key, properties, path, err);
        if (!rule && json_is_object(others))
            rule = others;
        if (rule && map->items[i]->merge != MERGE_RESET && !check(checker, map->items[i], rule, below, err))
            return false;
    }
    return true;
}

static bool check_list(struct checker *checker, struct element *list, const json_t *schema, const char *path,
                       struct error *err)
{
    const json_t *items = json_object_get(schema, "items");
    bool is_unique = json_is_true(json_object_get(schema, "uniqueItems"));
    for (size_t i = 0; i < list->count; i++) {
        _cleanup_free_ char *below = xasprintf("%s[%zu]", path, i);
        if (items && !check(checker, list->items[i], items, below, err))
            return false;
        for (size_t j = 0; is_unique && list->items[i]->text && j < i; j++)
            if (list->items[j]->kind == list->items[i]->kind &&
                string_equal(list->items[j]->text, list->items[i]->text))
                return element_error(list->items[i], path, err, "array items[%zu,%zu] must be unique", j, i);
    }
    return true;
}

/* The alternative that a value is meant to be is the one of its type; its complaint is the useful one. */
static bool check_alternatives(struct checker *checker, struct element *node, const json_t *schema,
                               const json_t *alternatives, const char *path, struct error *err)
{
    size_t i;
    json_t *item;
    struct error first = ERROR_INIT;
    for (int pass = 0; pass < 2; pass++) {
        json_array_foreach(alternatives, i, item)
        {
            const json_t *type = json_object_get(resolve(checker, item), "type");
            if (!(has_type(node, type) || (pass == 1 && cast(node, type))))
                continue;
            struct error cause = ERROR_INIT;
            if (check(checker, node, item, path, &cause)) {
                error_release(&first);
                return true;
            }
            if (first.kind == ERROR_NONE)
                error_move(&first, &cause);
            error_release(&cause);
        }
        if (first.kind != ERROR_NONE)
            return error_move(err, &first);
    }
    return wrong_type(checker, node, path, schema, err);
}

static bool check_scalar(struct checker *checker, const struct element *node, const json_t *schema, const char *path,
                         struct error *err)
{
    const json_t *minimum = json_object_get(schema, "minimum"), *maximum = json_object_get(schema, "maximum");
    const json_t *allowed = json_object_get(schema, "enum");
    const char *pattern = json_string_value(json_object_get(schema, "pattern"));
    bool is_number = node->kind == ELEMENT_INT || node->kind == ELEMENT_FLOAT;
    if (minimum && is_number && node->number < json_number_value(minimum))
        return element_error(node, path, err, "must be at least %g", json_number_value(minimum));
    if (maximum && is_number && node->number > json_number_value(maximum))
        return element_error(node, path, err, "must be at most %g", json_number_value(maximum));
    if (pattern && node->kind == ELEMENT_STRING && !matches(checker, pattern, node->text))
        return element_error(node, path, err, "\"%s\" does not match pattern '%s'", node->text, pattern);
    if (!allowed)
        return true;
    _cleanup_strbuf_ struct strbuf words = STRBUF_INIT;
    size_t i;
    json_t *item;
    json_array_foreach(allowed, i, item)
    {
        if (string_equal(json_string_value(item), node->text))
            return true;
        strbuf_addf(&words, "%s\"%s\"", i ? ", " : "", string_or_empty(json_string_value(item)));
    }
    return element_error(node, path, err, "must be one of the following: %s", strbuf_text(&words));
}

static bool check(struct checker *checker, struct element *node, const json_t *schema, const char *path,
                  struct error *err)
{
    schema = resolve(checker, schema);
    const json_t *type = json_object_get(schema, "type"), *alternatives = json_object_get(schema, "oneOf");
    if (alternatives && !check_alternatives(checker, node, schema, alternatives, path, err))
        return false;
    if (type && !has_type(node, type) && !cast(node, type))
        return wrong_type(checker, node, path, schema, err);
    if (node->kind == ELEMENT_MAP)
        return check_map(checker, node, schema, path, err);
    if (node->kind == ELEMENT_LIST)
        return check_list(checker, node, schema, path, err);
    return check_scalar(checker, node, schema, path, err);
}

bool schema_check(struct element *document, struct error *err)
{
    struct checker checker = {.schema = json_parse(schema_text, sizeof(schema_text) - 1, err)};
    bool is_good = checker.schema && check(&checker, document, checker.schema, "", err);
    for (size_t i = 0; i < checker.pattern_count; i++) {
        free(checker.patterns[i].text);
        regfree(&checker.patterns[i].regex);
    }
    free(checker.patterns);
    json_decref(checker.schema);
    return is_good;
}
