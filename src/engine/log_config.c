#include "engine/log_config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/text.h"
#include "engine/container.h"
#include "json/json_record.h"

#define NON_BLOCKING_BUFFER (INT64_C(1) << 20)
/* Docker's own for the local driver, and for the cache of the drivers that send their output away. */
#define LOCAL_MAX_SIZE  INT64_C(20000000)
#define LOCAL_MAX_FILES 5

/* Every driver takes them. */
static const char *const common_options[] = {"mode",           "max-buffer-size", "cache-disabled",
                                             "cache-max-size", "cache-max-file",  "cache-compress"};

static bool is_common(const char *key)
{
    for (size_t i = 0; i < ARRAY_SIZE(common_options); i++)
        if (string_equal(key, common_options[i]))
            return true;
    return false;
}

static bool check_mode(const struct log_config *log, struct error *err)
{
    const char *mode = string_or_empty(strmap_get(&log->config, "mode"));
    const char *size = strmap_get(&log->config, "max-buffer-size");
    bool is_blocking = !*mode || string_equal(mode, "blocking");
    int64_t ignored;
    if (!is_blocking && !string_equal(mode, "non-blocking"))
        return error_set(err, ERROR_INVALID, "logger: logging mode not supported: %s", mode);
    if (is_blocking && size)
        return error_set(err, ERROR_INVALID,
                         "logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    if (size && !parse_bytes(size, &ignored, err))
        return error_prefix(err, "error parsing option max-buffer-size");
    return true;
}

static bool check_cache(const struct log_config *log, struct error *err)
{
    const char *text = strmap_get(&log->config, "cache-disabled");
    bool ignored;
    if (!text || parse_bool(text, &ignored, NULL))
        return true;
    return error_set(err, ERROR_INVALID, "invalid value for option cache-disabled: %s", text);
}

bool log_config_check(const struct log_config *log, struct error *err)
{
    const char *driver = string_is_set(log->type) ? log->type : "json-file";
    if (string_equal(driver, "none"))
        return true;
    if (!check_mode(log, err) || !check_cache(log, err))
        return false;
    _cleanup_strmap_ struct strmap own = {0};
    for (size_t i = 0; i < log->config.count; i++)
        if (!is_common(log->config.items[i].key))
            strmap_set(&own, log->config.items[i].key, log->config.items[i].value);
    return log_driver_check(driver, &own, err);
}

void log_config_merge(struct log_config *log, const struct log_config *defaults)
{
    const char *type = string_is_set(defaults->type) ? defaults->type : "json-file";
    if (!string_is_set(log->type))
        string_replace(&log->type, type);
    if (!string_equal(log->type, type))
        return;
    for (size_t i = 0; i < defaults->config.count; i++)
        if (!strmap_get(&log->config, defaults->config.items[i].key))
            strmap_set(&log->config, defaults->config.items[i].key, defaults->config.items[i].value);
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

/* As Go's readers of options say it, with the kind that a failed start has. */
static bool read_flag(const char *text, bool *out, struct error *err)
{
    return parse_bool(text, out, NULL) ||
           error_set(err, ERROR_INTERNAL, "strconv.ParseBool: parsing \"%s\": invalid syntax", text);
}

static bool read_count(const char *text, int64_t *out, struct error *err)
{
    return parse_int64(text, out) ||
           error_set(err, ERROR_INTERNAL, "strconv.Atoi: parsing \"%s\": invalid syntax", text);
}

static bool read_json_file(const struct strmap *config, const struct engine_options *options, struct shim_log *out,
                           struct error *err)
{
    const char *size = strmap_get(config, "max-size"), *files = strmap_get(config, "max-file");
    const char *compress = strmap_get(config, "compress");
    out->max_files = 1;
    if (size) {
        if (!human_size_parse(size, &out->max_size, err))
            return false;
        if (out->max_size == 0)
            return error_set(err, ERROR_INTERNAL, "max-size must be a positive number");
    }
    if (files) {
        if (!read_count(files, &out->max_files, err))
            return false;
        if (out->max_files < 1)
            return error_set(err, ERROR_INTERNAL, "max-file cannot be less than 1");
    }
    if (compress) {
        if (!read_flag(compress, &out->compresses, err))
            return false;
        if (out->compresses && (out->max_files == 1 || !size))
            return error_set(err, ERROR_INTERNAL,
                             "compress cannot be true when max-file is less than 2 or max-size is not set");
    }
    if (!size && options->default_log_size > 0) {
        out->max_size = options->default_log_size;
        if (!files)
            out->max_files = DEFAULT_LOG_FILES;
    }
    return true;
}

/* The local driver's options, or with the prefix "cache-" those of a cache. */
static bool read_local(const struct strmap *config, const char *prefix, struct shim_log *out, struct error *err)
{
    _cleanup_free_ char *size_key = xasprintf("%smax-size", prefix), *files_key = xasprintf("%smax-file", prefix);
    _cleanup_free_ char *compress_key = xasprintf("%scompress", prefix);
    const char *size = strmap_get(config, size_key), *files = strmap_get(config, files_key);
    const char *compress = strmap_get(config, compress_key);
    out->max_size = LOCAL_MAX_SIZE;
    out->max_files = LOCAL_MAX_FILES;
    out->compresses = true;
    if (size && !human_size_parse(size, &out->max_size, err))
        return error_prefix(err, "invalid value for %s: %s", "max-size", size);
    if (files && !read_count(files, &out->max_files, err))
        return error_prefix(err, "invalid value for %s: %s", "max-file", files);
    if (compress && !read_flag(compress, &out->compresses, err))
        return error_prefix(err, "invalid value for %s: %s", "compress", compress);
    if (out->compresses && out->max_files <= 1)
        return error_set(err, ERROR_INTERNAL, "compression cannot be enabled when max file count is 1");
    if (out->max_files < 1)
        return error_set(err, ERROR_INTERNAL, "max file count must be at least 1");
    return true;
}

static bool read_mode(const struct strmap *config, struct shim_log *out, struct error *err)
{
    const char *size = strmap_get(config, "max-buffer-size");
    out->is_non_blocking = string_equal(strmap_get(config, "mode"), "non-blocking");
    out->max_buffer = NON_BLOCKING_BUFFER;
    return !size || parse_bytes(size, &out->max_buffer, err);
}

static bool add_json_attributes(const struct container_record *record, struct shim_log *out, struct error *err)
{
    const char *tag = strmap_get(&record->host_config.log_config.config, "tag");
    _cleanup_strmap_ struct strmap attributes = {0};
    if (!log_attributes(record, &attributes, err))
        return false;
    if (string_is_set(tag)) {
        _cleanup_free_ char *text = log_tag(record, tag, err);
        if (!text)
            return false;
        strmap_set(&attributes, "tag", text);
    }
    if (!attributes.count)
        return true;
    _cleanup_json_ json_t *object = json_object();
    for (size_t i = 0; i < attributes.count; i++)
        json_object_set_new(object, attributes.items[i].key, json_string(attributes.items[i].value));
    out->attributes = json_format(object);
    return true;
}

static bool fill_settings(const struct container_record *record, struct logger_settings *settings, struct error *err)
{
    const struct log_config *log = &record->host_config.log_config;
    const char *tag = strmap_get(&log->config, "tag");
    char hostname[256] = "";
    settings->tag = log_tag(record, string_is_set(tag) ? tag : "{{.ID}}", err);
    if (!settings->tag || !log_attributes(record, &settings->attributes, err))
        return false;
    gethostname(hostname, sizeof(hostname) - 1);
    settings->driver = xstrdup(log->type);
    strmap_copy(&settings->options, &log->config);
    settings->id = xstrdup(record->id);
    settings->name = xstrdup(record->name);
    settings->image_id = xstrdup(record->image_id);
    settings->image_name = xstrdup(record->config.image);
    settings->command = log_tag(record, "{{.Command}}", err);
    settings->hostname = xstrdup(hostname);
    settings->created = record->created;
    return true;
}

bool log_config_resolve(const struct container_record *record, const struct engine_options *options, const char *folder,
                        struct shim_log *out, struct error *err)
{
    const struct log_config *log = &record->host_config.log_config;
    struct shim_log resolved = {0};
    bool is_good = true;
    resolved.format = log_config_file(log, folder, record->id, &resolved.path);
    if (log_driver_is_remote(log->type)) {
        resolved.logger_program = xstrdup(options->logger_program);
        is_good = fill_settings(record, &resolved.settings, err) && read_mode(&log->config, &resolved, err) &&
                  (resolved.format == SHIM_LOG_NONE || read_local(&log->config, "cache-", &resolved, err));
    } else if (resolved.format == SHIM_LOG_JSON) {
        is_good = read_json_file(&log->config, options, &resolved, err) && add_json_attributes(record, &resolved, err);
    } else if (resolved.format == SHIM_LOG_LOCAL) {
        _cleanup_free_ char *logs = path_join(folder, "local-logs");
        is_good = read_local(&log->config, "", &resolved, err) && directory_make(logs, 0700, err);
    }
    if (is_good)
        *out = resolved;
    else
        record_release(&shim_log_type, &resolved);
    return is_good;
}

enum shim_log_format log_config_file(const struct log_config *log, const char *folder, const char *id, char **path)
{
    bool is_disabled = false;
    const char *disabled = strmap_get(&log->config, "cache-disabled");
    if (!string_is_set(log->type) || string_equal(log->type, "json-file")) {
        *path = xasprintf("%s/%s-json.log", folder, id);
        return SHIM_LOG_JSON;
    }
    if (string_equal(log->type, "local")) {
        *path = xasprintf("%s/local-logs/container.log", folder);
        return SHIM_LOG_LOCAL;
    }
    if (!log_driver_is_remote(log->type) || (disabled && parse_bool(disabled, &is_disabled, NULL) && is_disabled))
        return SHIM_LOG_NONE;
    *path = xasprintf("%s/container-cached.log", folder);
    return SHIM_LOG_LOCAL;
}
