#include <ctype.h>
#include <regex.h>
#include <string.h>

#include "base/id.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/container.h"
#include "engine/log_config.h"

/* --- what is chosen of the labels and the environment --- */

/* POSIX has no \d. The caller frees. */
static char *to_posix(const char *expression)
{
    struct strbuf out = STRBUF_INIT;
    for (const char *c = expression; *c; c++) {
        if (c[0] == '\\' && c[1] == 'd') {
            strbuf_add_string(&out, "[0-9]");
            c++;
        } else if (c[0] == '\\' && c[1]) {
            strbuf_add(&out, c++, 2);
        } else {
            strbuf_add_char(&out, *c);
        }
    }
    return strbuf_take(&out);
}

static bool compile(const char *expression, regex_t *out, struct error *err)
{
    _cleanup_free_ char *posix = to_posix(expression);
    int code = regcomp(out, posix, REG_EXTENDED | REG_NOSUB);
    if (code == 0)
        return true;
    const char *reason = code == REG_EPAREN    ? "missing closing )"
                         : code == REG_EBRACK  ? "missing closing ]"
                         : code == REG_BADRPT  ? "missing argument to repetition operator"
                         : code == REG_EESCAPE ? "trailing backslash at end of expression"
                                               : "invalid expression";
    return error_set(err, ERROR_INTERNAL, "error parsing regexp: %s: `%s`", reason, expression);
}

static bool choose(const struct strmap *all, const char *names, const char *expression, struct strmap *out,
                   struct error *err)
{
    if (string_is_set(names)) {
        _cleanup_strlist_ struct strlist list = strlist_split(names, ',');
        for (size_t i = 0; i < list.count; i++) {
            const char *value = strmap_get(all, list.items[i]);
            if (value)
                strmap_set(out, list.items[i], value);
        }
    }
    if (!string_is_set(expression))
        return true;
    regex_t regex;
    if (!compile(expression, &regex, err))
        return false;
    for (size_t i = 0; i < all->count; i++)
        if (regexec(&regex, all->items[i].key, 0, NULL, 0) == 0)
            strmap_set(out, all->items[i].key, all->items[i].value);
    regfree(&regex);
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct strpair *)a)->key, ((const struct strpair *)b)->key);
}

bool log_attributes(const struct container_record *record, struct strmap *out, struct error *err)
{
    const struct strmap *options = &record->host_config.log_config.config;
    _cleanup_strmap_ struct strmap environment = {0};
    for (size_t i = 0; i < record->config.env.count; i++) {
        const char *text = record->config.env.items[i], *equals = strchr(text, '=');
        if (!equals)
            continue;
        _cleanup_free_ char *key = xstrndup(text, (size_t)(equals - text));
        strmap_set(&environment, key, equals + 1);
    }
    if (!choose(&record->config.labels, strmap_get(options, "labels"), strmap_get(options, "labels-regex"), out, err) ||
        !choose(&environment, strmap_get(options, "env"), strmap_get(options, "env-regex"), out, err))
        return false;
    if (out->count)
        qsort(out->items, out->count, sizeof(*out->items), compare_keys);
    return true;
}

/* --- tags --- */

static void add_command(const struct container_record *record, struct strbuf *out)
{
    strbuf_add_string(out, string_or_empty(record->path));
    for (size_t i = 0; i < record->args.count; i++)
        strbuf_addf(out, " %s", record->args.items[i]);
}

/* Go prints a time's zone as +0000 UTC. */
static void add_created(const struct container_record *record, struct strbuf *out)
{
    char text[TIME_TEXT_SIZE];
    time_format(record->created, text);
    text[strlen(text) - 1] = '\0';
    char *separator = strchr(text, 'T');
    if (separator)
        *separator = ' ';
    strbuf_addf(out, "%s +0000 UTC", text);
}

/* The fields and methods of Docker's logger.Info that make sense in a tag. */
static bool add_field(const struct container_record *record, const char *name, struct strbuf *out)
{
    char hostname[256] = "";
    if (string_equal(name, "ID"))
        strbuf_addf(out, "%.*s", ID_SHORT_LENGTH, record->id);
    else if (string_equal(name, "FullID") || string_equal(name, "ContainerID"))
        strbuf_add_string(out, record->id);
    else if (string_equal(name, "Name"))
        strbuf_add_string(out, record->name);
    else if (string_equal(name, "ContainerName"))
        strbuf_addf(out, "/%s", record->name);
    else if (string_equal(name, "ImageName") || string_equal(name, "ContainerImageName"))
        strbuf_add_string(out, string_or_empty(record->config.image));
    else if (string_equal(name, "ImageID")) /* Docker cuts the digest with its prefix */
        strbuf_addf(out, "%.*s", ID_SHORT_LENGTH, string_or_empty(record->image_id));
    else if (string_equal(name, "ImageFullID") || string_equal(name, "ContainerImageID"))
        strbuf_add_string(out, string_or_empty(record->image_id));
    else if (string_equal(name, "DaemonName"))
        strbuf_add_string(out, "docker");
    else if (string_equal(name, "Command"))
        add_command(record, out);
    else if (string_equal(name, "ContainerEntrypoint"))
        strbuf_add_string(out, string_or_empty(record->path));
    else if (string_equal(name, "ContainerCreated"))
        add_created(record, out);
    else if (string_equal(name, "Hostname") && gethostname(hostname, sizeof(hostname) - 1) == 0)
        strbuf_add_string(out, hostname);
    else if (string_starts_with(name, "ContainerLabels."))
        strbuf_add_string(out, strmap_get(&record->config.labels, name + strlen("ContainerLabels.")) ?: "<no value>");
    else
        return false;
    return true;
}

static void change_case(struct strbuf *text, size_t from, int (*change)(int))
{
    for (size_t i = from; i < text->length; i++)
        text->data[i] = (char)change((unsigned char)text->data[i]);
}

/* "upper .Name", ".Name | upper", ".Name" */
static bool add_action(const struct container_record *record, const char *action, size_t column, struct strbuf *out,
                       struct error *err)
{
    size_t start = out->length;
    const char *field = NULL;
    bool is_upper = false, is_lower = false;
    _cleanup_strlist_ struct strlist words = strlist_split(action, ' ');
    for (size_t i = 0; i < words.count; i++) {
        const char *word = words.items[i];
        if (word[0] == '.' && word[1] && !field)
            field = word + 1;
        else if (string_equal(word, "upper") || string_equal(word, "lower"))
            *(word[0] == 'u' ? &is_upper : &is_lower) = true;
        else if (*word && !string_equal(word, "|"))
            return error_set(err, ERROR_UNSUPPORTED,
                             "template: log-tag:1: {{%s}} is not supported: a tag may have fields, upper and lower",
                             action);
    }
    if (!field)
        return error_set(err, ERROR_INTERNAL, "template: log-tag:1: missing value for command");
    if (!add_field(record, field, out))
        return error_set(err, ERROR_INTERNAL,
                         "template: log-tag:1:%zu: executing \"log-tag\" at <.%s>: can't evaluate field %s in type "
                         "*logger.Info",
                         column, field, field);
    if (is_upper || is_lower)
        change_case(out, start, is_upper ? toupper : tolower);
    return true;
}

char *log_tag(const struct container_record *record, const char *template, struct error *err)
{
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    const char *at = template;
    for (const char *open; (open = strstr(at, "{{"));) {
        const char *end = strstr(open, "}}");
        strbuf_add(&out, at, (size_t)(open - at));
        if (!end) {
            error_set(err, ERROR_INTERNAL, "template: log-tag:1: unclosed action");
            return NULL;
        }
        _cleanup_free_ char *action = xstrndup(open + 2, (size_t)(end - open - 2));
        size_t column = (size_t)(open - template) + 2 + strspn(action, " ");
        if (!add_action(record, action, column, &out, err))
            return NULL;
        at = end + 2;
    }
    strbuf_add_string(&out, at);
    return strbuf_take(&out);
}
