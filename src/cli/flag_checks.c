#include "cli/flag_checks.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/options.h"

bool csv_split(const char *text, struct strlist *out, struct error *err)
{
    if (!*text)
        return error_set(err, ERROR_INVALID, "EOF");
    _cleanup_strlist_ struct strlist fields = {0};
    strlist_give(&fields);
    const char *at = text;
    for (;;) {
        _cleanup_strbuf_ struct strbuf field = STRBUF_INIT;
        if (*at == '"') {
            for (at++; *at && (*at != '"' || at[1] == '"'); at++) {
                at += *at == '"';
                strbuf_add_char(&field, *at);
            }
            if (*at != '"' || (at[1] && at[1] != ','))
                return error_set(err, ERROR_INVALID,
                                 "parse error on line 1, column %zu: extraneous or missing \" in "
                                 "quoted-field",
                                 (size_t)(at - text) + 1);
            at++;
        } else {
            size_t length = strcspn(at, ",");
            if (memchr(at, '"', length))
                return error_set(err, ERROR_INVALID, "parse error on line 1, column %zu: bare \" in non-quoted-field",
                                 (size_t)((const char *)memchr(at, '"', length) - text) + 1);
            strbuf_add(&field, at, length);
            at += length;
        }
        strlist_take(&fields, strbuf_take(&field));
        if (!*at)
            break;
        at++;
    }
    strlist_release(out);
    *out = fields;
    fields = (struct strlist){0};
    return true;
}

bool is_ip_address(const char *text)
{
    unsigned char address[16];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

bool check_add_host(void *place, const char *value, struct error *err)
{
    size_t split = strcspn(value, "=:");
    const char *equals = strchr(value, '=');
    if (equals)
        split = (size_t)(equals - value);
    if (split == 0 || !value[split] || !value[split + 1])
        return error_set(err, ERROR_INVALID, "bad format for add-host: \"%s\"", value);
    const char *address = value + split + 1;
    size_t length = strlen(address);
    bool is_bracketed = length > 2 && address[0] == '[' && address[length - 1] == ']';
    _cleanup_free_ char *plain = is_bracketed ? xstrndup(address + 1, length - 2) : xstrdup(address);
    if (!string_equal(plain, "host-gateway") && !is_ip_address(plain))
        return error_set(err, ERROR_INVALID, "invalid IP address in add-host: \"%s\"", address);
    strlist_addf(place, "%.*s:%s", (int)split, value, plain);
    return true;
}

bool check_attach(void *place, const char *value, struct error *err)
{
    static const char *const streams[] = {"stdin", "stdout", "stderr"};
    for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
        if (strcasecmp(value, streams[i]) == 0) {
            strlist_add(place, streams[i]);
            return true;
        }
    }
    return error_set(err, ERROR_INVALID, "valid streams are STDIN, STDOUT and STDERR");
}

bool check_uint16(void *place, const char *value, struct error *err)
{
    uint64_t number = 0;
    bool is_number = parse_uint64(value, &number);
    if (is_number && number <= UINT16_MAX) {
        *(int64_t *)place = (int64_t)number;
        return true;
    }
    _cleanup_strbuf_ struct strbuf quoted = STRBUF_INIT;
    string_quote(value, &quoted);
    return error_set(err, ERROR_INVALID, "strconv.ParseUint: parsing %s: %s", strbuf_text(&quoted),
                     is_number ? "value out of range" : "invalid syntax");
}

/* "<path>:<rest>", where the path must be one of a device. */
static bool split_device(const char *value, const char **rest, struct error *err)
{
    const char *colon = strchr(value, ':');
    if (!colon || colon == value)
        return error_set(err, ERROR_INVALID, "bad format: %s", value);
    if (!string_starts_with(value, "/dev/"))
        return error_set(err, ERROR_INVALID, "bad format for device path: %s", value);
    *rest = colon + 1;
    return true;
}

bool check_weight_device(void *place, const char *value, struct error *err)
{
    const char *text = NULL;
    uint64_t weight = 0;
    if (!split_device(value, &text, err))
        return false;
    if (!parse_uint64(text, &weight) || (weight > 0 && (weight < 10 || weight > 1000)))
        return error_set(err, ERROR_INVALID, "invalid weight for device: %s", value);
    strlist_add(place, value);
    return true;
}

bool check_device_bps(void *place, const char *value, struct error *err)
{
    const char *text = NULL;
    int64_t rate = 0;
    if (!split_device(value, &text, err))
        return false;
    if (!parse_bytes(text, &rate, NULL))
        return error_set(
            err, ERROR_INVALID,
            "invalid rate for device: %s. The correct format is <device-path>:<number>[<unit>]. Number must "
            "be a positive integer. Unit is optional and can be kb, mb, or gb",
            value);
    strlist_add(place, value);
    return true;
}

bool check_device_iops(void *place, const char *value, struct error *err)
{
    const char *text = NULL;
    uint64_t rate = 0;
    if (!split_device(value, &text, err))
        return false;
    if (!parse_uint64(text, &rate))
        return error_set(err, ERROR_INVALID,
                         "invalid rate for device: %s. The correct format is <device-path>:<number>. Number must be a "
                         "positive integer",
                         value);
    strlist_add(place, value);
    return true;
}

json_t *throttle_device_json(const char *value, bool is_bytes)
{
    const char *text = strchr(value, ':') + 1;
    int64_t rate = 0;
    if (is_bytes)
        parse_bytes(text, &rate, NULL);
    else
        parse_int64(text, &rate);
    return json_pack("{s:s%, s:I}", "Path", value, (size_t)(text - 1 - value), "Rate", (json_int_t)rate);
}

json_t *weight_device_json(const char *value)
{
    const char *text = strchr(value, ':') + 1;
    int64_t weight = 0;
    parse_int64(text, &weight);
    return json_pack("{s:s%, s:I}", "Path", value, (size_t)(text - 1 - value), "Weight", (json_int_t)weight);
}

/* "<a, b or c> <number or *>:<number or *> <some of r, w and m>" */
bool check_cgroup_rule(void *place, const char *value, struct error *err)
{
    const char *at = value;
    bool is_good = *at && strchr("acb", *at) && at[1] == ' ';
    at += is_good ? 2 : 0;
    for (int part = 0; is_good && part < 2; part++) {
        size_t digits = strspn(at, "0123456789");
        size_t length = digits ? digits : *at == '*';
        is_good = length > 0 && at[length] == (part == 0 ? ':' : ' ');
        at += is_good ? length + 1 : 0;
    }
    size_t access = strspn(at, "rwm");
    if (!is_good || access < 1 || access > 3 || at[access])
        return error_set(err, ERROR_INVALID, "invalid device cgroup format '%s'", value);
    strlist_add(place, value);
    return true;
}

bool check_content_trust(void *place, const char *value, struct error *err)
{
    bool is_disabled = true;
    if (!parse_bool(value, &is_disabled, err))
        return false;
    if (!is_disabled)
        return error_set(err, ERROR_UNSUPPORTED, "content trust (notary) is not supported by this version of wherry");
    *(bool *)place = true;
    return true;
}

bool check_ip_address(void *place, const char *value, struct error *err)
{
    if (!is_ip_address(value))
        return error_set(err, ERROR_INVALID, "IP address is not correctly formatted: %s", value);
    strlist_add(place, value);
    return true;
}

/* A domain name of letters, digits, '-' and '_' in labels; "." alone stands for no search domain at all. */
bool check_dns_search(void *place, const char *value, struct error *err)
{
    bool is_good = string_equal(value, ".");
    if (!is_good) {
        bool is_label_start = true, has_letter = false;
        is_good = *value && strlen(value) < 255;
        for (const char *at = value; is_good && *at; at++) {
            has_letter |= isalpha((unsigned char)*at) != 0;
            bool is_word = isalnum((unsigned char)*at) || *at == '_';
            is_good = is_word || (!is_label_start && (*at == '-' || *at == '.'));
            is_label_start = *at == '.';
        }
        is_good = is_good && has_letter;
    }
    if (!is_good)
        return error_set(err, ERROR_INVALID, "%s is not a valid domain", value);
    strlist_add(place, value);
    return true;
}

bool check_env(void *place, const char *value, struct error *err)
{
    if (!*value || *value == '=')
        return error_set(err, ERROR_INVALID, "invalid environment variable: %s", value);
    const char *inherited = strchr(value, '=') ? NULL : getenv(value);
    if (inherited)
        strlist_addf(place, "%s=%s", value, inherited);
    else
        strlist_add(place, value);
    return true;
}

bool check_label(void *place, const char *value, struct error *err)
{
    if (!*value || *value == '=')
        return error_set(err, ERROR_INVALID, "invalid label '%s': empty name", value);
    strlist_add(place, value);
    return true;
}

bool check_link(void *place, const char *value, struct error *err)
{
    if (!*value)
        return error_set(err, ERROR_INVALID, "empty string specified for links");
    const char *colon = strchr(value, ':');
    if (colon && strchr(colon + 1, ':'))
        return error_set(err, ERROR_INVALID, "bad format for links: %s", value);
    strlist_add(place, value);
    return true;
}

bool check_sysctl(void *place, const char *value, struct error *err)
{
    static const char *const names[] = {
        "kernel.msgmax=", "kernel.msgmnb=", "kernel.msgmni=",          "kernel.sem=", "kernel.shmall=",
        "kernel.shmmax=", "kernel.shmmni=", "kernel.shm_rmid_forced=", "net.",        "fs.mqueue."};
    bool is_allowed = false;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        is_allowed |= string_starts_with(value, names[i]);
    if (!is_allowed || !strchr(value, '='))
        return error_set(err, ERROR_INVALID, "sysctl '%s' is not allowed", value);
    strlist_add(place, value);
    return true;
}

bool parse_ulimit(const char *value, struct parsed_ulimit *out, struct error *err)
{
    static const char *const types[] = {"as",   "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue",
                                        "nice", "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};
    const char *equals = strchr(value, '=');
    if (!equals)
        return error_set(err, ERROR_INVALID, "invalid ulimit argument: %s", value);
    _cleanup_free_ char *name = xstrndup(value, (size_t)(equals - value));
    bool is_type = false;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        is_type |= string_equal(name, types[i]);
    if (!is_type)
        return error_set(err, ERROR_INVALID, "invalid ulimit type: %s", name);
    _cleanup_strlist_ struct strlist numbers = strlist_split(equals + 1, ':');
    if (numbers.count > 2)
        return error_set(err, ERROR_INVALID,
                         "too many limit value arguments - %s, can only have up to two, `soft[:hard]`", equals + 1);
    int64_t soft = 0, hard = 0;
    if (!parse_integer(numbers.items[0], &soft, err))
        return false;
    hard = soft;
    if (numbers.count == 2 && !parse_integer(numbers.items[1], &hard, err))
        return false;
    if (hard != -1 && (soft == -1 || soft > hard)) {
        if (soft == -1)
            return error_set(err, ERROR_INVALID,
                             "ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: "
                             "%lld",
                             (long long)hard);
        return error_set(err, ERROR_INVALID, "ulimit soft limit must be less than or equal to hard limit: %lld > %lld",
                         (long long)soft, (long long)hard);
    }
    *out = (struct parsed_ulimit){.name = TAKE_PTR(name), .soft = soft, .hard = hard};
    return true;
}

bool check_ulimit(void *place, const char *value, struct error *err)
{
    struct parsed_ulimit limit = {0};
    if (!parse_ulimit(value, &limit, err))
        return false;
    free(limit.name);
    strlist_add(place, value);
    return true;
}

/* A decimal number of CPUs, at most nine digits after the point. */
bool parse_cpus(void *place, const char *value, struct error *err)
{
    const char *at = value;
    bool is_negative = *at == '-';
    at += *at == '-' || *at == '+';
    int64_t nano = 0;
    size_t digits = 0, fraction = 0;
    bool has_point = false, is_precise = false;
    for (; *at; at++) {
        if (*at == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (*at < '0' || *at > '9' || nano > INT64_MAX / 100)
            return error_set(err, ERROR_INVALID, "failed to parse %s as a rational number", value);
        digits++;
        if (has_point && ++fraction > 9) {
            is_precise |= *at != '0';
            continue;
        }
        nano = nano * 10 + (*at - '0');
    }
    if (digits == 0)
        return error_set(err, ERROR_INVALID, "failed to parse %s as a rational number", value);
    if (is_precise)
        return error_set(err, ERROR_INVALID, "value is too precise");
    for (; fraction < 9; fraction++) {
        if (__builtin_mul_overflow(nano, (int64_t)10, &nano))
            return error_set(err, ERROR_INVALID, "failed to parse %s as a rational number", value);
    }
    *(int64_t *)place = is_negative ? -nano : nano;
    return true;
}

bool parse_memory_swap(void *place, const char *value, struct error *err)
{
    if (!string_equal(value, "-1"))
        return parse_bytes(value, place, err);
    *(int64_t *)place = -1;
    return true;
}

json_t *gpus_json(const char *value, struct error *err)
{
    _cleanup_strlist_ struct strlist fields = {0};
    if (!csv_split(value, &fields, err))
        return NULL;
    json_t *request = json_pack("{s:s, s:I, s:n, s:[], s:{}}", "Driver", "", "Count", (json_int_t)0, "DeviceIDs",
                                "Capabilities", "Options");
    json_t *capabilities = json_pack("[s]", "gpu");
    bool is_good = true;
    for (size_t i = 0; is_good && i < fields.count; i++) {
        const char *field = fields.items[i], *equals = strchr(field, '=');
        size_t key_length = equals ? (size_t)(equals - field) : 0;
        const char *text = equals ? equals + 1 : field;
        if (!equals || (key_length == 5 && memcmp(field, "count", 5) == 0)) {
            int64_t count = -1;
            if (!equals && i > 0)
                is_good = error_set(err, ERROR_INVALID, "invalid field '%s' must be a key=value pair", field);
            else if (!string_equal(text, "all") && !parse_int64(text, &count))
                is_good =
                    error_set(err, ERROR_INVALID,
                              "invalid count (%s): value must be either \"all\" or an integer: invalid syntax", text);
            json_object_set_new(request, "Count", json_integer((json_int_t)count));
        } else if (key_length == 6 && memcmp(field, "device", 6) == 0) {
            _cleanup_strlist_ struct strlist ids = strlist_split(text, ',');
            json_t *list = json_array();
            for (size_t j = 0; j < ids.count; j++)
                json_array_append_new(list, json_string(ids.items[j]));
            json_object_set_new(request, "DeviceIDs", list);
        } else if (key_length == 6 && memcmp(field, "driver", 6) == 0) {
            json_object_set_new(request, "Driver", json_string(text));
        } else if (key_length == 12 && memcmp(field, "capabilities", 12) == 0) {
            _cleanup_strlist_ struct strlist names = strlist_split(text, ',');
            for (size_t j = 0; j < names.count; j++)
                json_array_append_new(capabilities, json_string(names.items[j]));
        } else if (key_length == 7 && memcmp(field, "options", 7) == 0) {
            const char *inner = strchr(text, '=');
            _cleanup_free_ char *key = xstrndup(text, inner ? (size_t)(inner - text) : strlen(text));
            json_object_set_new(json_object_get(request, "Options"), key, json_string(inner ? inner + 1 : ""));
        } else {
            is_good = error_set(err, ERROR_INVALID, "unexpected key '%.*s' in '%s'", (int)key_length, field, field);
        }
    }
    json_array_append_new(json_object_get(request, "Capabilities"), capabilities);
    if (!is_good) {
        json_decref(request);
        return NULL;
    }
    return request;
}

bool check_gpus(void *place, const char *value, struct error *err)
{
    json_t *request = gpus_json(value, err);
    if (!request)
        return false;
    json_decref(request);
    strlist_add(place, value);
    return true;
}
