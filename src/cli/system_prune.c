/* wherry system prune: every prune, in docker's order. */
#include <string.h>

#include "base/memory.h"
#include "cli/confirm.h"
#include "cli/filter_option.h"
#include "cli/prune_option.h"
#include "json/json_record.h"

struct system_prune_options {
    struct prune_options common;
    bool wants_all_images, wants_volumes;
};

static char *warning_text(const struct system_prune_options *options)
{
    struct strbuf text = STRBUF_INIT;
    strbuf_add_string(&text, "WARNING! This will remove:\n  - all stopped containers\n  - all networks not used by at "
                             "least one container\n");
    if (options->wants_volumes)
        strbuf_add_string(&text, "  - all anonymous volumes not used by at least one container\n");
    strbuf_add_string(&text, options->wants_all_images
                                 ? "  - all images without at least one container associated to them\n"
                                 : "  - all dangling images\n");
    strbuf_addf(&text, "  - %s build cache\n", options->wants_all_images ? "all" : "unused");
    _cleanup_strlist_ struct strlist filters = {0};
    strlist_copy(&filters, &options->common.filters);
    strlist_sort(&filters);
    if (filters.count)
        strbuf_add_string(&text, "\n  Items to be pruned will be filtered with:\n");
    for (size_t i = 0; i < filters.count; i++)
        strbuf_addf(&text, "  - %s\n", filters.items[i]);
    return strbuf_take(&text);
}

static json_t *prune(struct command_call *call, const char *route, const struct strlist *filters, struct error *err)
{
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, route);
    return prune_filters_add(call, filters, &path, err) ? client_post_json(call->client, strbuf_text(&path), NULL, err)
                                                        : NULL;
}

/* Untagged and deleted names, one a line, below their title. */
static void print_images(const json_t *answer)
{
    const json_t *deleted = json_object_get(answer, "ImagesDeleted");
    size_t i;
    json_t *item;
    if (json_array_size(deleted) == 0)
        return;
    puts("Deleted Images:");
    json_array_foreach(deleted, i, item)
    {
        const char *untagged = json_string_value(json_object_get(item, "Untagged"));
        printf("%s: %s\n", string_is_set(untagged) ? "untagged" : "deleted",
               string_is_set(untagged) ? untagged
                                       : string_or_empty(json_string_value(json_object_get(item, "Deleted"))));
    }
    puts("");
}

struct step {
    const char *route, *key, *title;
    bool is_images;
};

static bool run_step(struct command_call *call, const struct step *step, const struct strlist *filters, int64_t *space,
                     struct error *err)
{
    _cleanup_json_ json_t *answer = prune(call, step->route, filters, err);
    if (!answer)
        return false;
    if (step->is_images)
        print_images(answer);
    else
        prune_print_deleted(answer, step->key, step->title);
    *space += json_integer_value(json_object_get(answer, "SpaceReclaimed"));
    fflush(stdout);
    return true;
}

static bool system_prune_run(struct command_call *call, struct error *err)
{
    const struct system_prune_options *options = call->values;
    const struct strlist *given = &options->common.filters;
    for (size_t i = 0; i < given->count && options->wants_volumes; i++)
        if (string_starts_with(given->items[i], "until="))
            return error_set(err, ERROR_INVALID, "ERROR: The \"until\" filter is not supported with \"--volumes\"");
    bool is_confirmed = options->common.is_forced;
    _cleanup_free_ char *warning = warning_text(options);
    if (!is_confirmed && !confirm(warning, &is_confirmed, err))
        return false;
    if (!is_confirmed)
        return true;
    _cleanup_strlist_ struct strlist image_filters = {0};
    strlist_copy(&image_filters, given);
    strlist_addf(&image_filters, "dangling=%s", options->wants_all_images ? "false" : "true");
    static const struct step containers = {"/containers/prune", "ContainersDeleted", "Deleted Containers:", false},
                             networks = {"/networks/prune", "NetworksDeleted", "Deleted Networks:", false},
                             volumes = {"/volumes/prune", "VolumesDeleted", "Deleted Volumes:", false},
                             images = {"/images/prune", NULL, NULL, true};
    int64_t space = 0;
    if (!run_step(call, &containers, given, &space, err) || !run_step(call, &networks, given, &space, err) ||
        (options->wants_volumes && !run_step(call, &volumes, given, &space, err)) ||
        !run_step(call, &images, &image_filters, &space, err))
        return false;
    prune_print_space(space);
    return true;
}

#define AT(member) offsetof(struct system_prune_options, member)
static const struct option rows[] = {
    {"all", 'a', OPTION_BOOL, AT(wants_all_images), NULL, "Remove all unused images not just dangling ones"},
    {"filter", 0, OPTION_LIST, AT(common.filters), "filter", "Provide filter values (e.g. \"label=<key>=<value>\")",
     .parse = filter_parse},
    {"force", 'f', OPTION_BOOL, AT(common.is_forced), NULL, "Do not prompt for confirmation"},
    {"volumes", 0, OPTION_BOOL, AT(wants_volumes), NULL, "Prune anonymous volumes"},
};

const struct command system_prune_command = {
    .paths = {"system prune"},
    .usage = "[OPTIONS]",
    .help = "Remove unused data",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct system_prune_options),
    .max_arguments = 0,
    .run = system_prune_run,
};
