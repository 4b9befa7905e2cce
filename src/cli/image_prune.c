#include "base/memory.h"
#include "cli/confirm.h"
#include "cli/filter_option.h"
#include "cli/prune_option.h"
#include "json/json_record.h"

struct image_prune_options {
    struct prune_options common;
    bool takes_all;
};

static void print_removed(const json_t *removed)
{
    size_t i;
    json_t *item;
    if (json_array_size(removed) == 0)
        return;
    puts("Deleted Images:");
    json_array_foreach(removed, i, item)
    {
        const char *untagged = json_string_value(json_object_get(item, "Untagged"));
        if (string_is_set(untagged))
            printf("untagged: %s\n", untagged);
        else
            printf("deleted: %s\n", string_or_empty(json_string_value(json_object_get(item, "Deleted"))));
    }
    putchar('\n');
}

static bool image_prune_run(struct command_call *call, struct error *err)
{
    struct image_prune_options *options = call->values;
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/images/prune");
    strlist_addf(&options->common.filters, "dangling=%s", options->takes_all ? "false" : "true");
    if (!prune_filters_add(call, &options->common.filters, &path, err))
        return false;
    const char *warning =
        options->takes_all ? "WARNING! This will remove all images without at least one container associated to them."
                           : "WARNING! This will remove all dangling images.";
    bool is_confirmed = options->common.is_forced;
    if (!is_confirmed && !confirm(warning, &is_confirmed, err))
        return false;
    if (!is_confirmed)
        return true;
    _cleanup_json_ json_t *answer = client_post_json(call->client, strbuf_text(&path), NULL, err);
    if (!answer)
        return false;
    print_removed(json_object_get(answer, "ImagesDeleted"));
    prune_print_space(json_integer_value(json_object_get(answer, "SpaceReclaimed")));
    return true;
}

#define AT(member) offsetof(struct image_prune_options, member)
static const struct option rows[] = {
    {"all", 'a', OPTION_BOOL, AT(takes_all), NULL, "Remove all unused images, not just dangling ones"},
    {"filter", 0, OPTION_LIST, AT(common.filters), "filter", "Provide filter values (e.g. \"until=<timestamp>\")",
     .parse = filter_parse},
    {"force", 'f', OPTION_BOOL, AT(common.is_forced), NULL, "Do not prompt for confirmation"},
};

const struct command image_prune_command = {
    .paths = {"image prune"},
    .usage = "[OPTIONS]",
    .help = "Remove unused images",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct image_prune_options),
    .max_arguments = 0,
    .run = image_prune_run,
};
