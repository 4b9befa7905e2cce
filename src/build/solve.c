/* A build from its request to its image: the context comes in, the file is read, the stages that are needed run. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/file.h"
#include "base/memory.h"
#include "build/internal.h"
#include "build/remote.h"
#include "dockerfile/check.h"
#include "store/internal.h"

#define DOCKERFILE_LIMIT ((size_t)4 << 20)
#define STAGE_STACK      ((size_t)2 << 20)

void build_request_release(struct build_request *request)
{
    strlist_release(&request->tags);
    strmap_release(&request->arguments);
    strmap_release(&request->labels);
    strlist_release(&request->cache_from);
    record_release(&host_config_type, &request->host);
    strlist_release(&request->no_cache_stages);
    strmap_release(&request->contexts);
    for (size_t i = 0; i < request->secrets.count; i++)
        explicit_bzero(request->secrets.items[i].value, strlen(request->secrets.items[i].value));
    strmap_release(&request->secrets);
}

bool build_is_cancelled(void *context)
{
    struct build *build = context;
    return atomic_load(&build->is_cancelled);
}

static void cancel(struct build *build)
{
    uint64_t one = 1;
    pthread_mutex_lock(&build->lock);
    atomic_store(&build->is_cancelled, true);
    pthread_cond_broadcast(&build->changed);
    pthread_mutex_unlock(&build->lock);
    if (write(build->cancel, &one, sizeof(one)) < 0)
        return; /* it is readable already */
}

void build_fail(struct build *build, struct error *err, json_t *detail)
{
    pthread_mutex_lock(&build->lock);
    bool is_first = !build->err.kind;
    if (is_first) {
        build->err = *err;
        *err = ERROR_INIT;
        if (detail)
            build->detail = detail;
    }
    pthread_mutex_unlock(&build->lock);
    error_release(err);
    if (is_first)
        cancel(build);
    else
        json_decref(detail);
}

/* --- the file --- */

static bool read_dockerfile(struct build *build, struct strbuf *out, struct error *err)
{
    const char *name = string_is_set(build->request->dockerfile) ? build->request->dockerfile : "Dockerfile";
    if (snapshot_read_file(&build->context.snapshot, name, DOCKERFILE_LIMIT, out))
        return true;
    bool is_default = !string_is_set(build->request->dockerfile) || strcmp(name, "Dockerfile") == 0;
    if (is_default && snapshot_read_file(&build->context.snapshot, "dockerfile", DOCKERFILE_LIMIT, out))
        return true;
    return error_set(err, ERROR_INVALID, "Cannot locate specified Dockerfile: %s", name);
}

static void describe_line(struct build *build, int line, json_t **detail)
{
    if (!build->request->has_events || line <= 0)
        return;
    _cleanup_free_ char *excerpt = dockerfile_excerpt(&build->file, line, line);
    _cleanup_free_ char *clean = text_to_utf8(string_or_empty(excerpt));
    *detail = json_pack("{s:i, s:s}", "line", line, "excerpt", clean);
}

static bool parse_dockerfile(struct build *build, json_t **detail, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    int line = 0;
    const char *name = string_is_set(build->request->dockerfile) ? build->request->dockerfile : "Dockerfile";
    if (!read_dockerfile(build, &text, err))
        return false;
    if (text.length == 0)
        return error_set(err, ERROR_INVALID, "the Dockerfile (%s) cannot be empty", name);
    if (dockerfile_parse(strbuf_text(&text), text.length, path_base(name), &build->file, &line, err))
        return true;
    describe_line(build, line, detail);
    return false;
}

static bool read_ignore(struct build *build, struct error *err)
{
    const char *name = string_is_set(build->request->dockerfile) ? build->request->dockerfile : "Dockerfile";
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    _cleanup_free_ char *own = xasprintf("%s.dockerignore", name);
    if (!snapshot_read_file(&build->context.snapshot, own, DOCKERFILE_LIMIT, &text) &&
        !snapshot_read_file(&build->context.snapshot, ".dockerignore", DOCKERFILE_LIMIT, &text))
        return true;
    build->ignore = ignore_parse(strbuf_text(&text), text.length, err);
    return build->ignore != NULL;
}

/* The check NoEmptyContinuation, as the classic builder says it. */
static void tell_empty_lines(struct build *build)
{
    bool has_any = false;
    for (size_t i = 0; i < build->file.count; i++) {
        if (!build->file.instructions[i].has_empty_line)
            continue;
        has_any = true;
        output_text(&build->output, 0, "\033[91m[WARNING]: Empty continuation line found in: %s\n\033[0m",
                    build->file.instructions[i].original);
    }
    if (has_any)
        output_text(&build->output, 0,
                    "\033[91m[WARNING]: Empty continuation lines will become errors in a future release.\n\033[0m");
}

/* The language is ours; a file that wants another one is not for us. Docker's classic builder ignores the line. */
static bool check_syntax(const struct build *build, struct error *err)
{
    static const char *const known[] = {"docker/dockerfile", "docker/dockerfile-upstream"};
    const char *syntax = build->file.syntax;
    if (!syntax || !build->request->has_events)
        return true;
    if (string_starts_with(syntax, "docker.io/"))
        syntax += strlen("docker.io/");
    size_t length = strcspn(syntax, ":@");
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strlen(known[i]) == length && strncmp(syntax, known[i], length) == 0)
            return true;
    return error_set(err, ERROR_UNSUPPORTED,
                     "the frontend %s is not supported: a syntax line may name docker/dockerfile", build->file.syntax);
}

/* Fails where the file says that its warnings are errors. */
static bool tell_warnings(struct build *build, struct error *err)
{
    struct check_warnings warnings = {0};
    _cleanup_strlist_ struct strlist rules = {0};
    if (!build->request->has_events)
        return true;
    dockerfile_check(&build->file, &warnings);
    for (size_t i = 0; i < warnings.count; i++) {
        const struct check_warning *warning = &warnings.items[i];
        _cleanup_free_ char *detail = text_to_utf8(string_or_empty(warning->detail));
        output_row(&build->output, json_pack("{s:{s:s, s:s, s:s, s:s, s:i, s:i}}", "warning", "rule", warning->rule,
                                             "description", warning->description, "url", warning->url, "detail", detail,
                                             "line", warning->line, "last_line", warning->last_line));
    }
    for (size_t i = 0; i < warnings.count; i++)
        if (!strlist_contains(&rules, warnings.items[i].rule))
            strlist_add(&rules, warnings.items[i].rule);
    check_warnings_release(&warnings);
    if (rules.count == 0 || !build->file.checks_are_errors || build->request->is_check)
        return true;
    _cleanup_free_ char *all = strlist_join(&rules, ", ");
    return error_set(err, ERROR_INVALID, "lint violation found for rules: %s", all);
}

/* --- the context --- */

/* Folders of the body that are contexts of their own are no part of the main one. */
static bool hide_folders(struct build *build, struct error *err)
{
    for (size_t i = 0; i < build->request->contexts.count; i++) {
        const char *value = build->request->contexts.items[i].value;
        if (!string_starts_with(value, "folder:") && !string_starts_with(value, "image:"))
            return error_set(err, ERROR_INVALID, "unsupported context source %s for %s", value,
                             build->request->contexts.items[i].key);
        if (string_starts_with(value, "folder:"))
            strlist_add(&build->hidden, value + strlen("folder:"));
    }
    return true;
}

static bool take_context(struct build *build, struct error *err)
{
    const char *name = string_is_set(build->request->dockerfile) ? build->request->dockerfile : "Dockerfile";
    bool is_there = string_is_set(build->request->remote)
                        ? remote_context(build, build->request->remote, &build->context, err)
                        : context_unpack(&build->context, build->store, build->builder->memory, build->client->read,
                                         build->client->context, path_base(name), err);
    return is_there && hide_folders(build, err);
}

/* --- the stages --- */

static bool start_stage(struct build *build, struct stage *stage, struct error *err)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STAGE_STACK);
    pthread_mutex_lock(&build->lock);
    build->running++;
    pthread_mutex_unlock(&build->lock);
    int code = pthread_create(&stage->thread, &attributes, stage_thread, stage);
    pthread_attr_destroy(&attributes);
    stage->has_thread = code == 0;
    if (stage->has_thread)
        return true;
    pthread_mutex_lock(&build->lock);
    build->running--;
    pthread_mutex_unlock(&build->lock);
    return error_errno_value(err, code, "start a thread");
}

static size_t count_running(struct build *build)
{
    pthread_mutex_lock(&build->lock);
    size_t count = build->running;
    pthread_mutex_unlock(&build->lock);
    return count;
}

/* Until all stages have ended; a client that leaves ends them. */
static void watch_stages(struct build *build)
{
    while (count_running(build)) {
        bool is_cancelled = build_is_cancelled(build);
        struct pollfd polled[] = {
            {.fd = build->finished, .events = POLLIN},
            {.fd = is_cancelled ? -1 : build->client->fd, .events = POLLRDHUP},
        };
        uint64_t count;
        if (poll(polled, ARRAY_SIZE(polled), -1) < 0)
            continue;
        if (polled[0].revents && read(build->finished, &count, sizeof(count)) < 0)
            continue;
        if (polled[1].revents) {
            struct error gone = ERROR_INIT;
            error_set(&gone, ERROR_CANCELLED, "context canceled");
            build_fail(build, &gone, NULL);
        }
    }
}

static bool run_stages(struct build *build, struct error *err)
{
    struct error why = ERROR_INIT;
    for (size_t i = 0; i < build->stage_count; i++) {
        if (!build->stages[i].is_needed) {
            output_end_pane(&build->output, i);
            continue;
        }
        if (!build_is_cancelled(build) && !start_stage(build, &build->stages[i], &why))
            build_fail(build, &why, NULL);
    }
    watch_stages(build);
    for (size_t i = 0; i < build->stage_count; i++)
        if (build->stages[i].has_thread)
            pthread_join(build->stages[i].thread, NULL);
    return !build->err.kind || error_move(err, &build->err);
}

static void tell_unused(struct build *build)
{
    const struct strmap *given = &build->request->arguments;
    _cleanup_strlist_ struct strlist unused = {0};
    for (size_t i = 0; i < given->count; i++)
        if (!strlist_contains(&build->used_arguments, given->items[i].key) &&
            strcmp(given->items[i].key, "SOURCE_DATE_EPOCH") != 0)
            strlist_add(&unused, given->items[i].key);
    if (!unused.count)
        return;
    strlist_sort(&unused);
    _cleanup_free_ char *all = strlist_join(&unused, " ");
    output_text(&build->output, build->output.count, "[Warning] One or more build-args [%s] were not consumed\n", all);
}

static bool solve(struct build *build, json_t **detail, struct error *err)
{
    if (!take_context(build, err) || !parse_dockerfile(build, detail, err) || !read_ignore(build, err))
        return false;
    build->source = (struct copy_source){.snapshot = &build->context.snapshot,
                                         .context = &build->context,
                                         .ignore = build->ignore,
                                         .hidden = &build->hidden,
                                         .is_linkable = true};
    if (!check_syntax(build, err) || !plan_stages(build, err))
        return false;
    output_add_panes(&build->output, build->stage_count);
    if (!tell_warnings(build, err))
        return false;
    if (build->request->is_check)
        return true;
    tell_empty_lines(build);
    tell_arguments(build);
    if (!run_stages(build, err)) {
        output_break_silence(&build->output);
        return false;
    }
    tell_unused(build);
    return finish_image(build, err);
}

static void release(struct build *build)
{
    for (size_t i = 0; i < build->stage_count; i++)
        stage_release(&build->stages[i]);
    free(build->stages);
    output_release(&build->output);
    dockerfile_release(&build->file);
    if (build->ignore)
        ignore_free(build->ignore);
    strmap_release(&build->globals);
    strlist_release(&build->global_names);
    strlist_release(&build->hidden);
    strlist_release(&build->used_arguments);
    if (build->context.folder)
        builder_drop_context(build->builder, &build->context);
    close_fd(build->cancel);
    close_fd(build->finished);
    error_release(&build->err);
    pthread_mutex_destroy(&build->lock);
    pthread_cond_destroy(&build->changed);
}

bool build_run(struct builder *builder, const struct build_request *request, const struct build_client *client,
               json_t **detail, struct error *err)
{
    struct build build = {
        .builder = builder,
        .engine = builder->engine,
        .store = engine_store(builder->engine),
        .request = request,
        .client = client,
        .cancel = eventfd(0, EFD_CLOEXEC),
        .finished = eventfd(0, EFD_CLOEXEC),
        .output = {.tell = client->tell,
                   .context = client->context,
                   .has_events = request->has_events,
                   .is_quiet = request->is_quiet},
    };
    json_t *told = NULL;
    output_init(&build.output);
    pthread_mutex_init(&build.lock, NULL);
    pthread_cond_init(&build.changed, NULL);
    /* Layers that nothing refers to yet stay until the end. */
    store_hold(build.store);
    bool is_done = build.cancel >= 0 && build.finished >= 0 ? solve(&build, &told, err) : error_errno(err, "eventfd");
    store_release(build.store);
    if (build.detail && !told)
        told = TAKE_PTR(build.detail);
    json_decref(build.detail);
    if (is_done || !detail)
        json_decref(told);
    else
        *detail = told;
    release(&build);
    return is_done;
}
