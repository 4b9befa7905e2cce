/* wherry builder du: the build cache in the form of `docker buildx du`. */
#include <string.h>

#include "base/memory.h"
#include "cli/build_cache.h"
#include "cli/filter_option.h"
#include "cli/human.h"
#include "cli/table.h"
#include "json/json_record.h"

struct builder_du_options {
    struct strlist filters;
    bool is_verbose;
};

static const char *text_of(const json_t *json, const char *key)
{
    return string_or_empty(json_string_value(json_object_get(json, key)));
}

static bool is_set(const json_t *json, const char *key)
{
    return json_is_true(json_object_get(json, key));
}

static char *size_of(const json_t *record)
{
    return human_size((double)json_integer_value(json_object_get(record, "Size")), 4);
}

/* One of NAME=VALUE; *fits says whether the record is of that kind. */
static bool fits_one(const json_t *record, const char *filter, bool *fits, struct error *err)
{
    static const struct {
        const char *name, *key;
    } texts[] = {{"id", "ID"}, {"type", "Type"}, {"description", "Description"}};
    static const struct {
        const char *name, *key;
        bool value;
    } flags[] = {{"inuse", "InUse", true}, {"shared", "Shared", true}, {"private", "Shared", false}};
    const char *value = strchr(filter, '=') + 1;
    size_t length = (size_t)(value - filter) - 1;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (strlen(texts[i].name) == length && strncmp(filter, texts[i].name, length) == 0) {
            *fits = string_equal(text_of(record, texts[i].key), value);
            return true;
        }
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        bool wanted;
        if (strlen(flags[i].name) != length || strncmp(filter, flags[i].name, length) != 0)
            continue;
        if (!parse_bool(value, &wanted, err))
            return false;
        *fits = (is_set(record, flags[i].key) == flags[i].value) == wanted;
        return true;
    }
    return error_set(err, ERROR_INVALID, "invalid filter '%.*s'", (int)length, filter);
}

/* The records that fit all filters, as a new reference. */
static json_t *choose(const json_t *records, const struct strlist *filters, struct error *err)
{
    json_t *chosen = json_array(), *record;
    size_t i;
    json_array_foreach(records, i, record)
    {
        bool fits = true;
        for (size_t j = 0; j < filters->count && fits; j++)
            if (!fits_one(record, filters->items[j], &fits, err)) {
                json_decref(chosen);
                return NULL;
            }
        if (fits)
            json_array_append(chosen, record);
    }
    return chosen;
}

static void print_table(const json_t *records)
{
    _cleanup_strbuf_ struct strbuf lines = STRBUF_INIT, text = STRBUF_INIT;
    size_t i;
    json_t *record;
    strbuf_add_string(&lines, "ID\tRECLAIMABLE\tSIZE\tLAST ACCESSED\n");
    json_array_foreach(records, i, record)
    {
        _cleanup_free_ char *size = size_of(record), *age = build_cache_age(record, "LastUsedAt");
        strbuf_addf(&lines, "%s\t%s\t%s%s\t%s\n", text_of(record, "ID"), is_set(record, "InUse") ? "false" : "true",
                    size, is_set(record, "Shared") ? "*" : "", age);
    }
    table_align_listing(strbuf_text(&lines), &text);
    fputs(strbuf_text(&text), stdout);
}

static void print_in_full(const json_t *records)
{
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        _cleanup_free_ char *size = size_of(record), *age = build_cache_age(record, "LastUsedAt");
        const char *parent = json_string_value(json_array_get(json_object_get(record, "Parents"), 0));
        printf("ID:\t\t%s\n", text_of(record, "ID"));
        if (parent)
            printf("Parent:\t\t%s\n", parent);
        printf("Created at:\t%s\n", text_of(record, "CreatedAt"));
        printf("Reclaimable:\t%s\n", is_set(record, "InUse") ? "false" : "true");
        printf("Shared:\t\t%s\nSize:\t\t%s\n", is_set(record, "Shared") ? "true" : "false", size);
        printf("Description:\t%s\n", text_of(record, "Description"));
        printf("Usage count:\t%lld\n", (long long)json_integer_value(json_object_get(record, "UsageCount")));
        printf("Last used:\t%s\nType:\t\t%s\n\n", age, text_of(record, "Type"));
    }
}

/* Shared records are an image's, too: they cost nothing more. */
static void print_sums(const json_t *records)
{
    int64_t own, reclaimable, total = 0;
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record) total += json_integer_value(json_object_get(record, "Size"));
    build_cache_sizes(records, &own, &reclaimable);
    _cleanup_free_ char *shared = human_size((double)(total - own), 4), *private = human_size((double)own, 4);
    _cleanup_free_ char *free_text = human_size((double)reclaimable, 4), *all = human_size((double)total, 4);
    if (total > own)
        printf("Shared:\t\t%s\nPrivate:\t%s\n", shared, private);
    printf("Reclaimable:\t%s\nTotal:\t\t%s\n", free_text, all);
}

static bool builder_du_run(struct command_call *call, struct error *err)
{
    const struct builder_du_options *options = call->values;
    _cleanup_json_ json_t *df = client_get_json(call->client, "/system/df?type=build-cache", err);
    _cleanup_json_ json_t *records = df ? choose(json_object_get(df, "BuildCache"), &options->filters, err) : NULL;
    if (!records)
        return false;
    if (options->is_verbose)
        print_in_full(records);
    else
        print_table(records);
    print_sums(records);
    return true;
}

#define AT(member) offsetof(struct builder_du_options, member)
static const struct option rows[] = {
    {"filter", 0, OPTION_LIST, AT(filters), "filter", "Provide filter values", .parse = filter_parse},
    {"verbose", 0, OPTION_BOOL, AT(is_verbose), NULL, "Provide a more verbose output"},
};

const struct command builder_du_command = {
    .paths = {"builder du"},
    .usage = "[OPTIONS]",
    .help = "Show how much of the disk the build cache uses",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct builder_du_options),
    .max_arguments = 0,
    .run = builder_du_run,
};
