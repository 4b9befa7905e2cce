#include "daemon/config_file.h"

#include "base/memory.h"
#include "json/json_record.h"

struct applying {
    const struct option_table *table;
    const struct config_key *renamed;
    size_t renamed_count;
    const struct option_parse *flags;
    void *values;
};

static const struct option *option_of_key(const struct applying *applying, const char *key)
{
    const char *name = key;
    for (size_t i = 0; i < applying->renamed_count; i++) {
        if (string_equal(applying->renamed[i].key, key))
            name = applying->renamed[i].option;
        else if (string_equal(applying->renamed[i].option, key))
            return NULL; /* the flag's name is not a key */
    }
    for (size_t i = 0; i < applying->table->count; i++)
        if (string_equal(applying->table->options[i].name, name))
            return &applying->table->options[i];
    return NULL;
}

static const char *kind_of(const json_t *value)
{
    return json_is_string(value)   ? "string"
           : json_is_number(value) ? "number"
           : json_is_array(value)  ? "array"
           : json_is_object(value) ? "object"
                                   : "bool";
}

static bool mismatch(const char *key, const json_t *value, const char *type, struct error *err)
{
    return error_set(err, ERROR_INVALID, "json: cannot unmarshal %s into Go struct field Config.%s of type %s",
                     kind_of(value), key, type);
}

/* A list of strings, or a map that becomes "key=value" strings. */
static bool set_list(struct strlist *list, const char *key, const json_t *value, struct error *err)
{
    struct strlist items = {0};
    bool is_valid = json_is_array(value) || json_is_object(value);
    size_t i;
    const char *name;
    json_t *item;
    json_array_foreach(value, i, item)
    {
        /* default-address-pools: [{"base": "10.10.0.0/16", "size": 24}] */
        const json_t *base = json_object_get(item, "base"), *size = json_object_get(item, "size");
        if (json_is_string(base) && json_is_integer(size)) {
            strlist_addf(&items, "base=%s,size=%lld", json_string_value(base), (long long)json_integer_value(size));
            continue;
        }
        is_valid = is_valid && json_is_string(item);
        strlist_add(&items, string_or_empty(json_string_value(item)));
    }
    json_object_foreach((json_t *)value, name, item)
    {
        /* default-ulimits: {"nofile": {"Name": "nofile", "Hard": 64000, "Soft": 64000}} */
        if (json_is_object(item)) {
            strlist_addf(&items, "%s=%lld:%lld", name, (long long)json_integer_value(json_object_get(item, "Soft")),
                         (long long)json_integer_value(json_object_get(item, "Hard")));
            continue;
        }
        is_valid = is_valid && json_is_string(item);
        strlist_addf(&items, "%s=%s", name, string_or_empty(json_string_value(item)));
    }
    if (!is_valid) {
        strlist_release(&items);
        return mismatch(key, value, "[]string", err);
    }
    strlist_release(list);
    *list = items;
    return true;
}

static bool set_value(const struct option *option, void *place, const char *key, const json_t *value, struct error *err)
{
    switch (option->kind) {
    case OPTION_BOOL:
        if (!json_is_boolean(value))
            return mismatch(key, value, "bool", err);
        *(bool *)place = json_is_true(value);
        return true;
    case OPTION_STRING:
        if (!json_is_string(value))
            return mismatch(key, value, "string", err);
        string_replace(place, json_string_value(value));
        return true;
    case OPTION_INT64:
        if (!json_is_integer(value))
            return mismatch(key, value, "int", err);
        *(int64_t *)place = json_integer_value(value);
        return true;
    case OPTION_BYTES:
        if (json_is_string(value))
            return parse_bytes(json_string_value(value), place, err);
        if (!json_is_integer(value))
            return mismatch(key, value, "opts.MemBytes", err);
        *(int64_t *)place = json_integer_value(value);
        return true;
    case OPTION_LIST:
        return set_list(place, key, value, err);
    case OPTION_OPT_INT64:
    case OPTION_DURATION:
    case OPTION_CUSTOM:
        break;
    }
    return mismatch(key, value, "a flag", err);
}

/* Values as Go prints them in the message about a conflict. */
static void show_value(const struct option *option, const void *place, struct strbuf *out)
{
    switch (option->kind) {
    case OPTION_BOOL:
        strbuf_add_string(out, *(const bool *)place ? "true" : "false");
        return;
    case OPTION_INT64:
    case OPTION_BYTES:
        strbuf_addf(out, "%lld", (long long)*(const int64_t *)place);
        return;
    case OPTION_LIST: {
        _cleanup_free_ char *joined = strlist_join(place, " ");
        strbuf_addf(out, "[%s]", joined);
        return;
    }
    default:
        strbuf_add_string(out, string_or_empty(*(char *const *)place));
    }
}

static void show_json(const json_t *value, struct strbuf *out)
{
    size_t i;
    const char *name;
    json_t *item;
    if (json_is_string(value)) {
        strbuf_add_string(out, json_string_value(value));
    } else if (json_is_array(value)) {
        strbuf_add_char(out, '[');
        json_array_foreach(value, i, item)
        {
            strbuf_add_string(out, i ? " " : "");
            show_json(item, out);
        }
        strbuf_add_char(out, ']');
    } else if (json_is_object(value)) {
        strbuf_add_string(out, "map[");
        bool is_first = true;
        json_object_foreach((json_t *)value, name, item)
        {
            strbuf_addf(out, "%s%s:", is_first ? "" : " ", name);
            show_json(item, out);
            is_first = false;
        }
        strbuf_add_char(out, ']');
    } else {
        _cleanup_free_ char *text = json_format(value);
        strbuf_add_string(out, text);
    }
}

static bool check_keys(const struct applying *applying, const json_t *file, struct error *err)
{
    _cleanup_strbuf_ struct strbuf unknown = STRBUF_INIT, conflicts = STRBUF_INIT;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)file, key, value)
    {
        const struct option *option = option_of_key(applying, key);
        if (option && option->unsupported)
            return error_set(err, ERROR_UNSUPPORTED, "the directive %s is not supported by this version of Wherry",
                             key);
        if (!option || string_equal(key, "config-file") || string_equal(key, "validate") ||
            string_equal(key, "version")) {
            strbuf_addf(&unknown, "%s%s", unknown.length ? ", " : "", key);
        } else if (strlist_contains(&applying->flags->given, option->name)) {
            strbuf_addf(&conflicts, "%s%s: (from flag: ", conflicts.length ? ", " : "", key);
            show_value(option, (const char *)applying->values + option->offset, &conflicts);
            strbuf_add_string(&conflicts, ", from file: ");
            show_json(value, &conflicts);
            strbuf_add_char(&conflicts, ')');
        }
    }
    if (unknown.length)
        return error_set(err, ERROR_INVALID, "the following directives don't match any configuration option: %s",
                         strbuf_text(&unknown));
    if (conflicts.length)
        return error_set(err, ERROR_INVALID,
                         "the following directives are specified both as a flag and in the configuration file: %s",
                         strbuf_text(&conflicts));
    return true;
}

bool config_file_apply(const struct option_table *table, const struct config_key *renamed, size_t renamed_count,
                       const char *text, size_t length, const struct option_parse *flags, void *values,
                       struct error *err)
{
    struct applying applying = {table, renamed, renamed_count, flags, values};
    if (text[strspn(text, " \t\r\n")] == '\0')
        return true; /* an empty file says nothing */
    _cleanup_json_ json_t *file = json_parse(text, length, err);
    if (!file)
        return false;
    if (!json_is_object(file))
        return error_set(err, ERROR_INVALID, "json: cannot unmarshal %s into Go value of type map[string]interface {}",
                         kind_of(file));
    if (!check_keys(&applying, file, err))
        return false;
    const char *key;
    json_t *value;
    json_object_foreach(file, key, value)
    {
        const struct option *option = option_of_key(&applying, key);
        if (!set_value(option, (char *)values + option->offset, key, value, err))
            return false;
    }
    return true;
}
