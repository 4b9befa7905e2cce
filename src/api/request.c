#include "api/request.h"

#include <ctype.h>
#include <strings.h>

#include "base/memory.h"
#include "model/container.h"

const char *query_text(const struct call *call, const char *key)
{
    return strmap_get(&call->query, key);
}

bool query_bool(const struct call *call, const char *key)
{
    return query_bool_or(call, key, false);
}

bool query_bool_or(const struct call *call, const char *key, bool when_missing)
{
    const char *text = query_text(call, key);
    if (!text)
        return when_missing;
    static const char *const no[] = {"", "0", "no", "false", "none"};
    for (size_t i = 0; i < ARRAY_SIZE(no); i++)
        if (strcasecmp(text, no[i]) == 0)
            return false;
    return true;
}

bool parse_atoi(const char *text, enum error_kind kind, int64_t *out, struct error *err)
{
    const char *digits = string_or_empty(text);
    int64_t number;
    if (parse_int64(digits[0] == '+' && isdigit((unsigned char)digits[1]) ? digits + 1 : digits, &number)) {
        *out = number;
        return true;
    }
    const char *at = digits + (digits[0] == '-' || digits[0] == '+');
    bool is_number = *at && at[strspn(at, "0123456789")] == '\0';
    return error_set(err, kind, "strconv.Atoi: parsing \"%s\": %s", digits,
                     is_number ? "value out of range" : "invalid syntax");
}

/* {"a":{"x":true,"y":true}} → {"a":["x","y"]} */
static json_t *filters_from_old(const json_t *old)
{
    json_t *filters = json_object();
    const char *key, *value;
    json_t *values, *is_set;
    json_object_foreach((json_t *)old, key, values)
    {
        json_t *list = json_array();
        json_object_foreach(values, value, is_set)
        {
            json_array_append_new(list, json_string(value));
        }
        json_object_set_new(filters, key, list);
    }
    return filters;
}

/* Is every value of the map a list of strings (or, in the older form, a map)? */
static bool filters_are(const json_t *filters, bool (*is_form)(const json_t *value))
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)filters, key, value)
    {
        if (!is_form(value))
            return false;
    }
    return true;
}

static bool is_string_list(const json_t *value)
{
    size_t i;
    json_t *item;
    if (!json_is_array(value))
        return false;
    json_array_foreach(value, i, item)
    {
        if (!json_is_string(item))
            return false;
    }
    return true;
}

static bool is_bool_map(const json_t *value)
{
    const char *key;
    json_t *item;
    if (!json_is_object(value))
        return false;
    json_object_foreach((json_t *)value, key, item)
    {
        if (!json_is_boolean(item))
            return false;
    }
    return true;
}

bool query_filters(const struct call *call, json_t **out, struct error *err)
{
    const char *text = query_text(call, "filters");
    if (!string_is_set(text)) {
        *out = NULL;
        return true;
    }
    _cleanup_json_ json_t *filters = json_parse(text, strlen(text), NULL);
    if (json_is_null(filters)) {
        *out = NULL;
        return true;
    }
    if (json_is_object(filters) && filters_are(filters, is_string_list)) {
        *out = TAKE_PTR(filters);
        return true;
    }
    if (json_is_object(filters) && filters_are(filters, is_bool_map)) {
        *out = filters_from_old(filters);
        return true;
    }
    return error_set(err, ERROR_INVALID, "invalid filter");
}

bool query_time(const struct call *call, const char *key, unix_nano *out, struct error *err)
{
    const char *text = string_or_empty(query_text(call, key));
    if (!*text) {
        *out = 0;
        return true;
    }
    size_t length = strcspn(text, ".");
    _cleanup_free_ char *whole = xstrndup(text, length);
    int64_t seconds, nanoseconds = 0;
    if (!parse_int64(whole, &seconds) || seconds > INT64_MAX / NANOSECONDS_PER_SECOND - 1 ||
        seconds < INT64_MIN / NANOSECONDS_PER_SECOND + 1) {
        const char *digits = whole + (whole[0] == '-' || whole[0] == '+');
        bool is_number = *digits && digits[strspn(digits, "0123456789")] == '\0';
        return error_set(err, ERROR_INTERNAL, "strconv.ParseInt: parsing \"%s\": %s", whole,
                         is_number ? "value out of range" : "invalid syntax");
    }
    if (text[length] == '.') {
        char digits[10] = "000000000";
        const char *fraction = text + length + 1;
        size_t count = strspn(fraction, "0123456789");
        if (count == 0 || fraction[count])
            return error_set(err, ERROR_INTERNAL, "strconv.ParseInt: parsing \"%s\": invalid syntax", fraction);
        memcpy(digits, fraction, MIN(count, (size_t)9));
        parse_int64(digits, &nanoseconds);
    }
    *out = seconds * NANOSECONDS_PER_SECOND + nanoseconds;
    return true;
}

/* --- bodies --- */

/* Docker's httputils.CheckForJSON: no type is fine as long as there is no body. */
static bool check_content_type(struct call *call, struct error *err)
{
    const struct http_head *head = &call->exchange->head;
    const char *type = string_or_empty(strmap_get(&head->headers, "content-type"));
    if (!*type && head->content_length <= 0 && !head->is_chunked)
        return true;
    size_t length = strcspn(type, ";");
    while (length > 0 && isspace((unsigned char)type[length - 1]))
        length--;
    if (length == 0)
        return error_set(err, ERROR_INVALID, "malformed Content-Type header (%s): mime: no media type", type);
    if (length == 16 && strncasecmp(type, "application/json", 16) == 0)
        return true;
    return error_set(err, ERROR_INVALID, "unsupported Content-Type header (%s): must be 'application/json'", type);
}

/* The JSON library's wording of what is malformed, turned into Docker's. */
static bool reword(struct error *from, struct error *err)
{
    if (strstr(error_message(from), "end of file expected"))
        error_set(err, ERROR_INVALID, "unexpected content after JSON");
    else
        return error_move(err, from);
    error_release(from);
    return false;
}

bool request_json(struct call *call, bool may_be_empty, json_t **out, struct error *err)
{
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    if (!check_content_type(call, err) || !http_exchange_read_all(call->exchange, BODY_LIMIT, &body, err))
        return false;
    const char *text = strbuf_text(&body);
    if (text[strspn(text, " \t\r\n")] == '\0' && strlen(text) == body.length) {
        if (!may_be_empty)
            return error_set(err, ERROR_INVALID, "invalid JSON: got EOF while reading request body");
        *out = NULL;
        return true;
    }
    struct error why = ERROR_INIT;
    json_t *json = json_parse(text, body.length, &why);
    if (!json)
        return reword(&why, err);
    *out = json;
    return true;
}

bool record_from_body(const struct record_type *type, const json_t *json, void *record, struct error *err)
{
    return json_is_null(json) || record_from_json(type, json, record, err) || error_prefix(err, "invalid JSON");
}

bool request_record(struct call *call, bool may_be_empty, const struct record_type *type, void *record,
                    struct error *err)
{
    _cleanup_json_ json_t *json = NULL;
    if (!request_json(call, may_be_empty, &json, err))
        return false;
    return !json || record_from_body(type, json, record, err);
}

ssize_t request_read(void *context, void *data, size_t length)
{
    struct call *call = context;
    return http_exchange_read(call->exchange, data, length);
}

bool request_write(void *context, const void *data, size_t length)
{
    struct call *call = context;
    return http_exchange_write(call->exchange, data, length);
}

bool body_has_config(const json_t *body)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)body, key, value)
    {
        for (size_t i = 0; i < container_config_type.field_count; i++)
            if (strcasecmp(key, container_config_type.fields[i].name) == 0)
                return true;
    }
    return false;
}
