#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "build/internal.h"
#include "engine/signal_name.h"
#include "store/changes.h"
#include "store/ports.h"

char *metadata_list_text(const struct strlist *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++) {
        _cleanup_free_ char *clean = text_to_utf8(list->items[i]);
        json_array_append_new(array, json_string(clean));
    }
    char *text = json_dumps(array, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(array);
    return text;
}

static char *joined(const char *keyword, const struct strlist *words)
{
    _cleanup_free_ char *all = strlist_join(words, " ");
    return xasprintf("%s %s", keyword, all);
}

static const struct strlist *shell_of(const struct stage *stage)
{
    static char *items[] = {(char *)"/bin/sh", (char *)"-c", NULL};
    static const struct strlist fallback = {items, 2};
    return stage->image.config.shell.count ? &stage->image.config.shell : &fallback;
}

/* Docker has no empty entrypoint in an image, but none; an empty command only where it is written as []. */
static void forget_empty(struct strlist *command)
{
    if (command->count == 0)
        strlist_release(command);
}

/* CMD and ENTRYPOINT: an array, or a text for the shell. */
static void set_command(struct stage *stage, const struct instruction *instruction, struct strlist *out)
{
    strlist_release(out);
    strlist_give(out);
    if (!instruction->is_json && instruction->arguments.count)
        strlist_copy(out, shell_of(stage));
    for (size_t i = 0; i < instruction->arguments.count; i++)
        strlist_add(out, instruction->arguments.items[i]);
}

/* ENV and LABEL: pairs, all expanded with what was before the instruction. */
static bool expand_pairs(struct stage *stage, const struct instruction *instruction, struct strlist *out,
                         struct error *err)
{
    for (size_t i = 0; i < instruction->arguments.count; i++) {
        char *value = scope_expand(stage, instruction->arguments.items[i], err);
        if (!value)
            return false;
        strlist_take(out, value);
    }
    return true;
}

static bool set_pairs(struct stage *stage, const struct instruction *instruction, char **text, struct error *err)
{
    _cleanup_strlist_ struct strlist words = {0};
    _cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
    bool is_env = instruction->kind == INSTRUCTION_ENV;
    if (!expand_pairs(stage, instruction, &words, err))
        return false;
    strbuf_add_string(&shown, instruction_keyword(instruction->kind));
    for (size_t i = 0; i + 1 < words.count; i += 2) {
        _cleanup_free_ char *pair = xasprintf("%s=%s", words.items[i], words.items[i + 1]);
        strbuf_addf(&shown, " %s", pair);
        if (is_env)
            env_put(&stage->image.config.env, pair);
        else
            strmap_set(&stage->image.config.labels, words.items[i], words.items[i + 1]);
    }
    *text = strbuf_take(&shown);
    return true;
}

static bool set_ports(struct stage *stage, const struct instruction *instruction, char **text, struct error *err)
{
    struct strlist ports = {0};
    for (size_t i = 0; i < instruction->arguments.count; i++) {
        _cleanup_strlist_ struct strlist words = {0};
        bool is_good = scope_expand_words(stage, instruction->arguments.items[i], &words, err);
        for (size_t j = 0; is_good && j < words.count; j++)
            is_good = exposed_ports_add(words.items[j], &ports, err);
        if (!is_good) {
            strlist_release(&ports);
            return false;
        }
    }
    strlist_sort(&ports);
    _cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
    for (size_t i = 0; i < ports.count; i++) {
        strbuf_addf(&shown, "%s%s:{}", i ? " " : "", ports.items[i]);
        if (!strlist_contains(&stage->image.config.exposed_ports, ports.items[i]))
            strlist_add(&stage->image.config.exposed_ports, ports.items[i]);
    }
    strlist_release(&ports);
    *text = xasprintf("EXPOSE map[%s]", strbuf_text(&shown));
    return true;
}

static bool set_volumes(struct stage *stage, const struct instruction *instruction, char **text, struct error *err)
{
    _cleanup_strlist_ struct strlist paths = {0};
    for (size_t i = 0; i < instruction->arguments.count; i++) {
        char *path = scope_expand(stage, instruction->arguments.items[i], err);
        if (!path)
            return false;
        if (!path[strspn(path, " \t")]) {
            free(path);
            return error_set(err, ERROR_INVALID, "VOLUME specified can not be an empty string");
        }
        strlist_take(&paths, path);
    }
    for (size_t i = 0; i < paths.count; i++)
        if (!strlist_contains(&stage->image.config.volumes, paths.items[i]))
            strlist_add(&stage->image.config.volumes, paths.items[i]);
    _cleanup_free_ char *all = strlist_join(&paths, " ");
    *text = xasprintf("VOLUME [%s]", all);
    return true;
}

/* One word, expanded. Caller frees. */
static char *word_of(struct stage *stage, const struct instruction *instruction, struct error *err)
{
    _cleanup_free_ char *all = strlist_join(&instruction->arguments, " ");
    return scope_expand(stage, all, err);
}

static bool set_user(struct stage *stage, const struct instruction *instruction, char **text, struct error *err)
{
    _cleanup_free_ char *user = word_of(stage, instruction, err);
    if (!user)
        return false;
    string_replace(&stage->image.config.user, user);
    *text = xasprintf("USER %s", user);
    return true;
}

static bool set_stop_signal(struct stage *stage, const struct instruction *instruction, char **text, struct error *err)
{
    _cleanup_free_ char *signal = word_of(stage, instruction, err);
    if (!signal || signal_parse(signal, err) < 0)
        return false;
    string_replace(&stage->image.config.stop_signal, signal);
    *text = xasprintf("STOPSIGNAL %s", signal);
    return true;
}

static bool declare(struct stage *stage, const struct instruction *instruction, char **text, struct error *err)
{
    _cleanup_strlist_ struct strlist shown = {0};
    for (size_t i = 0; i < instruction->arguments.count; i++) {
        char *one;
        if (!scope_declare(stage, instruction->arguments.items[i], &one, err))
            return false;
        strlist_take(&shown, one);
    }
    *text = joined("ARG", &shown);
    return true;
}

/* The rules of its flags are those of `commit --change`. */
static bool set_health(struct stage *stage, const struct instruction *instruction, char **text, struct error *err)
{
    _cleanup_strlist_ struct strlist lines = {0};
    strlist_add(&lines, instruction->original);
    if (!changes_apply(&lines, &stage->image.config, err))
        return false;
    *text = xstrdup(instruction->original);
    return true;
}

bool metadata_apply(struct stage *stage, const struct instruction *instruction, char **text, struct error *err)
{
    struct container_config *config = &stage->image.config;
    _cleanup_free_ char *list = NULL;
    switch (instruction->kind) {
    case INSTRUCTION_ARG:
        return declare(stage, instruction, text, err);
    case INSTRUCTION_ENV:
    case INSTRUCTION_LABEL:
        return set_pairs(stage, instruction, text, err);
    case INSTRUCTION_EXPOSE:
        return set_ports(stage, instruction, text, err);
    case INSTRUCTION_VOLUME:
        return set_volumes(stage, instruction, text, err);
    case INSTRUCTION_USER:
        return set_user(stage, instruction, text, err);
    case INSTRUCTION_STOPSIGNAL:
        return set_stop_signal(stage, instruction, text, err);
    case INSTRUCTION_HEALTHCHECK:
        return set_health(stage, instruction, text, err);
    case INSTRUCTION_CMD:
        set_command(stage, instruction, &config->cmd);
        stage->is_command_set = true;
        list = metadata_list_text(&config->cmd);
        *text = xasprintf("CMD %s", list);
        if (!instruction->is_json)
            forget_empty(&config->cmd);
        return true;
    case INSTRUCTION_ENTRYPOINT:
        set_command(stage, instruction, &config->entrypoint);
        if (!stage->is_command_set)
            strlist_release(&config->cmd);
        list = metadata_list_text(&config->entrypoint);
        *text = xasprintf("ENTRYPOINT %s", list);
        forget_empty(&config->entrypoint);
        return true;
    case INSTRUCTION_SHELL:
        strlist_copy(&config->shell, &instruction->arguments);
        list = strlist_join(&config->shell, " ");
        *text = xasprintf("SHELL [%s]", list);
        return true;
    case INSTRUCTION_MAINTAINER:
        string_replace(&stage->image.author, instruction->arguments.count ? instruction->arguments.items[0] : "");
        *text = xasprintf("MAINTAINER %s", string_or_empty(stage->image.author));
        return true;
    case INSTRUCTION_ONBUILD:
        strlist_add(&config->on_build, instruction->arguments.count ? instruction->arguments.items[0] : "");
        *text = joined("ONBUILD", &instruction->arguments);
        return true;
    default:
        return error_set(err, ERROR_INTERNAL, "%s makes files", instruction_keyword(instruction->kind));
    }
}
