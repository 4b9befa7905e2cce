/* The stages of a file, and which of them the target needs. */
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "build/internal.h"
#include "oci/manifest.h"

static void add_platform_globals(struct build *build, const char *prefix, const struct platform *platform)
{
    const struct {
        const char *suffix, *value;
    } rows[] = {
        {"OS", platform->os}, {"ARCH", platform->architecture}, {"VARIANT", string_or_empty(platform->variant)}};
    _cleanup_free_ char *text = platform_text(platform);
    _cleanup_free_ char *whole = xasprintf("%sPLATFORM", prefix);
    strmap_set(&build->globals, whole, text);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_free_ char *name = xasprintf("%s%s", prefix, rows[i].suffix);
        strmap_set(&build->globals, name, rows[i].value);
    }
}

static bool add_platforms(struct build *build, struct error *err)
{
    struct platform host = {0}, wanted = {0};
    platform_host(&host);
    add_platform_globals(build, "BUILD", &host);
    bool is_good = true;
    if (string_is_set(build->request->platform))
        is_good = platform_parse(build->request->platform, &wanted, err);
    else
        platform_host(&wanted);
    if (is_good)
        add_platform_globals(build, "TARGET", &wanted);
    record_release(&platform_type, &host);
    record_release(&platform_type, &wanted);
    return is_good;
}

struct stage *plan_find_stage(struct build *build, const char *name)
{
    uint64_t number;
    for (size_t i = 0; i < build->stage_count; i++)
        if (build->stages[i].name && strcasecmp(build->stages[i].name, name) == 0)
            return &build->stages[i];
    if (parse_uint64(name, &number) && number < build->stage_count)
        return &build->stages[number];
    return NULL;
}

static bool add_stage(struct build *build, size_t at, struct error *err)
{
    const struct instruction *from = &build->file.instructions[at];
    const char *platform = instruction_flag_value(from, "platform");
    struct stage *stage = APPEND(build->stages, build->stage_count);
    *stage = (struct stage){.build = build, .index = build->stage_count - 1, .first = at, .end = at + 1};
    if (from->arguments.count == 3)
        stage->name = xstrdup(from->arguments.items[2]);
    stage->base = scope_expand_global(build, from->arguments.items[0], err);
    if (!stage->base)
        return false;
    if (!*stage->base)
        return error_set(err, ERROR_INVALID, "base name (%s) should not be blank", from->arguments.items[0]);
    if (platform) {
        stage->platform = scope_expand_global(build, platform, err);
        if (!stage->platform)
            return false;
    }
    const struct strlist *uncached = &build->request->no_cache_stages;
    stage->uses_no_cache = build->request->uses_no_cache;
    for (size_t i = 0; i < uncached->count && stage->name; i++)
        stage->uses_no_cache |= strcasecmp(uncached->items[i], stage->name) == 0;
    return true;
}

static void need(struct stage *stage, const struct stage *other)
{
    _cleanup_free_ char *number = xasprintf("%zu", other->index);
    if (!strlist_contains(&stage->needs, number))
        strlist_add(&stage->needs, number);
}

/* The value of from= in the text of a --mount. Caller frees; NULL where there is none. */
static char *mount_origin(const char *text)
{
    _cleanup_strlist_ struct strlist fields = strlist_split(string_or_empty(text), ',');
    for (size_t i = 0; i < fields.count; i++)
        if (string_starts_with(fields.items[i], "from="))
            return xstrdup(fields.items[i] + 5);
    return NULL;
}

static void find_needs(struct build *build, struct stage *stage, const struct instruction *instruction)
{
    for (size_t i = 0; i < instruction->flag_count; i++) {
        const struct instruction_flag *flag = &instruction->flags[i];
        _cleanup_free_ char *name = strcmp(flag->name, "from") == 0    ? xstrdup(flag->value)
                                    : strcmp(flag->name, "mount") == 0 ? mount_origin(flag->value)
                                                                       : NULL;
        struct stage *other =
            name && !strmap_get(&build->request->contexts, name) ? plan_find_stage(build, name) : NULL;
        if (other)
            need(stage, other);
    }
}

static bool visit(struct build *build, struct stage *stage, struct error *err)
{
    if (stage->is_open) {
        _cleanup_free_ char *number = xasprintf("%zu", stage->index);
        return error_set(err, ERROR_INVALID, "circular dependency detected on stage: %s",
                         stage->name ? stage->name : number);
    }
    if (stage->is_visited)
        return true;
    stage->is_visited = stage->is_needed = stage->is_open = true;
    for (size_t i = 0; i < stage->needs.count; i++) {
        uint64_t number = 0;
        parse_uint64(stage->needs.items[i], &number);
        if (!visit(build, &build->stages[number], err))
            return false;
    }
    stage->is_open = false;
    return true;
}

static bool makes_files(enum instruction_kind kind)
{
    return kind == INSTRUCTION_FROM || kind == INSTRUCTION_RUN || kind == INSTRUCTION_COPY || kind == INSTRUCTION_ADD ||
           kind == INSTRUCTION_WORKDIR;
}

static bool collect(struct build *build, struct error *err)
{
    for (size_t i = 0; i < build->file.count; i++) {
        const struct instruction *instruction = &build->file.instructions[i];
        if (instruction->kind == INSTRUCTION_FROM) {
            if (!add_stage(build, i, err))
                return false;
        } else if (!build->stage_count) {
            if (instruction->kind != INSTRUCTION_ARG)
                return error_set(err, ERROR_INVALID,
                                 "dockerfile parse error on line %d: no build stage in current context",
                                 instruction->line);
            if (!scope_add_globals(build, instruction, err))
                return false;
        } else {
            build->stages[build->stage_count - 1].end = i + 1;
        }
    }
    return build->stage_count || error_set(err, ERROR_INVALID, "dockerfile parse error: no build stages");
}

/* The stage that FROM names must stand before it. */
static void link_bases(struct build *build)
{
    for (size_t i = 0; i < build->stage_count; i++) {
        struct stage *stage = &build->stages[i];
        for (size_t j = 0; j < i && !strmap_get(&build->request->contexts, stage->base); j++)
            if (build->stages[j].name && strcasecmp(build->stages[j].name, stage->base) == 0)
                need(stage, &build->stages[j]);
    }
}

bool plan_stages(struct build *build, struct error *err)
{
    if (!add_platforms(build, err) || !collect(build, err))
        return false;
    link_bases(build);
    for (size_t i = 0; i < build->stage_count; i++) {
        struct stage *stage = &build->stages[i];
        for (size_t j = stage->first; j < stage->end; j++) {
            const struct instruction *instruction = &build->file.instructions[j];
            if (j > stage->first)
                find_needs(build, stage, instruction);
            stage->step_count += makes_files(instruction->kind);
        }
    }
    const char *target = build->request->target;
    build->target = string_is_set(target) ? plan_find_stage(build, target) : &build->stages[build->stage_count - 1];
    if (!build->target)
        return error_set(err, ERROR_INVALID, "target stage \"%s\" could not be found", target);
    return visit(build, build->target, err);
}
