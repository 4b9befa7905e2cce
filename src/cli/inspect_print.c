#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "cli/inspect.h"
#include "cli/template/template.h"
#include "json/json_record.h"

enum style { STYLE_INDENTED, STYLE_COMPACT, STYLE_TEMPLATE };

struct inspector {
    enum style style;
    struct template *template;
    struct strbuf out;
    size_t count;
};

/* Copies JSON with new white space and nothing else changed: numbers, escapes and the order of keys stay as the daemon
   wrote them (Go's json.Indent and json.Compact). */
static void reformat(const struct strbuf *json, bool is_compact, size_t depth, struct strbuf *out)
{
    bool in_string = false, needs_line = false;
    for (size_t i = 0; i < json->length; i++) {
        char character = json->data[i];
        if (in_string) {
            strbuf_add_char(out, character);
            if (character == '\\' && i + 1 < json->length)
                strbuf_add_char(out, json->data[++i]);
            else if (character == '"')
                in_string = false;
            continue;
        }
        if (isspace((unsigned char)character))
            continue;
        bool closes = character == '}' || character == ']';
        bool breaks = !is_compact && ((needs_line && !closes) || (closes && !needs_line));
        if (closes && depth > 0)
            depth--;
        if (breaks)
            strbuf_addf(out, "\n%*s", (int)depth * 4, "");
        needs_line = false;
        strbuf_add_char(out, character);
        in_string = character == '"';
        if (character == '{' || character == '[') {
            depth++;
            needs_line = true;
        } else if (character == ',') {
            needs_line = true;
        } else if (character == ':' && !is_compact) {
            strbuf_add_char(out, ' ');
        }
    }
}

/* Docker runs the template on the decoded struct first, and where that fails on the plain JSON. The failure of the
   second run is the one that is told. */
static bool add_template(struct inspector *inspector, const struct inspected *object, struct error *err)
{
    _cleanup_json_ json_t *json = json_parse(strbuf_text(&object->json), object->json.length, err);
    if (!json)
        return error_prefix(err, "unable to read inspect data");
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    bool is_done =
        object->type && template_execute(inspector->template, (struct value){object->type, json}, 0, &text, NULL);
    if (!is_done) {
        strbuf_release(&text);
        if (!template_execute(inspector->template, value_of_json(json), TEMPLATE_MISSING_KEY_FAILS, &text, err))
            return error_prefix(err, "template parsing error");
    }
    strbuf_add(&inspector->out, strbuf_text(&text), text.length);
    strbuf_add_char(&inspector->out, '\n');
    return true;
}

static bool add_object(struct inspector *inspector, const struct inspected *object, struct error *err)
{
    if (inspector->style == STYLE_TEMPLATE)
        return add_template(inspector, object, err);
    bool is_compact = inspector->style == STYLE_COMPACT;
    strbuf_add_string(&inspector->out, inspector->count++ ? "," : "");
    if (!is_compact)
        strbuf_add_string(&inspector->out, "\n    ");
    reformat(&object->json, is_compact, 1, &inspector->out);
    return true;
}

static void finish(struct inspector *inspector)
{
    const char *text = strbuf_text(&inspector->out);
    if (inspector->style == STYLE_TEMPLATE)
        printf("%s", inspector->out.length ? text : "\n");
    else
        printf("[%s%s]\n", text, inspector->count && inspector->style == STYLE_INDENTED ? "\n" : "");
    strbuf_release(&inspector->out);
}

bool inspect_print(struct command_call *call, const char *format, inspect_fetch fetch, struct error *err)
{
    struct inspector inspector = {.style = STYLE_INDENTED};
    _cleanup_(template_freep) struct template *template = NULL;
    if (string_equal(format, "json")) {
        inspector.style = STYLE_COMPACT;
    } else if (string_is_set(format)) {
        inspector.style = STYLE_TEMPLATE;
        inspector.template = template = template_parse(format, err);
        if (!template) {
            call->exit_code = 64;
            return error_prefix(err, "template parsing error");
        }
    }
    _cleanup_strbuf_ struct strbuf messages = STRBUF_INIT;
    for (size_t i = 0; i < call->argument_count; i++) {
        _cleanup_error_ struct error why = ERROR_INIT;
        struct inspected object = {0};
        if (!fetch(call, call->arguments[i], &object, &why) || !add_object(&inspector, &object, &why))
            strbuf_addf(&messages, "%s%s", messages.length ? "\n" : "", error_message(&why));
        strbuf_release(&object.json);
    }
    finish(&inspector);
    return !messages.length || error_set(err, ERROR_INTERNAL, "%s", strbuf_text(&messages));
}

bool inspect_get(struct command_call *call, const char *collection, const char *name, const char *rest,
                 const struct value_type *type, struct inspected *out, struct error *err)
{
    /* Docker's client is sent on to the path without the second slash. */
    bool has_slash = name[0] == '/' && name[1];
    _cleanup_free_ char *path = client_path(collection, name + has_slash, rest);
    out->type = type;
    return client_get_text(call->client, path, &out->json, err);
}
