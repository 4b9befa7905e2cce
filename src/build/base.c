/* Images that a build begins with: here, or pulled. */
#include <string.h>

#include "base/memory.h"
#include "build/internal.h"
#include "engine/events.h"
#include "oci/manifest.h"
#include "registry/registry.h"
#include "json/json_record.h"

struct pull {
    struct build *build;
    struct stage *stage;
};

static bool is_pull_cancelled(void *context)
{
    const struct pull *pull = context;
    return build_is_cancelled(pull->build);
}

/* Docker's own progress messages in its form; as events what is known of each layer. */
static void tell_progress(void *context, json_t *message)
{
    struct pull *pull = context;
    struct output *output = &pull->build->output;
    if (!output->is_quiet && !output->has_events) {
        output_row(output, message);
        return;
    }
    const json_t *detail = json_object_get(message, "progressDetail");
    if (output->has_events && json_integer_value(json_object_get(detail, "total")) > 0)
        output_row(output,
                   json_pack("{s:{s:I, s:O, s:O}}", "progress", "step", (json_int_t)pull->stage->first + 1, "current",
                             json_object_get(detail, "current"), "total", json_object_get(detail, "total")));
    json_decref(message);
}

/* What the client knows of the registry: docker's key for its hub is a URL. */
static void find_auth(const struct build *build, const struct reference *reference, struct registry_auth *out)
{
    const json_t *found = json_object_get(build->request->registries, reference->domain);
    if (!found && string_equal(reference->domain, "docker.io"))
        found = json_object_get(build->request->registries, "https://index.docker.io/v1/");
    struct error ignored = ERROR_INIT;
    if (found && !record_from_json(&registry_auth_type, found, out, &ignored))
        error_release(&ignored);
}

static bool pull_image(struct stage *stage, const struct reference *reference, const struct platform *platform,
                       char **id, struct error *err)
{
    struct build *build = stage->build;
    struct pull pull = {build, stage};
    _cleanup_registry_auth_ struct registry_auth auth = {0};
    find_auth(build, reference, &auth);
    const struct registry_call call = {
        .auth = &auth, .is_cancelled = is_pull_cancelled, .progress = tell_progress, .context = &pull};
    bool is_new;
    if (!registry_pull(engine_registry(build->engine), &call, reference, platform, id, &is_new, err))
        return false;
    _cleanup_free_ char *familiar = reference_familiar(reference);
    _cleanup_free_ char *name = reference_familiar_name(reference);
    image_event(build->engine, "pull", familiar, name);
    return true;
}

static bool load(struct stage *stage, const char *text, const struct platform *platform, bool is_platform_given,
                 struct image *out, struct error *err)
{
    struct build *build = stage->build;
    _cleanup_image_ struct image image = {0};
    _cleanup_free_ char *id = NULL;
    struct error why = ERROR_INIT;
    bool is_here = image_get(build->store, text, &image, &why);
    bool is_fitting = is_here && (!is_platform_given || image_check_platform(&image, text, platform, NULL));
    if (!is_here && why.kind != ERROR_NOT_FOUND)
        return error_move(err, &why);
    error_release(&why);
    _cleanup_reference_ struct reference reference = {0};
    bool is_name = reference_parse(text, &reference, is_here ? NULL : err);
    if (!is_here && !is_name)
        return false;
    /* An id names what is here alone. */
    bool is_id = is_here && (string_starts_with(image.id, text) || string_starts_with(image.id + 7, text));
    if (!is_fitting || (build->request->pulls && !is_id)) {
        if (!pull_image(stage, &reference, platform, &id, err))
            return false;
        image_release(&image);
        if (!image_get(build->store, id, &image, err) ||
            (is_platform_given && !image_check_platform(&image, text, platform, err)))
            return false;
    }
    *out = image;
    image = (struct image){0};
    return true;
}

bool base_load(struct stage *stage, const char *reference, const char *platform, struct image *out, struct error *err)
{
    struct platform wanted = {0};
    const char *text = string_is_set(platform) ? platform : stage->build->request->platform;
    if (string_is_set(text)) {
        if (!platform_parse(text, &wanted, err))
            return false;
    } else {
        platform_host(&wanted);
    }
    bool is_done = load(stage, reference, &wanted, string_is_set(text), out, err);
    record_release(&platform_type, &wanted);
    return is_done;
}
