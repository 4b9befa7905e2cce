#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/memory.h"
#include "build/internal.h"
#include "oci/manifest.h"
#include "store/layer.h"

/* One RUN on its way. */
struct running {
    struct stage *stage;
    size_t id;
    struct run_request request;
    struct run_mount *mounts;
    struct origin *origins; /* one for each mount, perhaps empty */
    size_t count;
    struct strlist held; /* caches that are locked for this step */
    struct strlist shown;
    char *command; /* as the history shows it */
    char *script;
    int exit_code;
    bool is_borrowed; /* from an image of --cache-from */
};

static void release(struct running *running)
{
    for (size_t i = running->held.count; i > 0; i--)
        builder_end(running->stage->build, running->held.items[i - 1]);
    for (size_t i = 0; i < running->count; i++) {
        run_mount_release(&running->mounts[i]);
        origin_release(&running->origins[i]);
    }
    free(running->mounts);
    free(running->origins);
    strlist_release(&running->held);
    strlist_release(&running->shown);
    strlist_release(&running->request.argv);
    strlist_release(&running->request.env);
    free(running->command);
    free(running->script);
}

/* --- the command --- */

static bool is_lone_heredoc(const struct instruction *instruction)
{
    const char *text = instruction->arguments.count ? instruction->arguments.items[0] : "";
    return instruction->heredoc_count == 1 && string_starts_with(text, "<<") && !strpbrk(text, " \t");
}

/* Without a '#!' the heredoc is what the shell gets, with one it is a program; beside other words the shell reads it.
 */
static void set_command(struct running *running, const struct instruction *instruction)
{
    static char *items[] = {(char *)"/bin/sh", (char *)"-c", NULL};
    static const struct strlist fallback = {items, 2};
    const struct strlist *shell = &running->stage->image.config.shell;
    struct strlist *argv = &running->request.argv;
    if (instruction->is_json) {
        strlist_copy(argv, &instruction->arguments);
        return;
    }
    strlist_copy(argv, shell->count ? shell : &fallback);
    const char *text = instruction->arguments.count ? instruction->arguments.items[0] : "";
    if (is_lone_heredoc(instruction)) {
        const struct heredoc *heredoc = &instruction->heredocs[0];
        if (string_starts_with(heredoc->content, "#!")) {
            running->request.script = heredoc->content;
            running->request.script_name = heredoc->name;
            strlist_addf(argv, "/dev/pipes/%s", heredoc->name);
        } else {
            strlist_add(argv, heredoc->content);
        }
        return;
    }
    _cleanup_strbuf_ struct strbuf whole = STRBUF_INIT;
    strbuf_add_string(&whole, text);
    for (size_t i = 0; i < instruction->heredoc_count; i++)
        strbuf_addf(&whole, "\n%s%s", instruction->heredocs[i].content, instruction->heredocs[i].name);
    strlist_add(argv, strbuf_text(&whole));
}

static void describe(struct running *running)
{
    _cleanup_free_ char *command = strlist_join(&running->request.argv, " ");
    _cleanup_free_ char *shown = strlist_join(&running->shown, " ");
    running->command = running->shown.count
                           ? xasprintf("RUN |%zu %s %s # buildkit", running->shown.count, shown, command)
                           : xasprintf("RUN %s # buildkit", command);
}

/* --- its flags --- */

static bool check_flags(struct running *running, const struct instruction *instruction, struct error *err)
{
    const char *network = instruction_flag_value(instruction, "network");
    const char *security = instruction_flag_value(instruction, "security");
    if (security && strcmp(security, "sandbox") != 0)
        return error_set(err, ERROR_UNSUPPORTED,
                         "RUN --security=%s is not supported: steps of a build have no more rights than containers",
                         security);
    if (instruction_flag_value(instruction, "device"))
        return error_set(err, ERROR_UNSUPPORTED, "RUN --device is not supported: steps of a build get no devices");
    if (network && strcmp(network, "default") != 0 && strcmp(network, "none") != 0 && strcmp(network, "host") != 0)
        return error_set(err, ERROR_INVALID, "unsupported network mode \"%s\"", network);
    running->request.network =
        network && strcmp(network, "default") != 0 ? network : running->stage->build->request->host.network_mode;
    return true;
}

static bool open_mount(struct running *running, size_t at, struct error *err)
{
    struct stage *stage = running->stage;
    struct build *build = stage->build;
    struct run_mount *mount = &running->mounts[at];
    if (mount->type == RUN_MOUNT_SECRET)
        mount->value = strmap_get(&build->request->secrets, mount->id);
    if (mount->type == RUN_MOUNT_BIND && !mount->from)
        mount->tree = &build->source;
    if (mount->from) {
        if (!origin_open(stage, mount->from, &running->origins[at], err))
            return false;
        mount->tree = &running->origins[at].source;
    }
    return true;
}

static bool read_mounts(struct running *running, const struct instruction *instruction, struct error *err)
{
    const char *cwd = running->request.cwd;
    running->mounts = xcalloc(instruction->flag_count + 1, sizeof(*running->mounts));
    running->origins = xcalloc(instruction->flag_count + 1, sizeof(*running->origins));
    for (size_t i = 0; i < instruction->flag_count; i++) {
        if (strcmp(instruction->flags[i].name, "mount") != 0)
            continue;
        _cleanup_free_ char *text = scope_expand(running->stage, string_or_empty(instruction->flags[i].value), err);
        if (!text || !run_mount_parse(text, cwd, &running->mounts[running->count], err))
            return false;
        running->count++;
        if (!open_mount(running, running->count - 1, err))
            return false;
    }
    running->request.mounts = running->mounts;
    running->request.mount_count = running->count;
    return true;
}

/* --- the key --- */

/* Of what is mounted, the content counts. */
static bool add_mounts_to_key(const struct running *running, struct key *key, struct error *err)
{
    for (size_t i = 0; i < running->count; i++) {
        const struct run_mount *mount = &running->mounts[i];
        run_mount_add_to_key(mount, key);
        if (mount->type != RUN_MOUNT_BIND)
            continue;
        if (running->origins[i].identity) {
            key_add(key, running->origins[i].identity);
            continue;
        }
        _cleanup_copy_plan_ struct copy_plan plan = {0};
        const struct copy_options options = {0};
        if (!copy_plan_add(&plan, mount->tree, mount->source, &options, err))
            return error_prefix(err, "failed to compute cache key");
        copy_plan_add_to_key(&plan, key);
    }
    return true;
}

static char *make_key(const struct running *running, struct error *err)
{
    const struct stage *stage = running->stage;
    const struct run_request *request = &running->request;
    _cleanup_key_ struct key *key = key_new();
    key_add(key, "run");
    step_add_layers(stage, key);
    step_add_epoch(stage, key);
    key_add_list(key, &request->argv);
    key_add(key, request->script);
    key_add_list(key, &running->shown);
    key_add_list(key, &stage->image.config.env);
    key_add(key, request->cwd);
    key_add(key, string_or_empty(request->user));
    key_add(key, string_or_empty(request->network));
    key_add(key, stage->image.architecture);
    return add_mounts_to_key(running, key, err) ? key_finish(key) : NULL;
}

/* --- the work --- */

static void take_output(void *context, int stream, const void *data, size_t length)
{
    struct running *running = context;
    output_log(&running->stage->build->output, running->stage->index, running->id, stream, data, length);
}

static bool adopt(void *context, const char *folder, struct layer_info *layer, struct error *err)
{
    struct running *running = context;
    return step_adopt(running->stage, folder, layer, err);
}

static bool hold_caches(struct running *running, struct error *err)
{
    for (size_t i = 0; i < running->count; i++) {
        const struct run_mount *mount = &running->mounts[i];
        if (mount->type != RUN_MOUNT_CACHE || mount->sharing != RUN_MOUNT_LOCKED)
            continue;
        _cleanup_free_ char *name = xasprintf("cache:%s", mount->id);
        if (strlist_contains(&running->held, name))
            continue;
        bool is_mine = false;
        while (!is_mine)
            if (!builder_begin(running->stage->build, name, &is_mine, err))
                return false;
        strlist_add(&running->held, name);
    }
    return true;
}

/* A cache that is private and in use is an empty one of its own for this step. */
static void keep_private(struct running *running)
{
    for (size_t i = 0; i < running->count; i++) {
        struct run_mount *mount = &running->mounts[i];
        if (mount->type != RUN_MOUNT_CACHE || mount->sharing != RUN_MOUNT_PRIVATE)
            continue;
        struct builder *builder = running->stage->build->builder;
        for (unsigned number = 0;; number++) {
            _cleanup_free_ char *id = number ? xasprintf("%s#%u", mount->id, number) : xstrdup(mount->id);
            _cleanup_free_ char *name = xasprintf("cache:%s", id);
            pthread_mutex_lock(&builder->lock);
            bool is_free = !strlist_contains(&builder->flights, name);
            if (is_free)
                strlist_add(&builder->flights, name);
            pthread_mutex_unlock(&builder->lock);
            if (!is_free)
                continue;
            strlist_add(&running->held, name);
            string_replace(&mount->id, id);
            break;
        }
    }
}

static bool record_caches(struct running *running, struct error *err)
{
    for (size_t i = 0; i < running->count; i++) {
        const struct run_mount *mount = &running->mounts[i];
        if (mount->type != RUN_MOUNT_CACHE)
            continue;
        _cleanup_free_ char *key = xasprintf("cache:%s", mount->id);
        _cleanup_free_ char *description = xasprintf("cached mount %s with id \"%s\"", mount->target, mount->id);
        _cleanup_build_record_ struct build_record known = {0};
        bool is_known = false;
        const struct build_record record = {.key = key,
                                            .parent = (char *)"",
                                            .kind = (char *)"exec.cachemount",
                                            .description = description,
                                            .created = clock_now()};
        if (!build_cache_find(running->stage->build->store, key, &known, &is_known, err) ||
            (!is_known && !build_cache_put(running->stage->build->store, &record, err)))
            return false;
    }
    return true;
}

/* The processor of another machine needs the kernel to know an interpreter for its programs. */
static bool check_machine(const struct stage *stage, struct error *err)
{
    static const struct {
        const char *architecture, *interpreter;
    } rows[] = {{"amd64", "x86_64"},    {"arm64", "aarch64"},   {"arm", "arm"},     {"386", "i386"},
                {"ppc64le", "ppc64le"}, {"riscv64", "riscv64"}, {"s390x", "s390x"}, {"mips64le", "mips64el"}};
    struct platform host = {0};
    platform_host(&host);
    const char *wanted = stage->image.architecture;
    bool is_host = !string_is_set(wanted) || string_equal(wanted, host.architecture);
    record_release(&platform_type, &host);
    for (size_t i = 0; i < ARRAY_SIZE(rows) && !is_host; i++) {
        if (!string_equal(rows[i].architecture, wanted))
            continue;
        _cleanup_free_ char *path = xasprintf("/proc/sys/fs/binfmt_misc/qemu-%s", rows[i].interpreter);
        is_host = access(path, F_OK) == 0;
    }
    return is_host || error_set(err, ERROR_UNSUPPORTED,
                                "RUN cannot be carried out for linux/%s: this machine has no interpreter for its "
                                "programs (binfmt_misc qemu-*)",
                                wanted);
}

/* Does the image begin with the stage's layers, made by the same instructions, and go on with this one? */
static bool goes_on_with(const struct image_config *image, const struct stage *stage, const char *command)
{
    const struct image_config *mine = &stage->image;
    size_t layers = mine->rootfs.diff_ids.count;
    if (image->rootfs.diff_ids.count <= layers || image->history.count <= mine->history.count)
        return false;
    for (size_t i = 0; i < layers; i++)
        if (!string_equal(image->rootfs.diff_ids.items[i], mine->rootfs.diff_ids.items[i]))
            return false;
    for (size_t i = 0; i < mine->history.count; i++)
        if (!string_equal(RECORD_AT(image->history, struct image_history, i)->created_by,
                          RECORD_AT(mine->history, struct image_history, i)->created_by))
            return false;
    const struct image_history *next = RECORD_AT(image->history, struct image_history, mine->history.count);
    return !next->empty_layer && string_equal(next->created_by, command);
}

/* An image of --cache-from that is here and has done this step before. Files that a mount lends are in no history. */
static bool borrow(struct running *running, struct layer_info *layer)
{
    const struct stage *stage = running->stage;
    const struct strlist *names = &stage->build->request->cache_from;
    for (size_t i = 0; i < names->count && !running->count && !stage->uses_no_cache; i++) {
        _cleanup_image_ struct image image = {0};
        if (image_get(stage->build->store, names->items[i], &image, NULL) &&
            goes_on_with(&image.parsed, stage, running->command) &&
            layer_get(stage->build->store, image.parsed.rootfs.diff_ids.items[stage->image.rootfs.diff_ids.count],
                      layer, NULL))
            return true;
    }
    return false;
}

static bool make(void *context, struct layer_info *layer, struct error *err)
{
    struct running *running = context;
    struct stage *stage = running->stage;
    running->is_borrowed = borrow(running, layer);
    if (running->is_borrowed)
        return true;
    keep_private(running);
    if (!check_machine(stage, err) || !stage_snapshot(stage, err) || !record_caches(running, err))
        return false;
    running->request.layers = &stage->layers;
    running->request.base = &stage->snapshot;
    char id[ID_LENGTH + 1];
    id_generate(id);
    running->request.id = id;
    output_text(&stage->build->output, stage->index, " ---> Running in %.12s\n", id);
    bool has_run = run_step(&running->request, &running->exit_code, layer, err);
    if (has_run && running->exit_code == 0)
        output_text(&stage->build->output, stage->index, " ---> Removed intermediate container %.12s\n", id);
    if (!has_run)
        return false;
    if (running->exit_code == 0)
        return true;
    _cleanup_free_ char *command = strlist_join(&running->request.argv, " ");
    return error_set(err, ERROR_INTERNAL, "The command '%s' returned a non-zero code: %d", command, running->exit_code);
}

static bool carry_out(struct running *running, struct error *err)
{
    struct stage *stage = running->stage;
    _cleanup_free_ char *key = make_key(running, err);
    if (!key || !hold_caches(running, err))
        return false;
    const struct step_call call = {.key = key,
                                   .description = running->command,
                                   .kind = "regular",
                                   .uses_no_cache = stage->uses_no_cache,
                                   .make = make,
                                   .context = running};
    _cleanup_build_record_ struct build_record record = {0};
    bool is_cached = false;
    if (!step_do(stage, &call, &record, &is_cached, err))
        return false;
    is_cached |= running->is_borrowed;
    stage->is_cached = is_cached;
    if (is_cached)
        output_text(&stage->build->output, stage->index, " ---> Using cache\n");
    return step_apply(stage, &record, running->command, true, err);
}

bool step_run(struct stage *stage, const struct instruction *instruction, size_t id, struct error *err)
{
    struct build *build = stage->build;
    const struct container_config *config = &stage->image.config;
    struct running running = {.stage = stage, .id = id};
    running.request = (struct run_request){
        .engine = build->engine,
        .cwd = string_is_set(config->working_dir) ? config->working_dir : "/",
        .user = config->user,
        .host = &build->request->host,
        .output = take_output,
        .adopt = adopt,
        .context = &running,
        .cancel = build->cancel,
    };
    set_command(&running, instruction);
    scope_environment(stage, &running.request.env, &running.shown);
    describe(&running);
    bool is_done =
        check_flags(&running, instruction, err) && read_mounts(&running, instruction, err) && carry_out(&running, err);
    if (!is_done && running.exit_code) {
        pthread_mutex_lock(&build->lock);
        if (!build->err.kind && !build->detail)
            build->detail = json_pack("{s:i}", "code", running.exit_code);
        pthread_mutex_unlock(&build->lock);
    }
    release(&running);
    return is_done;
}
