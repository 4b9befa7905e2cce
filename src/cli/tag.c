#include <string.h>

#include "base/memory.h"
#include "cli/command.h"
#include "oci/reference.h"

static bool bad_reference(const char *text, struct error *err)
{
    return error_prefix(err, "Error parsing reference: \"%s\" is not a valid repository/tag", text);
}

static bool tag_run(struct command_call *call, struct error *err)
{
    const char *source = call->arguments[0], *target = call->arguments[1];
    _cleanup_reference_ struct reference from = {0}, to = {0};
    if (!is_hex_id(source) && !digest_is_valid(source) && !reference_parse(source, &from, err))
        return bad_reference(source, err);
    if (!reference_parse(target, &to, err))
        return bad_reference(target, err);
    if (to.digest)
        return error_set(err, ERROR_INVALID, "refusing to create a tag with a digest reference");
    _cleanup_free_ char *base = client_path("images", source, "/tag"), *name = reference_familiar_name(&to);
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, base);
    client_query_add(&path, "repo", name);
    client_query_add(&path, "tag", to.tag);
    return client_post(call->client, strbuf_text(&path), NULL, err);
}

const struct command tag_command = {
    .paths = {"image tag", "tag"},
    .usage = "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    .help = "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    .min_arguments = 2,
    .max_arguments = 2,
    .run = tag_run,
};
