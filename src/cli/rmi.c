#include "base/memory.h"
#include "cli/command.h"
#include "cli/platform_option.h"
#include "json/json_record.h"

struct rmi_options {
    bool is_forced;
    bool keeps_parents;
    struct strlist platforms;
};

static bool remove_image(struct command_call *call, const char *name, const char *platforms, struct error *err)
{
    const struct rmi_options *options = call->values;
    _cleanup_free_ char *base = client_path("images", name, "");
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, base);
    client_query_add(&path, "force", options->is_forced ? "1" : NULL);
    client_query_add(&path, "noprune", options->keeps_parents ? "1" : NULL);
    strbuf_add_string(&path, platforms);
    _cleanup_json_ json_t *removed = client_delete_json(call->client, strbuf_text(&path), err);
    if (!removed)
        return false;
    size_t i;
    json_t *item;
    json_array_foreach(removed, i, item)
    {
        const char *deleted = json_string_value(json_object_get(item, "Deleted"));
        if (string_is_set(deleted))
            printf("Deleted: %s\n", deleted);
        else
            printf("Untagged: %s\n", string_or_empty(json_string_value(json_object_get(item, "Untagged"))));
    }
    return true;
}

/* All images have their turn; what went wrong is said at the end. With --force an image that is not there is no
   failure. */
static bool rmi_run(struct command_call *call, struct error *err)
{
    const struct rmi_options *options = call->values;
    _cleanup_strbuf_ struct strbuf messages = STRBUF_INIT, platforms = STRBUF_INIT;
    bool is_failed = false;
    if (options->platforms.count && !require_api_version(call, "platform", "1.50", err))
        return false;
    for (size_t i = 0; i < options->platforms.count; i++) {
        _cleanup_free_ char *platform = NULL;
        if (!platform_json(options->platforms.items[i], &platform, err))
            return error_prefix(err, "invalid platform");
        _cleanup_strbuf_ struct strbuf query = STRBUF_INIT;
        strbuf_add_string(&query, "?");
        client_query_add(&query, "platforms", platform);
        strbuf_addf(&platforms, "%c%s", options->is_forced || options->keeps_parents || i ? '&' : '?',
                    strbuf_text(&query) + 2);
    }
    for (size_t i = 0; i < call->argument_count; i++) {
        _cleanup_error_ struct error why = ERROR_INIT;
        if (remove_image(call, call->arguments[i], strbuf_text(&platforms), &why))
            continue;
        is_failed |= !(options->is_forced && why.kind == ERROR_NOT_FOUND);
        strbuf_addf(&messages, "%s%s", messages.length ? "\n" : "", error_message(&why));
    }
    if (is_failed)
        return error_set(err, ERROR_INTERNAL, "%s", strbuf_text(&messages));
    if (messages.length)
        fprintf(stderr, "%s\n", strbuf_text(&messages));
    return true;
}

#define PLACE(member_) offsetof(struct rmi_options, member_)
static const struct option rmi_rows[] = {
    {"force", 'f', OPTION_BOOL, PLACE(is_forced), .help = "Force removal of the image"},
    {"no-prune", 0, OPTION_BOOL, PLACE(keeps_parents), .help = "Do not delete untagged parents"},
    {"platform", 0, OPTION_LIST, PLACE(platforms), "strings",
     "Remove only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")"},
};

const struct command rmi_command = {
    .paths = {"image rm", "image remove", "rmi"},
    .usage = "[OPTIONS] IMAGE [IMAGE...]",
    .help = "Remove one or more images",
    .options = OPTION_TABLE(rmi_rows),
    .values_size = sizeof(struct rmi_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = rmi_run,
};
