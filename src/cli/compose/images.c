#include "base/memory.h"
#include "cli/compose/engine.h"
#include "cli/human.h"
#include "cli/table.h"
#include "oci/reference.h"
#include "json/json_record.h"

struct images_values {
    bool is_quiet;
    char *format;
};

static void add_image(const struct compose_container *container, const json_t *image, struct strbuf *text, json_t *list)
{
    const char *id = string_or_empty(json_string_value(json_object_get(image, "Id"))),
               *name = json_string_value(json_array_get(json_object_get(image, "RepoTags"), 0));
    _cleanup_reference_ struct reference reference = {0};
    bool has_name = name && reference_parse(name, &reference, NULL);
    _cleanup_free_ char *repository = has_name ? reference_familiar_name(&reference) : xstrdup("<none>"),
                        *shown_id = short_id(id);
    const char *tag = has_name && reference.tag ? reference.tag : "<none>";
    int64_t bytes = json_integer_value(json_object_get(image, "Size"));
    _cleanup_free_ char *size = human_size((double)bytes, 3);
    strbuf_addf(text, "%s\t%s\t%s\t%s\t%s\n", container->name, repository, tag, shown_id, size);
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:I}", "ID", id, "ContainerName", container->name,
                                          "Repository", repository, "Tag", tag, "Size", (json_int_t)bytes));
}

static bool images_run(struct command_call *call, struct error *err)
{
    const struct images_values *values = call->values;
    bool is_json = string_equal(values->format, "json");
    if (values->format && !is_json && !string_equal(values->format, "table"))
        return error_set(err, ERROR_INVALID, "format value \"%s\" could not be parsed: parsing failed", values->format);
    _cleanup_compose_view_ struct compose_view view = {0};
    if (!compose_view_read(call, call->arguments, call->argument_count, false, &view, err))
        return false;
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT, table = STRBUF_INIT;
    _cleanup_json_ json_t *list = json_array();
    _cleanup_strlist_ struct strlist shown = {0};
    strbuf_add_string(&text, "CONTAINER\tREPOSITORY\tTAG\tIMAGE ID\tSIZE\n");
    for (size_t i = 0; i < view.state.count; i++) {
        const struct compose_container *one = &view.state.containers[i];
        const char *id = string_or_empty(json_string_value(json_object_get(one->row, "ImageID")));
        _cleanup_free_ char *path = client_path("images", id, "/json");
        _cleanup_json_ json_t *image = client_get_json(call->client, path, err);
        if (!image)
            return false;
        add_image(one, image, &text, list);
        if (values->is_quiet && !strlist_contains(&shown, id)) {
            strlist_add(&shown, id);
            puts(string_starts_with(id, "sha256:") ? id + 7 : id);
        }
    }
    if (values->is_quiet)
        return true;
    _cleanup_free_ char *json = json_format(list);
    table_align(strbuf_text(&text), 20, 1, &table);
    printf("%s%s", is_json ? json : strbuf_text(&table), is_json ? "\n" : "");
    return true;
}

#define AT(member) offsetof(struct images_values, member)
static const struct option rows[] = {
    {"format", 0, OPTION_STRING, AT(format), "string", "Format the output. Values: [table | json]", "table"},
    {"quiet", 'q', OPTION_BOOL, AT(is_quiet), .help = "Only display IDs"},
};

extern const struct command compose_images_command;
const struct command compose_images_command = {
    .paths = {"compose images"},
    .usage = "[OPTIONS] [SERVICE...]",
    .help = "List images used by the created containers",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct images_values),
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = images_run,
};
