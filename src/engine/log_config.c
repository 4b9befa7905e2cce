#include "engine/log_config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

static bool check_mode(const struct log_config *log, struct error *err)
{
    const char *mode = string_or_empty(strmap_get(&log->config, "mode"));
    bool is_blocking = !*mode || string_equal(mode, "blocking");
    if (!is_blocking && !string_equal(mode, "non-blocking"))
        return error_set(err, ERROR_INVALID, "logger: logging mode not supported: %s", mode);
    if (is_blocking && strmap_get(&log->config, "max-buffer-size"))
        return error_set(err, ERROR_INVALID,
                         "logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    if (!is_blocking)
        return error_set(err, ERROR_UNSUPPORTED, "log mode '%s' is not supported by this version", mode);
    return true;
}

bool log_config_check(const struct log_config *log, struct error *err)
{
    static const char *const options[] = {"max-size",     "max-file", "compress",  "labels",
                                          "labels-regex", "env",      "env-regex", "tag"};
    if (string_equal(log->type, "none"))
        return true;
    if (!check_mode(log, err))
        return false;
    if (string_is_set(log->type) && !string_equal(log->type, "json-file"))
        return error_set(err, ERROR_INVALID, "error looking up logging plugin %s: plugin \"%s\" not found", log->type,
                         log->type);
    for (size_t i = 0; i < log->config.count; i++) {
        const char *key = log->config.items[i].key;
        bool is_known = string_equal(key, "mode");
        for (size_t j = 0; j < ARRAY_SIZE(options); j++)
            is_known = is_known || string_equal(key, options[j]);
        if (!is_known)
            return error_set(err, ERROR_INVALID, "unknown log opt '%s' for json-file log driver", key);
        if (string_starts_with(key, "labels") || string_starts_with(key, "env") || string_equal(key, "tag"))
            return error_set(err, ERROR_UNSUPPORTED, "log opt '%s' is not supported by this version", key);
    }
    return true;
}

bool human_size_parse(const char *text, int64_t *out, struct error *err)
{
    static const char units[] = "kmgtp";
    /* The number ends with the last character that could belong to one. */
    const char *end = text;
    for (const char *c = text; *c; c++)
        if (isdigit((unsigned char)*c) || *c == '.' || *c == ' ')
            end = c + 1;
    if (end == text)
        return error_set(err, ERROR_INVALID, "invalid size: '%s'", text);
    const char *suffix = end;
    size_t length = (size_t)(end - text);
    if (end[-1] == ' ')
        length--;
    _cleanup_free_ char *number = xstrndup(text, length);
    char *stop;
    errno = 0;
    double value = strtod(number, &stop);
    if (!*number || *stop || isspace((unsigned char)*number))
        return error_set(err, ERROR_INVALID, "strconv.ParseFloat: parsing \"%s\": invalid syntax", number);
    if (value < 0)
        return error_set(err, ERROR_INVALID, "invalid size: '%s'", text);
    if (*suffix) {
        const char *unit = strchr(units, tolower((unsigned char)*suffix));
        const char *rest = suffix + 1;
        bool is_byte = tolower((unsigned char)*suffix) == 'b' && !*rest;
        bool is_known = is_byte || (unit && (!*rest || strcasecmp(rest, "b") == 0 || strcasecmp(rest, "ib") == 0));
        if (!is_known)
            return error_set(err, ERROR_INVALID, "invalid suffix: '%s'", suffix);
        for (const char *u = units; unit && u <= unit; u++)
            value *= 1000;
    }
    if (value >= 9.2e18)
        return error_set(err, ERROR_INVALID, "invalid size: '%s'", text);
    *out = (int64_t)value;
    return true;
}

static bool read_flag(const char *text, bool *out, struct error *err)
{
    static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
    static const char *const no[] = {"0", "f", "F", "FALSE", "false", "False"};
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
        if (string_equal(text, yes[i]) || string_equal(text, no[i])) {
            *out = string_equal(text, yes[i]);
            return true;
        }
    return error_set(err, ERROR_INTERNAL, "strconv.ParseBool: parsing \"%s\": invalid syntax", text);
}

bool log_config_read(const struct log_config *log, struct json_file_options *out, struct error *err)
{
    struct json_file_options options = {.max_files = 1};
    const char *size = strmap_get(&log->config, "max-size"), *files = strmap_get(&log->config, "max-file");
    const char *compress = strmap_get(&log->config, "compress");
    if (size) {
        if (!human_size_parse(size, &options.max_size, err))
            return false;
        if (options.max_size == 0)
            return error_set(err, ERROR_INTERNAL, "max-size must be a positive number");
    }
    if (files) {
        if (!parse_int64(files, &options.max_files))
            return error_set(err, ERROR_INTERNAL, "strconv.Atoi: parsing \"%s\": invalid syntax", files);
        if (options.max_files < 1)
            return error_set(err, ERROR_INTERNAL, "max-file cannot be less than 1");
    }
    if (compress) {
        if (!read_flag(compress, &options.compresses, err))
            return false;
        if (options.compresses && (options.max_files == 1 || !size))
            return error_set(err, ERROR_INTERNAL,
                             "compress cannot be true when max-file is less than 2 or max-size is not set");
    }
    *out = options;
    return true;
}
