/* The end of a build: its image, named. */
#include <string.h>

#include "base/memory.h"
#include "build/internal.h"
#include "engine/events.h"
#include "oci/reference.h"
#include "json/json_record.h"

char *finish_id(const struct stage *stage, char **config)
{
    _cleanup_key_ struct key *key = key_new();
    char *text = record_format(&image_config_type, &stage->image);
    key_add_raw(key, text, strlen(text));
    if (config)
        *config = text;
    else
        free(text);
    return key_finish(key);
}

bool finish_unnamed(struct stage *stage, char **id, struct error *err)
{
    _cleanup_free_ char *config = record_format(&image_config_type, &stage->image);
    const struct image_creation creation = {.config = config, .config_length = strlen(config)};
    return image_create(stage->build->store, &creation, 1, id, NULL, err);
}

static bool parse_tags(const struct build *build, struct strlist *full, struct strlist *familiar, struct error *err)
{
    for (size_t i = 0; i < build->request->tags.count; i++) {
        _cleanup_reference_ struct reference reference = {0};
        if (!reference_parse_name(build->request->tags.items[i], NULL, &reference, err))
            return false;
        strlist_take(full, reference_full(&reference));
        strlist_take(familiar, reference_familiar(&reference));
    }
    return true;
}

/* An image that is there already only lacks names, if anything: the disk need not be waited for. */
static bool add_names(struct build *build, const struct image *image, const struct strlist *full,
                      const struct strlist *familiar, struct error *err)
{
    for (size_t i = 0; i < full->count; i++) {
        if (strlist_contains(&image->repo_tags, familiar->items[i]))
            continue;
        if (!image_tag(build->store, image->id, full->items[i], NULL, err))
            return false;
    }
    return true;
}

static bool create(struct build *build, const char *config, const struct strlist *full, struct error *err)
{
    int64_t mark = 0;
    char *made = NULL;
    const struct image_creation creation = {.config = config, .config_length = strlen(config), .references = *full};
    if (!build_cache_mark(build->store, &mark, err) || !image_create(build->store, &creation, 1, &made, NULL, err))
        return false;
    free(made);
    return build_cache_settle(build->store, mark, err);
}

static void tell_names(struct build *build, const char *id, const struct strlist *familiar)
{
    struct output *output = &build->output;
    for (size_t i = 0; i < familiar->count; i++) {
        image_event(build->engine, "tag", id, familiar->items[i]);
        output_text(output, output->count, "Successfully tagged %s\n", familiar->items[i]);
    }
}

bool finish_image(struct build *build, struct error *err)
{
    struct output *output = &build->output;
    struct stage *stage = build->target;
    _cleanup_strlist_ struct strlist full = {0}, familiar = {0};
    for (size_t i = 0; i < build->request->labels.count; i++)
        strmap_set(&stage->image.config.labels, build->request->labels.items[i].key,
                   build->request->labels.items[i].value);
    _cleanup_free_ char *config = NULL;
    _cleanup_free_ char *id = finish_id(stage, &config);
    _cleanup_image_ struct image known = {0};
    if (!parse_tags(build, &full, &familiar, err))
        return false;
    bool is_done = image_get(build->store, id, &known, NULL) ? add_names(build, &known, &full, &familiar, err)
                                                             : create(build, config, &full, err);
    if (!is_done)
        return false;
    output_row(output, json_pack("{s:{s:s}}", "aux", "ID", id));
    if (output->is_quiet && !output->has_events)
        output_row(output, json_pack("{s:o}", "stream", json_sprintf("%s\n", id)));
    output_text(output, output->count, "Successfully built %.12s\n", strchr(id, ':') + 1);
    tell_names(build, id, &familiar);
    return true;
}
