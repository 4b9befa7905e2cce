#include "store/changes.h"

#include <ctype.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/strbuf.h"
#include "store/ports.h"
#include "store/words.h"

#define WHITE_SPACE " \t\v\f\r\n"

struct change {
    char *name;           /* upper case */
    struct strlist flags; /* "--interval=5s" */
    const char *rest;     /* within the line; trimmed */
    struct container_config *config;
    bool *is_command_set; /* an earlier change of the same series was CMD */
};

/* A JSON array of strings gives *words; any other text leaves it not given. What follows the array is not looked at, as
   in Docker. */
static bool json_words(const char *text, struct strlist *words, struct error *err)
{
    if (*text != '[')
        return true;
    json_t *json = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
    bool is_good = true;
    size_t index;
    json_t *item;
    if (json_is_array(json)) {
        json_array_foreach(json, index, item) is_good = is_good && json_is_string(item);
        if (is_good) {
            strlist_give(words);
            json_array_foreach(json, index, item) strlist_add(words, json_string_value(item));
        }
    }
    json_decref(json);
    return is_good ||
           error_set(err, ERROR_INVALID, "when using JSON array syntax, arrays must be comprised of strings only");
}

/* A command line: a JSON array as it is, anything else through the shell. */
static bool command_words(const struct change *change, bool empty_is_none, struct strlist *out, struct error *err)
{
    if (!json_words(change->rest, out, err))
        return false;
    bool is_json = strlist_is_given(out);
    if (empty_is_none && out->count == 0 && (is_json || !*change->rest)) {
        strlist_release(out);
        return true;
    }
    if (is_json)
        return true;
    const struct strlist *shell = &change->config->shell;
    if (shell->count > 0) {
        strlist_copy(out, shell);
    } else {
        strlist_add(out, "/bin/sh");
        strlist_add(out, "-c");
    }
    if (*change->rest)
        strlist_add(out, change->rest);
    return true;
}

static bool change_cmd(struct change *change, struct error *err)
{
    struct strlist words = {0};
    if (!command_words(change, false, &words, err))
        return false;
    strlist_release(&change->config->cmd);
    change->config->cmd = words;
    *change->is_command_set = true;
    return true;
}

static bool change_entrypoint(struct change *change, struct error *err)
{
    struct strlist words = {0};
    if (!command_words(change, true, &words, err))
        return false;
    strlist_release(&change->config->entrypoint);
    change->config->entrypoint = words;
    if (!*change->is_command_set)
        strlist_release(&change->config->cmd);
    return true;
}

static bool expand(const struct change *change, const char *word, char **out, struct error *err)
{
    char *expanded = word_expand(word, &change->config->env, err);
    if (!expanded) {
        _cleanup_strbuf_ struct strbuf quoted = STRBUF_INIT;
        string_quote(word, &quoted);
        return error_prefix(err, "failed to process %s", strbuf_text(&quoted));
    }
    *out = expanded;
    return true;
}

typedef void (*set_pair)(struct container_config *config, const char *key, const char *value);

static bool pair(struct change *change, const char *key, const char *value, set_pair set, struct error *err)
{
    _cleanup_free_ char *expanded_key = NULL, *expanded_value = NULL;
    if (!expand(change, key, &expanded_key, err) || !expand(change, value, &expanded_value, err))
        return false;
    if (!*expanded_key)
        return error_set(err, ERROR_INVALID, "%s names can not be blank", change->name);
    set(change->config, expanded_key, expanded_value);
    return true;
}

/* ENV and LABEL: "key=value key=value" or the old "key value with spaces". All values see the variables from before. */
static bool change_pairs(struct change *change, set_pair set, struct error *err)
{
    _cleanup_strlist_ struct strlist words = words_split(change->rest);
    if (words.count == 0)
        return error_set(err, ERROR_INVALID, "%s requires at least one argument", change->name);
    if (!strchr(words.items[0], '=')) {
        size_t length = strcspn(change->rest, WHITE_SPACE);
        const char *value = change->rest + length + strspn(change->rest + length, WHITE_SPACE);
        if (!*value)
            return error_set(err, ERROR_INVALID, "%s must have two arguments", change->name);
        _cleanup_free_ char *key = xstrndup(change->rest, length);
        return pair(change, key, value, set, err);
    }
    for (size_t i = 0; i < words.count; i++)
        if (!strchr(words.items[i], '='))
            return error_set(err, ERROR_INVALID,
                             "Syntax error - can't find = in \"%s\". Must be of the form: name=value", words.items[i]);

    struct container_config before = {0};
    strlist_copy(&before.env, &change->config->env);
    struct change frozen = *change;
    frozen.config = &before;
    bool is_good = true;
    for (size_t i = 0; is_good && i < words.count; i++) {
        char *equals = strchr(words.items[i], '=');
        *equals = '\0';
        _cleanup_free_ char *key = NULL, *value = NULL;
        is_good = expand(&frozen, words.items[i], &key, err) && expand(&frozen, equals + 1, &value, err);
        if (is_good && !*key)
            is_good = error_set(err, ERROR_INVALID, "%s names can not be blank", change->name);
        if (is_good)
            set(change->config, key, value);
    }
    strlist_release(&before.env);
    return is_good;
}

static void set_env(struct container_config *config, const char *key, const char *value)
{
    _cleanup_free_ char *assignment = xasprintf("%s=%s", key, value);
    env_put(&config->env, assignment);
}

static void set_label(struct container_config *config, const char *key, const char *value)
{
    strmap_set(&config->labels, key, value);
}

static bool change_env(struct change *change, struct error *err)
{
    return change_pairs(change, set_env, err);
}

static bool change_label(struct change *change, struct error *err)
{
    return change_pairs(change, set_label, err);
}

static bool one_argument(struct change *change, char **out, struct error *err)
{
    if (!*change->rest)
        return error_set(err, ERROR_INVALID, "%s requires exactly one argument", change->name);
    return expand(change, change->rest, out, err);
}

static bool change_user(struct change *change, struct error *err)
{
    _cleanup_free_ char *user = NULL;
    if (!one_argument(change, &user, err))
        return false;
    string_replace(&change->config->user, user);
    return true;
}

static bool change_workdir(struct change *change, struct error *err)
{
    _cleanup_free_ char *path = NULL;
    if (!one_argument(change, &path, err))
        return false;
    if (!*path)
        return error_set(err, ERROR_INVALID, "cannot normalize nothing");
    _cleanup_free_ char *whole =
        *path == '/' ? xstrdup(path) : xasprintf("/%s/%s", string_or_empty(change->config->working_dir), path);
    free(change->config->working_dir);
    change->config->working_dir = path_clean(whole);
    return true;
}

static bool change_volume(struct change *change, struct error *err)
{
    _cleanup_strlist_ struct strlist volumes = {0};
    if (!*change->rest)
        return error_set(err, ERROR_INVALID, "VOLUME requires at least one argument");
    if (!json_words(change->rest, &volumes, err))
        return false;
    if (!strlist_is_given(&volumes))
        volumes = words_split_plain(change->rest);
    if (volumes.count == 0)
        return error_set(err, ERROR_INVALID, "VOLUME requires at least one argument");
    for (size_t i = 0; i < volumes.count; i++) {
        if (volumes.items[i][strspn(volumes.items[i], WHITE_SPACE)] == '\0')
            return error_set(err, ERROR_INVALID, "VOLUME specified can not be an empty string");
        _cleanup_free_ char *path = NULL;
        if (!expand(change, volumes.items[i], &path, err))
            return false;
        if (!strlist_contains(&change->config->volumes, path))
            strlist_add(&change->config->volumes, path);
    }
    return true;
}

static bool change_expose(struct change *change, struct error *err)
{
    _cleanup_strlist_ struct strlist words = words_split_plain(change->rest);
    if (words.count == 0)
        return error_set(err, ERROR_INVALID, "EXPOSE requires at least one argument");
    for (size_t i = 0; i < words.count; i++) {
        _cleanup_free_ char *text = NULL;
        if (!expand(change, words.items[i], &text, err))
            return false;
        _cleanup_strlist_ struct strlist specs = words_split_plain(text);
        for (size_t s = 0; s < specs.count; s++)
            if (!exposed_ports_add(specs.items[s], &change->config->exposed_ports, err))
                return false;
    }
    strlist_sort(&change->config->exposed_ports);
    return true;
}

/* "9", "KILL", "sigkill", "SIGRTMIN+3". */
static bool is_signal(const char *text)
{
    int64_t number;
    if (parse_int64(text, &number))
        return number != 0;
    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    static const char *const others[] = {"CLD", "IOT", "POLL", "RTMIN", "RTMAX"};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (strcasecmp(text, others[i]) == 0)
            return true;
    for (int signal_number = 1; signal_number < 32; signal_number++)
        if (sigabbrev_np(signal_number) && strcasecmp(text, sigabbrev_np(signal_number)) == 0)
            return true;
    if (strncasecmp(text, "RTMIN+", 6) == 0 || strncasecmp(text, "RTMAX-", 6) == 0)
        return parse_int64(text + 6, &number) && number >= 1 && number <= (toupper(text[4]) == 'I' ? 15 : 14);
    return false;
}

static bool change_stopsignal(struct change *change, struct error *err)
{
    _cleanup_free_ char *signal_text = NULL;
    if (!one_argument(change, &signal_text, err))
        return false;
    if (!is_signal(signal_text))
        return error_set(err, ERROR_INVALID, "invalid signal: %s", signal_text);
    string_replace(&change->config->stop_signal, signal_text);
    return true;
}

static bool change_onbuild(struct change *change, struct error *err)
{
    if (!*change->rest)
        return error_set(err, ERROR_INVALID, "ONBUILD requires at least one argument");
    size_t length = strcspn(change->rest, WHITE_SPACE);
    if (length == strlen("ONBUILD") && strncasecmp(change->rest, "ONBUILD", length) == 0)
        return error_set(err, ERROR_INVALID, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
    static const char *const forbidden[] = {"MAINTAINER", "FROM"};
    for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
        if (length == strlen(forbidden[i]) && strncasecmp(change->rest, forbidden[i], length) == 0)
            return error_set(err, ERROR_INVALID, "%s isn't allowed as an ONBUILD trigger", forbidden[i]);
    strlist_add(&change->config->on_build, change->rest);
    return true;
}

static bool health_duration(const char *name, const char *value, int64_t *out, struct error *err)
{
    *out = 0;
    if (!*value)
        return true;
    if (!parse_duration(value, out, err))
        return false;
    if (*out != 0 && *out < 1000000)
        return error_set(err, ERROR_INVALID, "Interval \"%s\" cannot be less than 1ms", name);
    return true;
}

static bool health_flag(struct health_config *health, const char *flag, struct error *err)
{
    const char *equals = strchr(flag, '=');
    _cleanup_free_ char *name = equals ? xstrndup(flag + 2, (size_t)(equals - flag - 2)) : xstrdup(flag + 2);
    const struct {
        const char *name;
        int64_t *place;
    } durations[] = {{"interval", &health->interval},
                     {"timeout", &health->timeout},
                     {"start-period", &health->start_period},
                     {"start-interval", &health->start_interval}};
    bool is_retries = strcmp(name, "retries") == 0;
    int64_t *place = is_retries ? &health->retries : NULL;
    for (size_t i = 0; i < ARRAY_SIZE(durations); i++)
        if (strcmp(name, durations[i].name) == 0)
            place = durations[i].place;
    if (!place)
        return error_set(err, ERROR_INVALID, "unknown flag: %s", name);
    if (!equals)
        return error_set(err, ERROR_INVALID, "missing a value on flag: %s", name);
    if (!is_retries)
        return health_duration(name, equals + 1, place, err);
    if (equals[1] && !parse_int64(equals + 1, place))
        return error_set(err, ERROR_INVALID, "strconv.ParseInt: parsing \"%s\": invalid syntax", equals + 1);
    if (*place < 0)
        return error_set(err, ERROR_INVALID, "--retries cannot be negative (%lld)", (long long)*place);
    return true;
}

static bool health_test(const struct change *change, struct health_config *health, struct error *err)
{
    size_t length = strcspn(change->rest, WHITE_SPACE);
    const char *command = change->rest + length + strspn(change->rest + length, WHITE_SPACE);
    if (length == strlen("NONE") && strncasecmp(change->rest, "NONE", length) == 0) {
        if (*command)
            return error_set(err, ERROR_INVALID, "HEALTHCHECK NONE takes no arguments");
        strlist_add(&health->test, "NONE");
        return true;
    }
    if (length != strlen("CMD") || strncasecmp(change->rest, "CMD", length) != 0) {
        _cleanup_free_ char *type = xstrndup(change->rest, length);
        for (char *at = type; *at; at++)
            *at = (char)toupper((unsigned char)*at);
        return error_set(err, ERROR_INVALID, "Unknown type \"%s\" in HEALTHCHECK (try CMD)", type);
    }
    _cleanup_strlist_ struct strlist words = {0};
    if (!json_words(command, &words, err))
        return false;
    bool is_json = strlist_is_given(&words);
    if (!*command || (is_json && words.count == 0))
        return error_set(err, ERROR_INVALID, "Missing command after HEALTHCHECK CMD");
    strlist_add(&health->test, is_json ? "CMD" : "CMD-SHELL");
    if (!is_json)
        strlist_add(&health->test, command);
    for (size_t i = 0; i < words.count; i++)
        strlist_add(&health->test, words.items[i]);
    return true;
}

static bool change_healthcheck(struct change *change, struct error *err)
{
    if (!*change->rest)
        return error_set(err, ERROR_INVALID, "HEALTHCHECK requires at least one argument");
    struct health_config *health = NEW(struct health_config);
    bool is_good = true;
    for (size_t i = 0; is_good && i < change->flags.count; i++)
        is_good = health_flag(health, change->flags.items[i], err);
    is_good = is_good && health_test(change, health, err);
    if (is_good) {
        struct health_config *previous = change->config->healthcheck;
        change->config->healthcheck = health;
        health = previous;
    }
    if (health)
        record_release(&health_config_type, health);
    free(health);
    return is_good;
}

static const struct instruction {
    const char *name;
    bool (*apply)(struct change *change, struct error *err);
    bool has_flags;
} instructions[] = {
    {"CMD", change_cmd},
    {"ENTRYPOINT", change_entrypoint},
    {"ENV", change_env},
    {"EXPOSE", change_expose},
    {"HEALTHCHECK", change_healthcheck, true},
    {"LABEL", change_label},
    {"ONBUILD", change_onbuild},
    {"STOPSIGNAL", change_stopsignal},
    {"USER", change_user},
    {"VOLUME", change_volume},
    {"WORKDIR", change_workdir},
};

static const struct instruction *find_instruction(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(instructions); i++)
        if (strcmp(instructions[i].name, name) == 0)
            return &instructions[i];
    return NULL;
}

/* Words that begin with "--" before the arguments. */
static void take_flags(struct change *change)
{
    while (string_starts_with(change->rest, "--")) {
        size_t length = strcspn(change->rest, WHITE_SPACE);
        bool is_end = length == 2;
        if (!is_end)
            strlist_take(&change->flags, xstrndup(change->rest, length));
        change->rest += length;
        change->rest += strspn(change->rest, WHITE_SPACE);
        if (is_end)
            return;
    }
}

static bool apply_line(char *line, struct container_config *config, bool *is_command_set, struct error *err)
{
    size_t length = strcspn(line, WHITE_SPACE);
    _cleanup_free_ char *name = xstrndup(line, length);
    for (char *at = name; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    const struct instruction *instruction = find_instruction(name);
    if (!instruction)
        return error_set(err, ERROR_INVALID, "%s is not a valid change command", name);
    struct change change = {.name = name,
                            .config = config,
                            .is_command_set = is_command_set,
                            .rest = line + length + strspn(line + length, WHITE_SPACE)};
    take_flags(&change);
    bool is_good = true;
    if (change.flags.count > 0 && !instruction->has_flags) {
        const char *flag = change.flags.items[0] + 2;
        is_good = error_set(err, ERROR_INVALID, "unknown flag: %.*s", (int)strcspn(flag, "="), flag);
    }
    is_good = is_good && instruction->apply(&change, err);
    strlist_release(&change.flags);
    return is_good;
}

static void trim_end(struct strbuf *text)
{
    while (text->length > 0 && strchr(WHITE_SPACE, text->data[text->length - 1]))
        strbuf_truncate(text, text->length - 1);
}

/* Adds one line of text to *logical; true where the instruction goes on in the next one. */
static bool add_physical_line(struct strbuf *logical, const char *line)
{
    const char *start = line + strspn(line, WHITE_SPACE);
    if (*start == '#' || *start == '\0')
        return logical->length > 0;
    strbuf_add_string(logical, logical->length > 0 ? line : start);
    size_t length = logical->length;
    while (length > 0 && strchr(" \t\r", logical->data[length - 1]))
        length--;
    if (length == 0 || logical->data[length - 1] != '\\')
        return false;
    strbuf_truncate(logical, length - 1);
    return true;
}

bool changes_apply(const struct strlist *changes, struct container_config *config, struct error *err)
{
    if (changes->count == 0)
        return true;
    _cleanup_free_ char *text = strlist_join(changes, "\n");
    _cleanup_strlist_ struct strlist lines = strlist_split(text, '\n');
    _cleanup_strbuf_ struct strbuf logical = STRBUF_INIT;
    bool is_command_set = false;
    size_t count = 0;
    for (size_t i = 0; i < lines.count; i++) {
        if (add_physical_line(&logical, lines.items[i]) && i + 1 < lines.count)
            continue;
        trim_end(&logical);
        if (logical.length == 0)
            continue;
        count++;
        if (!apply_line(logical.data, config, &is_command_set, err))
            return false;
        strbuf_truncate(&logical, 0);
    }
    return count > 0 || error_set(err, ERROR_INVALID, "file with no instructions");
}
