/* One stage, instruction after instruction, on a thread of its own. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "build/internal.h"
#include "oci/manifest.h"

void stage_release(struct stage *stage)
{
    free(stage->name);
    free(stage->base);
    free(stage->platform);
    strlist_release(&stage->needs);
    record_release(&image_config_type, &stage->image);
    strlist_release(&stage->layers);
    snapshot_close(&stage->snapshot);
    free(stage->key);
    free(stage->record);
    strmap_release(&stage->arguments);
    strlist_release(&stage->declared);
}

bool stage_snapshot(struct stage *stage, struct error *err)
{
    if (!stage->has_snapshot)
        stage->has_snapshot = snapshot_open(&stage->snapshot, &stage->layers, err);
    return stage->has_snapshot;
}

bool stage_wait(struct build *build, struct stage *stage, struct error *err)
{
    pthread_mutex_lock(&build->lock);
    while (stage->state == STAGE_WAITING && !build_is_cancelled(build))
        pthread_cond_wait(&build->changed, &build->lock);
    bool is_done = stage->state == STAGE_DONE;
    pthread_mutex_unlock(&build->lock);
    return is_done || error_set(err, ERROR_CANCELLED, "context canceled");
}

/* --- what is told of a step --- */

static char *event_name(const struct stage *stage, const struct instruction *instruction)
{
    size_t needed = 0;
    for (size_t i = 0; i < stage->build->stage_count; i++)
        needed += stage->build->stages[i].is_needed;
    _cleanup_free_ char *number = xasprintf("stage-%zu", stage->index);
    const char *name = stage->name ? stage->name : needed > 1 ? number : "";
    return xasprintf("[%s%s%zu/%zu] %s", name, *name ? " " : "", stage->step_number, stage->step_count,
                     instruction->original);
}

static void tell_step(struct stage *stage, const struct instruction *instruction, size_t id, const char *state,
                      double seconds)
{
    if (!stage->build->output.has_events)
        return;
    _cleanup_free_ char *name = event_name(stage, instruction);
    output_step(&stage->build->output, id, string_or_empty(stage->name), name, instruction->line, state, seconds);
}

static void tell_id(struct stage *stage)
{
    if (stage->build->output.has_events)
        return;
    _cleanup_free_ char *id = finish_id(stage, NULL);
    output_text(&stage->build->output, stage->index, " ---> %.12s\n", strchr(id, ':') + 1);
}

/* --- FROM --- */

static bool begin_with_stage(struct stage *stage, struct stage *other, struct error *err)
{
    if (!stage_wait(stage->build, other, err))
        return false;
    record_copy(&image_config_type, &stage->image, &other->image);
    strlist_copy(&stage->layers, &other->layers);
    stage->key = xstrdup(other->key);
    string_replace(&stage->record, other->record);
    stage->is_cached = other->is_cached;
    return true;
}

static bool begin_with_nothing(struct stage *stage, struct error *err)
{
    struct platform platform = {0};
    const char *text = string_is_set(stage->platform) ? stage->platform : stage->build->request->platform;
    if (string_is_set(text)) {
        if (!platform_parse(text, &platform, err))
            return false;
    } else {
        platform_host(&platform);
    }
    string_replace(&stage->image.os, platform.os);
    string_replace(&stage->image.architecture, platform.architecture);
    string_replace(&stage->image.variant, platform.variant);
    string_replace(&stage->image.rootfs.type, "layers");
    record_release(&platform_type, &platform);
    strlist_add(&stage->image.config.env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    stage->key = xstrdup("scratch");
    return true;
}

static bool begin_with_image(struct stage *stage, const char *reference, struct error *err)
{
    _cleanup_image_ struct image image = {0};
    if (!base_load(stage, reference, stage->platform, &image, err) ||
        !image_layers(stage->build->store, image.id, &stage->layers, err))
        return false;
    record_copy(&image_config_type, &stage->image, &image.parsed);
    stage->key = xstrdup(image.id);
    return true;
}

static struct stage *base_stage(struct stage *stage)
{
    struct build *build = stage->build;
    for (size_t i = 0; i < stage->needs.count; i++) {
        uint64_t number = 0;
        parse_uint64(stage->needs.items[i], &number);
        struct stage *other = &build->stages[number];
        if (other->index < stage->index && other->name && strcasecmp(other->name, stage->base) == 0)
            return other;
    }
    return NULL;
}

static bool begin(struct stage *stage, struct error *err)
{
    const char *context = strmap_get(&stage->build->request->contexts, stage->base);
    struct stage *other = context ? NULL : base_stage(stage);
    stage->is_cached = true;
    if (other)
        return begin_with_stage(stage, other, err);
    if (context && string_starts_with(context, "image:"))
        return begin_with_image(stage, context + strlen("image:"), err);
    if (context)
        return error_set(err, ERROR_INVALID, "the named context %s is a folder: FROM needs an image", stage->base);
    if (strcmp(stage->base, "scratch") == 0)
        return begin_with_nothing(stage, err);
    return begin_with_image(stage, stage->base, err);
}

/* --- the other instructions --- */

static bool apply_metadata(struct stage *stage, const struct instruction *instruction, struct error *err)
{
    _cleanup_free_ char *text = NULL;
    if (!metadata_apply(stage, instruction, &text, err))
        return false;
    _cleanup_key_ struct key *builder = key_new();
    key_add(builder, "metadata");
    key_add(builder, stage->key);
    key_add(builder, text);
    _cleanup_free_ char *key = key_finish(builder);
    const struct step_call call = {
        .key = key, .description = text, .kind = "regular", .uses_no_cache = stage->uses_no_cache};
    _cleanup_build_record_ struct build_record record = {0};
    bool is_cached = false;
    if (!step_do(stage, &call, &record, &is_cached, err) || !step_apply(stage, &record, text, false, err))
        return false;
    stage->is_cached &= is_cached;
    if (is_cached)
        output_text(&stage->build->output, stage->index, " ---> Using cache\n");
    return true;
}

static bool dispatch(struct stage *stage, const struct instruction *instruction, size_t id, struct error *err)
{
    switch (instruction->kind) {
    case INSTRUCTION_RUN:
        return step_run(stage, instruction, id, err);
    case INSTRUCTION_COPY:
    case INSTRUCTION_ADD:
        return step_copy(stage, instruction, id, err);
    case INSTRUCTION_WORKDIR:
        return step_workdir(stage, instruction, id, err);
    default:
        return apply_metadata(stage, instruction, err);
    }
}

static bool makes_files(enum instruction_kind kind)
{
    return kind == INSTRUCTION_RUN || kind == INSTRUCTION_COPY || kind == INSTRUCTION_ADD ||
           kind == INSTRUCTION_WORKDIR;
}

/* What belongs beside the message of a failed step. */
static void describe_failure(struct stage *stage, const struct instruction *instruction, size_t id)
{
    struct build *build = stage->build;
    if (!build->output.has_events)
        return;
    json_t *detail = json_pack("{s:I, s:i}", "step", (json_int_t)id, "line", instruction->line);
    _cleanup_free_ char *excerpt = dockerfile_excerpt(&build->file, instruction->line, instruction->last_line);
    _cleanup_free_ char *clean = text_to_utf8(string_or_empty(excerpt));
    json_object_set_new(detail, "excerpt", json_string(clean));
    if (instruction->kind == INSTRUCTION_RUN) {
        _cleanup_free_ char *image = NULL;
        struct error ignored = ERROR_INIT;
        if (finish_unnamed(stage, &image, &ignored))
            json_object_set_new(detail, "debug",
                                json_sprintf("wherry run --rm -it %.12s /bin/sh", strchr(image, ':') + 1));
        else
            error_release(&ignored);
    }
    pthread_mutex_lock(&build->lock);
    if (!build->err.kind) {
        if (!build->detail)
            build->detail = json_object();
        json_object_update(build->detail, detail);
    }
    json_decref(detail);
    pthread_mutex_unlock(&build->lock);
}

static bool run_instruction(struct stage *stage, const struct instruction *instruction, size_t id, struct error *err)
{
    bool is_shown = makes_files(instruction->kind);
    int64_t start = clock_monotonic();
    bool was_cached = stage->is_cached;
    stage->step_number += is_shown;
    if (is_shown)
        tell_step(stage, instruction, id, "started", -1);
    stage->is_cached = true;
    struct error why = ERROR_INIT;
    bool is_done = dispatch(stage, instruction, id, &why);
    bool is_cached = stage->is_cached;
    stage->is_cached = was_cached && is_cached;
    double seconds = (double)(clock_monotonic() - start) / (double)NANOSECONDS_PER_SECOND;
    if (is_shown)
        tell_step(stage, instruction, id,
                  is_done                       ? (is_cached ? "cached" : "done")
                  : why.kind == ERROR_CANCELLED ? "cancelled"
                                                : "failed",
                  seconds);
    if (is_done) {
        tell_id(stage);
        return true;
    }
    if (why.kind != ERROR_CANCELLED)
        describe_failure(stage, instruction, id);
    return error_move(err, &why);
}

/* ONBUILD of the base, in its place. */
static bool run_triggers(struct stage *stage, const struct strlist *triggers, struct error *err)
{
    struct output *output = &stage->build->output;
    if (triggers->count)
        output_text(output, stage->index, "# Executing %zu build trigger%s\n", triggers->count,
                    triggers->count == 1 ? "" : "s");
    for (size_t i = 0; i < triggers->count; i++) {
        struct instruction instruction = {0};
        if (!instruction_parse(triggers->items[i], &instruction, err))
            return error_prefix(err, "failed to parse ONBUILD instruction: %s", triggers->items[i]);
        size_t id = stage->build->file.count + 1 + stage->index * 1000 + i;
        stage->step_count += makes_files(instruction.kind);
        bool is_done = run_instruction(stage, &instruction, id, err);
        instruction_release(&instruction);
        if (!is_done)
            return false;
    }
    return true;
}

/* Where the instruction stands among those of the stages that are needed. */
static size_t count_steps(const struct build *build, size_t until)
{
    /* The arguments before the first stage count, too. */
    size_t count = MIN(until, build->stage_count ? build->stages[0].first : 0);
    for (size_t i = 0; i < build->stage_count; i++) {
        const struct stage *stage = &build->stages[i];
        if (stage->is_needed && stage->first < until)
            count += MIN(until, stage->end) - stage->first;
    }
    return count;
}

void tell_arguments(struct build *build)
{
    for (size_t i = 0; build->stage_count && i < build->stages[0].first; i++)
        output_text(&build->output, 0, "Step %zu/%zu : %s\n", i + 1, count_steps(build, build->file.count),
                    build->file.instructions[i].original);
}

static void tell_instruction(struct stage *stage, size_t at)
{
    const struct build *build = stage->build;
    output_text(&stage->build->output, stage->index, "Step %zu/%zu : %s\n", count_steps(build, at + 1),
                count_steps(build, build->file.count), build->file.instructions[at].original);
}

static bool run_stage(struct stage *stage, struct error *err)
{
    const struct dockerfile *file = &stage->build->file;
    const struct instruction *from = &file->instructions[stage->first];
    _cleanup_strlist_ struct strlist triggers = {0};
    int64_t start = clock_monotonic();
    tell_instruction(stage, stage->first);
    stage->step_number = 1;
    tell_step(stage, from, stage->first + 1, "started", -1);
    bool has_begun = begin(stage, err);
    tell_step(stage, from, stage->first + 1, has_begun ? "done" : "failed",
              (double)(clock_monotonic() - start) / (double)NANOSECONDS_PER_SECOND);
    if (!has_begun) {
        describe_failure(stage, from, stage->first + 1);
        return false;
    }
    tell_id(stage);
    triggers = stage->image.config.on_build;
    stage->image.config.on_build = (struct strlist){0};
    if (!run_triggers(stage, &triggers, err))
        return false;
    for (size_t i = stage->first + 1; i < stage->end; i++) {
        tell_instruction(stage, i);
        if (!run_instruction(stage, &file->instructions[i], i + 1, err))
            return false;
    }
    return true;
}

void *stage_thread(void *argument)
{
    struct stage *stage = argument;
    struct build *build = stage->build;
    struct error err = ERROR_INIT;
    bool is_done = run_stage(stage, &err);
    output_end_pane(&build->output, stage->index);
    if (!is_done)
        build_fail(build, &err, NULL);
    pthread_mutex_lock(&build->lock);
    stage->state = is_done ? STAGE_DONE : STAGE_FAILED;
    build->running--;
    pthread_cond_broadcast(&build->changed);
    pthread_mutex_unlock(&build->lock);
    uint64_t one = 1;
    if (write(build->finished, &one, sizeof(one)) < 0)
        return NULL;
    return NULL;
}
