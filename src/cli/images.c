/* wherry images: GET /images/json as a table, one row for each tag. */
#include <string.h>

#include "base/memory.h"
#include "cli/filter_option.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "cli/platform_option.h"
#include "cli/rows.h"
#include "json/json_record.h"

struct images_options {
    bool is_quiet;
    bool wants_all;
    bool is_not_truncated;
    bool wants_digests;
    bool wants_tree;
    char *format;
    struct strlist filters;
};

static const struct listing_column columns[] = {
    {"Containers", "CONTAINERS"},
    {"CreatedAt", "CREATED AT"},
    {"CreatedSince", "CREATED"},
    {"Digest", "DIGEST"},
    {"ID", "IMAGE ID"},
    {"Repository", "REPOSITORY"},
    {"SharedSize", "SHARED SIZE"},
    {"Size", "SIZE"},
    {"Tag", "TAG"},
    {"UniqueSize", "UNIQUE SIZE"},
    {"VirtualSize", "SIZE"},
};
static const struct listing listing = LISTING("*formatter.imageContext", columns);

/* What the rows of one image share. */
struct image {
    const json_t *json;
    bool is_truncated;
    json_t *rows;
};

static char *size_or_unknown(int64_t size)
{
    return size < 0 ? xstrdup("N/A") : human_size((double)size, 4);
}

static int64_t number_of(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

static void add_row(struct image *image, const char *repository, const char *tag, const char *digest)
{
    json_t *row = json_object();
    const char *id = string_or_empty(json_string_value(json_object_get(image->json, "Id")));
    int64_t created = number_of(image->json, "Created"), size = number_of(image->json, "Size");
    int64_t containers = number_of(image->json, "Containers"), shared = number_of(image->json, "SharedSize");
    row_take(row, "ID", image->is_truncated ? short_id(id) : xstrdup(id));
    row_take(row, "Repository", xstrdup(repository));
    row_take(row, "Tag", xstrdup(tag));
    row_take(row, "Digest", xstrdup(digest));
    row_take(row, "CreatedSince", human_age(created));
    row_take(row, "CreatedAt", human_time(created));
    row_take(row, "Size", human_size((double)size, 3));
    row_take(row, "VirtualSize", human_size((double)size, 4));
    row_take(row, "Containers", containers < 0 ? xstrdup("N/A") : xasprintf("%lld", (long long)containers));
    row_take(row, "SharedSize", size_or_unknown(shared));
    row_take(row, "UniqueSize", size_or_unknown(size < 0 || shared < 0 ? -1 : size - shared));
    json_array_append_new(image->rows, row);
}

/* "name:tag" or "name@digest" in two; *name is the caller's. */
static const char *split_name(const char *text, char separator, char **name)
{
    const char *place = strrchr(text, separator);
    *name = xstrndup(text, place ? (size_t)(place - text) : strlen(text));
    return place ? place + 1 : "";
}

/* Adds a row for each digest of `repository` in the image; false where there is none. */
static bool add_digest_rows(struct image *image, const json_t *digests, const char *repository, const char *tag)
{
    bool has_some = false;
    size_t i;
    json_t *item;
    json_array_foreach(digests, i, item)
    {
        _cleanup_free_ char *name = NULL;
        const char *digest = split_name(string_or_empty(json_string_value(item)), '@', &name);
        if (strcmp(name, repository) != 0)
            continue;
        add_row(image, repository, tag, digest);
        has_some = true;
    }
    return has_some;
}

static void add_image(const json_t *json, bool is_truncated, bool needs_digest, bool shows_digests, json_t *rows)
{
    struct image image = {json, is_truncated, rows};
    const json_t *tags = json_object_get(json, "RepoTags"), *digests = json_object_get(json, "RepoDigests");
    const char *first_tag = string_or_empty(json_string_value(json_array_get(tags, 0)));
    bool is_old_dangling = json_array_size(tags) == 1 && strcmp(first_tag, "<none>:<none>") == 0;
    if ((json_array_size(tags) == 0 && json_array_size(digests) == 0) || is_old_dangling) {
        add_row(&image, "<none>", "<none>", "<none>");
        return;
    }
    _cleanup_strlist_ struct strlist tagged = {0};
    size_t i;
    json_t *item;
    json_array_foreach(tags, i, item)
    {
        _cleanup_free_ char *name = NULL;
        const char *tag = split_name(string_or_empty(json_string_value(item)), ':', &name);
        strlist_add(&tagged, name);
        if (!needs_digest || !add_digest_rows(&image, digests, name, tag))
            add_row(&image, name, tag, "<none>");
    }
    /* Repositories that are known by digest alone: one row for each, or one for each digest. */
    json_array_foreach(digests, i, item)
    {
        _cleanup_free_ char *name = NULL;
        const char *digest = split_name(string_or_empty(json_string_value(item)), '@', &name);
        if (strlist_contains(&tagged, name))
            continue;
        if (!shows_digests)
            strlist_add(&tagged, name);
        add_row(&image, name, "<none>", shows_digests ? digest : "");
    }
}

void image_rows_add(const json_t *image, bool is_truncated, json_t *rows)
{
    add_image(image, is_truncated, false, false, rows);
}

static char *template_of(const char *format, const struct images_options *options)
{
    if (string_equal(format, "table")) {
        if (options->is_quiet)
            return xstrdup("{{.ID}}");
        return xasprintf("table {{.Repository}}\t{{.Tag}}\t%s{{.ID}}\t{{.CreatedSince}}\t{{.Size}}",
                         options->wants_digests ? "{{.Digest}}\t" : "");
    }
    if (string_equal(format, "raw")) {
        if (options->is_quiet)
            return xstrdup("image_id: {{.ID}}");
        return xasprintf("repository: {{.Repository}}\ntag: {{.Tag}}\n%simage_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\n"
                         "virtual_size: {{.Size}}\n",
                         options->wants_digests ? "digest: {{.Digest}}\n" : "");
    }
    bool lacks_digest = options->wants_digests && listing_is_table(format) && !strstr(format, "{{.Digest}}");
    return xasprintf("%s%s", format, lacks_digest ? "\t{{.Digest}}" : "");
}

static bool images_run(struct command_call *call, struct error *err)
{
    struct images_options *options = call->values;
    if (options->wants_tree && !require_api_version(call, "tree", "1.47", err))
        return false;
    if (options->wants_tree)
        return error_set(err, ERROR_UNSUPPORTED,
                         "--tree needs an engine that keeps images of several platforms, which "
                         "this version does not show");
    if (call->argument_count > 0)
        strlist_addf(&options->filters, "reference=%s", call->arguments[0]);
    _cleanup_free_ char *filters = filter_json(&options->filters);
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/images/json");
    client_query_add(&path, "all", options->wants_all ? "1" : NULL);
    client_query_add(&path, "filters", filters);
    _cleanup_json_ json_t *images = client_get_json(call->client, strbuf_text(&path), err);
    if (!images)
        return false;
    _cleanup_free_ char *format = listing_format(call, options->format, options->is_quiet ? NULL : "imagesFormat");
    _cleanup_free_ char *template = template_of(format, options);
    bool needs_digest = options->wants_digests || strstr(template, "{{.Digest}}");
    _cleanup_json_ json_t *rows = json_array();
    size_t i;
    json_t *image;
    json_array_foreach(images, i, image)
    {
        add_image(image, !options->is_not_truncated, needs_digest, options->wants_digests, rows);
    }
    return listing_print(&listing, template, rows, err);
}

#define PLACE(member_) offsetof(struct images_options, member_)
static const struct option images_rows[] = {
    {"quiet", 'q', OPTION_BOOL, PLACE(is_quiet), .help = "Only show image IDs"},
    {"all", 'a', OPTION_BOOL, PLACE(wants_all), .help = "Show all images (default hides intermediate images)"},
    {"no-trunc", 0, OPTION_BOOL, PLACE(is_not_truncated), .help = "Don't truncate output"},
    {"digests", 0, OPTION_BOOL, PLACE(wants_digests), .help = "Show digests"},
    {"format", 0, OPTION_STRING, PLACE(format), "string", FORMAT_HELP},
    {"filter", 'f', OPTION_LIST, PLACE(filters), "filter", "Filter output based on conditions provided",
     .parse = filter_parse},
    {"tree", 0, OPTION_BOOL, PLACE(wants_tree), .help = "List multi-platform images as a tree (EXPERIMENTAL)"},
};

const struct command images_command = {
    .paths = {"image ls", "image list", "images"},
    .usage = "[OPTIONS] [REPOSITORY[:TAG]]",
    .help = "List images",
    .group = GROUP_COMMON,
    .options = OPTION_TABLE(images_rows),
    .values_size = sizeof(struct images_options),
    .max_arguments = 1,
    .run = images_run,
};
