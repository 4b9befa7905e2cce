/* Variables: ARG before the first FROM, ARG of a stage, ENV of its image. What is in the environment goes before an ARG
   of the same name. */
#include <string.h>

#include "base/memory.h"
#include "build/internal.h"
#include "dockerfile/expand.h"

/* Those that RUN sees without an ARG, and that are no part of its key. */
static const char *const predefined[] = {"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY",
                                         "ftp_proxy",  "NO_PROXY",   "no_proxy",    "ALL_PROXY",   "all_proxy"};

static const char *lookup_global(void *context, const char *name)
{
    const struct build *build = context;
    return strmap_get(&build->globals, name);
}

static const char *lookup_in_stage(void *context, const char *name)
{
    const struct stage *stage = context;
    const char *value = env_get(&stage->image.config.env, name);
    return value ? value : strmap_get(&stage->arguments, name);
}

char *scope_expand_global(struct build *build, const char *text, struct error *err)
{
    struct expansion expansion = {.escape = build->file.escape, .lookup = lookup_global, .context = build};
    return expand_word(&expansion, text, err);
}

char *scope_expand(struct stage *stage, const char *text, struct error *err)
{
    struct expansion expansion = {.escape = stage->build->file.escape, .lookup = lookup_in_stage, .context = stage};
    return expand_word(&expansion, text, err);
}

bool scope_expand_words(struct stage *stage, const char *text, struct strlist *out, struct error *err)
{
    struct expansion expansion = {.escape = stage->build->file.escape, .lookup = lookup_in_stage, .context = stage};
    return expand_words(&expansion, text, out, err);
}

char *scope_expand_heredoc(struct stage *stage, const char *text, struct error *err)
{
    struct expansion expansion = {
        .escape = stage->build->file.escape, .lookup = lookup_in_stage, .context = stage, .keeps_quotes = true};
    return expand_word(&expansion, text, err);
}

static void mark_used(struct build *build, const char *name)
{
    pthread_mutex_lock(&build->lock);
    if (!strlist_contains(&build->used_arguments, name))
        strlist_add(&build->used_arguments, name);
    pthread_mutex_unlock(&build->lock);
}

bool scope_add_globals(struct build *build, const struct instruction *instruction, struct error *err)
{
    for (size_t i = 0; i < instruction->arguments.count; i++) {
        const char *word = instruction->arguments.items[i], *equals = strchr(word, '=');
        _cleanup_free_ char *name = xstrndup(word, strcspn(word, "="));
        const char *given = strmap_get(&build->request->arguments, name);
        _cleanup_free_ char *value = NULL;
        if (equals && !(value = scope_expand_global(build, equals + 1, err)))
            return false;
        if (given) {
            mark_used(build, name);
            string_replace(&value, given);
        }
        if (value)
            strmap_set(&build->globals, name, value);
        if (!strlist_contains(&build->global_names, name))
            strlist_add(&build->global_names, name);
    }
    return true;
}

bool scope_declare(struct stage *stage, const char *word, char **shown, struct error *err)
{
    const char *equals = strchr(word, '=');
    _cleanup_free_ char *name = xstrndup(word, strcspn(word, "="));
    _cleanup_free_ char *value = NULL;
    const char *given = strmap_get(&stage->build->request->arguments, name);
    if (equals && !(value = scope_expand(stage, equals + 1, err)))
        return false;
    if (given) {
        mark_used(stage->build, name);
        string_replace(&value, given);
    } else if (!equals) {
        string_replace(&value, strmap_get(&stage->build->globals, name));
    }
    if (value)
        strmap_set(&stage->arguments, name, value);
    if (!strlist_contains(&stage->declared, name))
        strlist_add(&stage->declared, name);
    *shown = value ? xasprintf("%s=%s", name, value) : xstrdup(name);
    return true;
}

void scope_environment(const struct stage *stage, struct strlist *env, struct strlist *shown)
{
    const struct strmap *given = &stage->build->request->arguments;
    for (size_t i = 0; i < ARRAY_SIZE(predefined); i++) {
        const char *value = strmap_get(given, predefined[i]);
        if (value) {
            strlist_addf(env, "%s=%s", predefined[i], value);
            mark_used(stage->build, predefined[i]);
        }
    }
    for (size_t i = 0; i < stage->arguments.count; i++) {
        const struct strpair *pair = &stage->arguments.items[i];
        _cleanup_free_ char *text = xasprintf("%s=%s", pair->key, pair->value);
        env_put(env, text);
        strlist_add(shown, text);
    }
    for (size_t i = 0; i < stage->image.config.env.count; i++)
        env_put(env, stage->image.config.env.items[i]);
}
