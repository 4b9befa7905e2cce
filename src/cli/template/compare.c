/* eq, ne, lt, le, gt, ge: Go compares kinds first, and looks at the sign of integers only after that. */
#include <string.h>

#include "base/text.h"
#include "cli/template/functions.h"
#include "cli/template/print.h"

enum basic { BASIC_NONE, BASIC_BOOL, BASIC_INT, BASIC_UINT, BASIC_FLOAT, BASIC_STRING };

static enum basic basic_kind(struct value value)
{
    if (!value.type)
        return BASIC_NONE;
    switch (value.type->kind) {
    case VALUE_KIND_BOOL:
        return BASIC_BOOL;
    case VALUE_KIND_INT:
    case VALUE_KIND_DURATION:
        return BASIC_INT;
    case VALUE_KIND_UINT:
        return BASIC_UINT;
    case VALUE_KIND_FLOAT:
        return BASIC_FLOAT;
    case VALUE_KIND_STRING:
    case VALUE_KIND_NUMBER:
        return BASIC_STRING;
    default:
        return BASIC_NONE;
    }
}

static bool is_integer(enum basic kind)
{
    return kind == BASIC_INT || kind == BASIC_UINT;
}

/* <0, 0, >0 for two integers of any sign. */
static int compare_integers(struct value a, enum basic kind_a, struct value b, enum basic kind_b)
{
    bool negative_a = kind_a == BASIC_INT && value_int(a) < 0, negative_b = kind_b == BASIC_INT && value_int(b) < 0;
    if (negative_a != negative_b)
        return negative_a ? -1 : 1;
    if (negative_a)
        return value_int(a) < value_int(b) ? -1 : value_int(a) > value_int(b);
    uint64_t size_a = kind_a == BASIC_INT ? (uint64_t)value_int(a) : value_uint(a);
    uint64_t size_b = kind_b == BASIC_INT ? (uint64_t)value_int(b) : value_uint(b);
    return size_a < size_b ? -1 : size_a > size_b;
}

static int compare_text(struct value a, struct value b)
{
    char buffer_a[64], buffer_b[64];
    return strcmp(value_text(a, buffer_a), value_text(b, buffer_b));
}

static bool equal(struct value a, struct value b, bool *is_equal, struct error *err)
{
    a = value_of_interface(a);
    b = value_of_interface(b);
    enum basic kind_a = basic_kind(a), kind_b = basic_kind(b);
    if (is_integer(kind_a) && is_integer(kind_b)) {
        *is_equal = compare_integers(a, kind_a, b, kind_b) == 0;
        return true;
    }
    if (kind_a != kind_b) {
        *is_equal = false;
        return !a.type || !b.type || error_set(err, ERROR_INVALID, "incompatible types for comparison");
    }
    switch (kind_a) {
    case BASIC_BOOL:
        *is_equal = json_is_true(a.json) == json_is_true(b.json);
        return true;
    case BASIC_FLOAT:
        *is_equal = value_float(a) == value_float(b);
        return true;
    case BASIC_STRING:
        *is_equal = compare_text(a, b) == 0;
        return true;
    default:
        break;
    }
    bool is_list = (a.type && (a.type->kind == VALUE_KIND_LIST || a.type->kind == VALUE_KIND_MAP)) ||
                   (b.type && (b.type->kind == VALUE_KIND_LIST || b.type->kind == VALUE_KIND_MAP));
    if (value_is_nil(a) || value_is_nil(b)) {
        *is_equal = value_is_nil(a) && value_is_nil(b);
        return true;
    }
    if (is_list) {
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        print_plain(&b, 1, &text);
        return error_set(err, ERROR_INVALID, "non-comparable type %s: %s", strbuf_text(&text), b.type->name);
    }
    *is_equal = a.type == b.type && json_equal(a.json, b.json);
    return true;
}

static bool less(struct value a, struct value b, bool *is_less, struct error *err)
{
    a = value_of_interface(a);
    b = value_of_interface(b);
    enum basic kind_a = basic_kind(a), kind_b = basic_kind(b);
    if (kind_a == BASIC_NONE || kind_b == BASIC_NONE)
        return error_set(err, ERROR_INVALID, "invalid type for comparison");
    if (is_integer(kind_a) && is_integer(kind_b)) {
        *is_less = compare_integers(a, kind_a, b, kind_b) < 0;
        return true;
    }
    if (kind_a != kind_b)
        return error_set(err, ERROR_INVALID, "incompatible types for comparison");
    if (kind_a == BASIC_BOOL)
        return error_set(err, ERROR_INVALID, "invalid type for comparison");
    *is_less = kind_a == BASIC_FLOAT ? value_float(a) < value_float(b) : compare_text(a, b) < 0;
    return true;
}

bool function_eq(const struct template_call *call, struct value *out, struct error *err)
{
    if (call->count < 2)
        return error_set(err, ERROR_INVALID, "missing argument for comparison");
    bool is_equal = false;
    for (size_t i = 1; i < call->count && !is_equal; i++)
        if (!equal(call->arguments[0], call->arguments[i], &is_equal, err))
            return false;
    *out = pool_bool(call->pool, is_equal);
    return true;
}

bool function_ne(const struct template_call *call, struct value *out, struct error *err)
{
    bool is_equal;
    if (!equal(call->arguments[0], call->arguments[1], &is_equal, err))
        return false;
    *out = pool_bool(call->pool, !is_equal);
    return true;
}

static bool order(const struct template_call *call, bool accepts_less, bool accepts_equal, bool accepts_greater,
                  struct value *out, struct error *err)
{
    bool is_less = false, is_equal = false;
    if (!less(call->arguments[0], call->arguments[1], &is_less, err) ||
        (!is_less && !equal(call->arguments[0], call->arguments[1], &is_equal, err)))
        return false;
    *out = pool_bool(call->pool, is_less ? accepts_less : is_equal ? accepts_equal : accepts_greater);
    return true;
}

bool function_lt(const struct template_call *call, struct value *out, struct error *err)
{
    return order(call, true, false, false, out, err);
}

bool function_le(const struct template_call *call, struct value *out, struct error *err)
{
    return order(call, true, true, false, out, err);
}

bool function_gt(const struct template_call *call, struct value *out, struct error *err)
{
    return order(call, false, false, true, out, err);
}

bool function_ge(const struct template_call *call, struct value *out, struct error *err)
{
    return order(call, false, true, true, out, err);
}
