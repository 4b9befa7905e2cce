#include "cli/prune_option.h"

#include <string.h>

#include "base/memory.h"
#include "cli/config_file.h"
#include "cli/filter_option.h"
#include "cli/human.h"
#include "json/json_record.h"

/* docker's PruneFilters: a label asked for on the command line wins over its opposite in the file. */
static bool is_contradicted(const struct strlist *filters, const char *filter)
{
    bool is_label = string_starts_with(filter, "label="), is_not_label = string_starts_with(filter, "label!=");
    if (!is_label && !is_not_label)
        return false;
    _cleanup_free_ char *opposite = xasprintf("%s%s", is_label ? "label!=" : "label=", strchr(filter, '=') + 1);
    return strlist_contains(filters, opposite);
}

bool prune_filters_add(const struct command_call *call, const struct strlist *filters, struct strbuf *path,
                       struct error *err)
{
    _cleanup_json_ json_t *config = config_file_read(call, err);
    if (!config)
        return false;
    _cleanup_strlist_ struct strlist all = {0};
    strlist_copy(&all, filters);
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(config, "pruneFilters"), i, item)
    {
        const char *text = json_string_value(item);
        if (text && strchr(text, '=') && !is_contradicted(filters, text))
            strlist_add(&all, text);
    }
    _cleanup_free_ char *json = filter_json(&all);
    client_query_add(path, "filters", json);
    return true;
}

void prune_print_deleted(const json_t *answer, const char *key, const char *title)
{
    const json_t *deleted = json_object_get(answer, key);
    size_t i;
    json_t *item;
    if (json_array_size(deleted) == 0)
        return;
    puts(title);
    json_array_foreach(deleted, i, item) puts(string_or_empty(json_string_value(item)));
    puts("");
}

void prune_print_space(int64_t bytes)
{
    _cleanup_free_ char *space = human_size((double)bytes, 4);
    printf("Total reclaimed space: %s\n", space);
}
