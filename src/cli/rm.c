#include <string.h>

#include "base/memory.h"
#include "cli/command.h"

struct rm_options {
    bool force;
    bool link;
    bool volumes;
};

static bool rm_one(struct command_call *call, const char *name, struct error *err)
{
    const struct rm_options *options = call->values;
    _cleanup_free_ char *trimmed = xstrdup(name);
    size_t length = strlen(trimmed);
    while (length > 0 && trimmed[length - 1] == '/')
        trimmed[--length] = '\0';
    const char *plain = trimmed + strspn(trimmed, "/");
    if (!*plain)
        return error_set(err, ERROR_INVALID, "container name cannot be empty");
    _cleanup_free_ char *base = client_path("containers", plain, "");
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, base);
    client_query_add(&path, "force", options->force ? "1" : NULL);
    client_query_add(&path, "link", options->link ? "1" : NULL);
    client_query_add(&path, "v", options->volumes ? "1" : NULL);
    return client_delete(call->client, strbuf_text(&path), err);
}

/* With --force a container that is not there is as good as removed, but it is said. */
static bool rm_one_forgiving(struct command_call *call, const char *name, struct error *err)
{
    const struct rm_options *options = call->values;
    _cleanup_error_ struct error cause = ERROR_INIT;
    if (rm_one(call, name, &cause)) {
        puts(name);
        fflush(stdout);
        return true;
    }
    if (!options->force || cause.kind != ERROR_NOT_FOUND)
        return error_move(err, &cause);
    fprintf(stderr, "%s\n", error_message(&cause));
    return true;
}

static bool rm_run(struct command_call *call, struct error *err)
{
    return command_each(call, false, rm_one_forgiving, err);
}

#define AT(member) offsetof(struct rm_options, member)
static const struct option rows[] = {
    {"force", 'f', OPTION_BOOL, AT(force), NULL, "Force the removal of a running container (uses SIGKILL)"},
    {"link", 'l', OPTION_BOOL, AT(link), NULL, "Remove the specified link"},
    {"volumes", 'v', OPTION_BOOL, AT(volumes), NULL, "Remove anonymous volumes associated with the container"},
};

const struct command rm_command = {
    .paths = {"container rm", "container remove", "rm"},
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .help = "Remove one or more containers",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct rm_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = rm_run,
};
