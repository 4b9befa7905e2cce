/* COPY, ADD and WORKDIR. */
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "build/add.h"
#include "build/git.h"
#include "build/internal.h"
#include "build/mode_change.h"
#include "build/owner.h"
#include "store/layer.h"

struct copying {
    struct stage *stage;
    const struct instruction *instruction;
    bool is_add;
    struct strlist sources;
    char *destination; /* absolute, perhaps with a '/' at its end */
    char *from, *chown, *chmod, *checksum;
    bool is_linked, keeps_parents, unpacks, has_unpack;
    struct strlist excluded;
    struct ignore *exclude;
    char *history;
    struct origin origin;
    const struct copy_source *source;
    struct copy_owner owner;
    struct add_set extra; /* heredocs, URLs and archives */
    struct copy_plan plan;
};

static void release(struct copying *copying)
{
    strlist_release(&copying->sources);
    free(copying->destination);
    free(copying->from);
    free(copying->chown);
    free(copying->chmod);
    free(copying->checksum);
    strlist_release(&copying->excluded);
    if (copying->exclude)
        ignore_free(copying->exclude);
    free(copying->history);
    copy_plan_release(&copying->plan);
    add_set_release(&copying->extra);
    origin_release(&copying->origin);
}

/* --- what the instruction says --- */

static bool read_flag(struct copying *copying, const struct instruction_flag *flag, struct error *err)
{
    const struct {
        const char *name;
        char **place;
    } texts[] = {{"from", &copying->from},
                 {"chown", &copying->chown},
                 {"chmod", &copying->chmod},
                 {"checksum", &copying->checksum}};
    const struct {
        const char *name;
        bool *place;
    } switches[] = {{"link", &copying->is_linked},
                    {"parents", &copying->keeps_parents},
                    {"unpack", &copying->unpacks},
                    {"keep-git-dir", &copying->extra.keeps_git}};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (strcmp(flag->name, texts[i].name) == 0) {
            free(*texts[i].place);
            *texts[i].place = scope_expand(copying->stage, string_or_empty(flag->value), err);
            return *texts[i].place != NULL;
        }
    for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
        if (strcmp(flag->name, switches[i].name) == 0) {
            *switches[i].place = !flag->value || strcmp(flag->value, "true") == 0 || !*flag->value;
            copying->has_unpack |= strcmp(flag->name, "unpack") == 0;
            return true;
        }
    if (strcmp(flag->name, "exclude") == 0) {
        char *pattern = scope_expand(copying->stage, string_or_empty(flag->value), err);
        if (!pattern)
            return false;
        strlist_take(&copying->excluded, pattern);
        return true;
    }
    return error_set(err, ERROR_INVALID, "unknown flag: --%s", flag->name);
}

static char *absolute(const struct stage *stage, const char *path)
{
    const char *cwd = string_is_set(stage->image.config.working_dir) ? stage->image.config.working_dir : "/";
    bool has_slash = string_ends_with(path, "/") || string_ends_with(path, "/.") || strcmp(path, ".") == 0;
    _cleanup_free_ char *joined = *path == '/' ? xstrdup(path) : xasprintf("%s/%s", cwd, path);
    _cleanup_free_ char *cleaned = path_clean(joined);
    return xasprintf("%s%s", cleaned, has_slash && strcmp(cleaned, "/") != 0 ? "/" : "");
}

static void write_history(struct copying *copying)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    strbuf_add_string(&text, copying->is_add ? "ADD" : "COPY");
    if (copying->keeps_parents)
        strbuf_add_string(&text, " --parents");
    if (string_is_set(copying->chown))
        strbuf_addf(&text, " --chown=%s", copying->chown);
    if (string_is_set(copying->chmod))
        strbuf_addf(&text, " --chmod=%s", copying->chmod);
    for (size_t i = 0; i < copying->sources.count; i++)
        strbuf_addf(&text, " %s", copying->sources.items[i]);
    for (size_t i = 0; i < copying->instruction->heredoc_count; i++)
        strbuf_addf(&text, " %s", copying->instruction->heredocs[i].name);
    strbuf_addf(&text, " %s # buildkit", copying->destination);
    copying->history = strbuf_take(&text);
}

static bool read_instruction(struct copying *copying, struct error *err)
{
    const struct instruction *instruction = copying->instruction;
    for (size_t i = 0; i < instruction->flag_count; i++)
        if (!read_flag(copying, &instruction->flags[i], err))
            return false;
    for (size_t i = 0; i < instruction->arguments.count; i++) {
        char *word = scope_expand(copying->stage, instruction->arguments.items[i], err);
        if (!word)
            return false;
        strlist_take(&copying->sources, word);
    }
    copying->destination = absolute(copying->stage, copying->sources.items[copying->sources.count - 1]);
    strlist_remove(&copying->sources, copying->sources.count - 1);
    if (copying->sources.count + instruction->heredoc_count > 1 && !string_ends_with(copying->destination, "/"))
        return error_set(err, ERROR_INVALID,
                         "When using %s with more than one source file, the destination must be a directory and end "
                         "with a /",
                         instruction_keyword(instruction->kind));
    if (string_is_set(copying->chmod) && !mode_change_is_valid(copying->chmod, err))
        return false;
    if (copying->excluded.count && !(copying->exclude = ignore_new(&copying->excluded, err)))
        return false;
    if (string_is_set(copying->checksum) && (copying->sources.count != 1 || !add_is_remote(copying->sources.items[0]) ||
                                             git_is_url(copying->sources.items[0])))
        return error_set(err, ERROR_INVALID, "checksum can't be specified for non-HTTP(S) sources");
    write_history(copying);
    return true;
}

/* --- what is to be copied --- */

static bool open_source(struct copying *copying, struct error *err)
{
    copying->source = &copying->stage->build->source;
    if (!string_is_set(copying->from))
        return true;
    if (!origin_open(copying->stage, copying->from, &copying->origin, err))
        return err->kind != ERROR_CANCELLED && error_prefix(err, "invalid from flag value %s", copying->from);
    copying->source = &copying->origin.source;
    return true;
}

/* What is wrong with the files, in Docker's words. */
static bool fail(const struct copying *copying, struct error *err)
{
    return err->kind != ERROR_CANCELLED && error_prefix(err, "%s failed", copying->is_add ? "ADD" : "COPY");
}

static bool gather_one(struct copying *copying, const char *pattern, struct error *err)
{
    const struct copy_options options = {.keeps_parents = copying->keeps_parents, .exclude = copying->exclude};
    size_t before = copying->plan.count;
    if (copying->is_add && add_is_remote(pattern))
        return add_url(&copying->extra, copying->stage->build, pattern, copying->checksum,
                       copying->has_unpack && copying->unpacks, string_ends_with(copying->destination, "/"),
                       &copying->plan, err);
    if (!copy_plan_add(&copying->plan, copying->source, pattern, &options, err))
        return fail(copying, err);
    /* A local archive is what is in it. */
    for (size_t i = before; copying->is_add && (!copying->has_unpack || copying->unpacks) && i < copying->plan.count;)
        if (!copying->plan.entries[i].is_top && S_ISREG(copying->plan.entries[i].status.st_mode) &&
            !*copying->plan.entries[i].target && add_is_archive(&copying->plan.entries[i]))
            add_archive(&copying->extra, &copying->plan, i);
        else
            i++;
    return true;
}

static bool gather(struct copying *copying, struct error *err)
{
    for (size_t i = 0; i < copying->instruction->heredoc_count; i++)
        if (!add_heredoc(&copying->extra, copying->stage, &copying->instruction->heredocs[i], &copying->plan, err))
            return false;
    for (size_t i = 0; i < copying->sources.count; i++)
        if (!gather_one(copying, copying->sources.items[i], err))
            return false;
    if (!copying->plan.count && !copying->extra.archive_count && !copying->exclude)
        return error_set(err, ERROR_INVALID, "%s failed: no source files were specified",
                         copying->is_add ? "ADD" : "COPY");
    if (copying->plan.tops > 1 && !string_ends_with(copying->destination, "/"))
        return error_set(err, ERROR_INVALID,
                         "When using %s with more than one source file, the destination must be a directory and end "
                         "with a /",
                         copying->is_add ? "ADD" : "COPY");
    return true;
}

static void add_options_to_key(const struct copying *copying, struct key *key)
{
    key_add(key, copying->is_add ? "add" : "copy");
    if (!copying->is_linked)
        step_add_layers(copying->stage, key);
    key_add(key, copying->destination);
    key_add(key, copying->chown);
    key_add(key, copying->chmod);
    key_add_number(key, copying->is_linked);
    step_add_epoch(copying->stage, key);
}

/* Of a tree that is known as a whole: what is asked of it is the key, and nothing need be read. */
static char *short_key(const struct copying *copying)
{
    if (!copying->origin.identity)
        return NULL;
    _cleanup_key_ struct key *key = key_new();
    add_options_to_key(copying, key);
    key_add(key, copying->origin.identity);
    key_add_list(key, &copying->sources);
    key_add_list(key, &copying->excluded);
    key_add_number(key, copying->keeps_parents);
    return key_finish(key);
}

static char *content_key(const struct copying *copying)
{
    _cleanup_key_ struct key *key = key_new();
    add_options_to_key(copying, key);
    copy_plan_add_to_key(&copying->plan, key);
    add_set_add_to_key(&copying->extra, key);
    return key_finish(key);
}

/* --- the work --- */

static bool write_layer(struct copying *copying, const char *path, struct layer_info *layer, struct error *err)
{
    struct stage *stage = copying->stage;
    _cleanup_close_ int upper = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct copy_write write = {
        .base = copying->is_linked ? NULL : &stage->snapshot,
        .upper = upper,
        .destination = copying->destination,
        .owner = copying->owner,
        .mode = string_is_set(copying->chmod) ? copying->chmod : NULL,
        .is_cancelled = build_is_cancelled,
        .context = stage->build,
    };
    if (upper < 0)
        return error_errno(err, "open %s", path);
    return copy_plan_write(&copying->plan, &write, err) &&
           add_archives_write(&copying->extra, stage->build->store, &write, err) && step_adopt(stage, path, layer, err);
}

static bool make(void *context, struct layer_info *layer, struct error *err)
{
    struct copying *copying = context;
    struct store *store = copying->stage->build->store;
    _cleanup_free_ char *folder = scratch_make(store, "copy", err);
    if (!folder)
        return false;
    _cleanup_free_ char *path = scratch_path(store, folder);
    bool is_done = write_layer(copying, path, layer, err);
    scratch_remove(store, folder);
    return is_done || fail(copying, err);
}

static bool apply(struct copying *copying, const struct build_record *record, bool is_cached, struct error *err)
{
    copying->stage->is_cached = is_cached;
    if (is_cached)
        output_text(&copying->stage->build->output, copying->stage->index, " ---> Using cache\n");
    return step_apply(copying->stage, record, copying->history, true, err);
}

static bool carry_out(struct copying *copying, struct error *err)
{
    struct stage *stage = copying->stage;
    struct store *store = stage->build->store;
    _cleanup_build_record_ struct build_record record = {0};
    _cleanup_free_ char *brief = short_key(copying);
    bool is_cached = false;
    if (brief && !stage->uses_no_cache) {
        if (!build_cache_find(store, brief, &record, &is_cached, err))
            return false;
        if (is_cached)
            return apply(copying, &record, true, err);
    }
    if (!gather(copying, err) || !stage_snapshot(stage, err) ||
        !owner_parse(&stage->snapshot, copying->chown, &copying->owner, err))
        return false;
    _cleanup_free_ char *key = content_key(copying);
    const struct step_call call = {.key = key,
                                   .description = copying->history,
                                   .kind = "regular",
                                   .uses_no_cache = stage->uses_no_cache,
                                   .make = make,
                                   .context = copying};
    if (!step_do(stage, &call, &record, &is_cached, err))
        return false;
    if (brief) {
        struct build_record known = record;
        known.key = brief;
        if (!build_cache_put(store, &known, err))
            return false;
    }
    return apply(copying, &record, is_cached, err);
}

bool step_copy(struct stage *stage, const struct instruction *instruction, size_t id, struct error *err)
{
    struct copying copying = {
        .stage = stage, .instruction = instruction, .is_add = instruction->kind == INSTRUCTION_ADD};
    bool is_done = read_instruction(&copying, err) && open_source(&copying, err) && carry_out(&copying, err);
    release(&copying);
    return is_done;
}

/* --- WORKDIR --- */

struct entering {
    struct stage *stage;
    const char *path;
};

static bool make_workdir(void *context, struct layer_info *layer, struct error *err)
{
    struct entering *entering = context;
    struct stage *stage = entering->stage;
    struct store *store = stage->build->store;
    const struct copy_owner owner = {0};
    bool is_made = false;
    if (!stage_snapshot(stage, err))
        return false;
    _cleanup_free_ char *folder = scratch_make(store, "workdir", err);
    if (!folder)
        return false;
    _cleanup_free_ char *path = scratch_path(store, folder);
    _cleanup_close_ int upper = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_done = copy_make_folder(&stage->snapshot, upper, entering->path, &owner, &is_made, err) &&
                   (!is_made || step_adopt(stage, path, layer, err));
    scratch_remove(store, folder);
    return is_done;
}

bool step_workdir(struct stage *stage, const struct instruction *instruction, size_t id, struct error *err)
{
    _cleanup_free_ char *all = strlist_join(&instruction->arguments, " ");
    _cleanup_free_ char *word = scope_expand(stage, all, err);
    if (!word)
        return false;
    const char *cwd = string_is_set(stage->image.config.working_dir) ? stage->image.config.working_dir : "/";
    _cleanup_free_ char *joined = *word == '/' ? xstrdup(word) : xasprintf("%s/%s", cwd, word);
    _cleanup_free_ char *path = path_clean(joined);
    _cleanup_free_ char *history = xasprintf("WORKDIR %s", path);
    string_replace(&stage->image.config.working_dir, path);
    _cleanup_key_ struct key *builder = key_new();
    key_add(builder, "workdir");
    step_add_layers(stage, builder);
    step_add_epoch(stage, builder);
    key_add(builder, path);
    _cleanup_free_ char *key = key_finish(builder);
    struct entering entering = {stage, path};
    const struct step_call call = {.key = key,
                                   .description = history,
                                   .kind = "regular",
                                   .uses_no_cache = stage->uses_no_cache,
                                   .make = make_workdir,
                                   .context = &entering};
    _cleanup_build_record_ struct build_record record = {0};
    bool is_cached = false;
    if (!step_do(stage, &call, &record, &is_cached, err))
        return false;
    stage->is_cached = is_cached;
    if (is_cached)
        output_text(&stage->build->output, stage->index, " ---> Using cache\n");
    return step_apply(stage, &record, history, true, err);
}
