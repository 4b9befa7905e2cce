#include "base/memory.h"
#include "cli/command.h"
#include "json/json_record.h"

struct commit_options {
    char *author;
    struct strlist change;
    char *message;
    bool pause;
};

static void set_defaults(void *values)
{
    ((struct commit_options *)values)->pause = true;
}

/* The client splits the reference; what is wrong with it the engine says. */
static void add_reference(struct strbuf *path, const char *reference)
{
    const char *slash = strrchr(reference, '/');
    const char *colon = strrchr(slash ? slash : reference, ':');
    _cleanup_free_ char *name = colon ? xstrndup(reference, (size_t)(colon - reference)) : xstrdup(reference);
    client_query_add(path, "repo", name);
    client_query_add(path, "tag", colon ? colon + 1 : *name ? "latest" : NULL);
}

static bool commit_run(struct command_call *call, struct error *err)
{
    const struct commit_options *options = call->values;
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/commit");
    client_query_add(&path, "container", call->arguments[0]);
    if (call->argument_count > 1 && *call->arguments[1])
        add_reference(&path, call->arguments[1]);
    client_query_add(&path, "comment", string_or_empty(options->message));
    client_query_add(&path, "author", string_or_empty(options->author));
    for (size_t i = 0; i < options->change.count; i++)
        client_query_add(&path, "changes", options->change.items[i]);
    if (!options->pause)
        client_query_add(&path, "pause", "0");
    _cleanup_json_ json_t *body = json_null(), *answer = client_post_json(call->client, strbuf_text(&path), body, err);
    if (!answer)
        return false;
    puts(string_or_empty(json_string_value(json_object_get(answer, "Id"))));
    return true;
}

#define PLACE(member_) offsetof(struct commit_options, member_)
static const struct option commit_rows[] = {
    {"author", 'a', OPTION_STRING, PLACE(author), "string",
     "Author (e.g., \"John Hannibal Smith <hannibal@a-team.com>\")"},
    {"change", 'c', OPTION_LIST, PLACE(change), "list", "Apply Dockerfile instruction to the created image"},
    {"message", 'm', OPTION_STRING, PLACE(message), "string", "Commit message"},
    {"pause", 'p', OPTION_BOOL, PLACE(pause), NULL, "Pause container during commit", "true"},
};

const struct command commit_command = {
    .paths = {"container commit", "commit"},
    .usage = "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
    .help = "Create a new image from a container's changes",
    .options = OPTION_TABLE(commit_rows),
    .values_size = sizeof(struct commit_options),
    .set_defaults = set_defaults,
    .min_arguments = 1,
    .max_arguments = 2,
    .run = commit_run,
};
