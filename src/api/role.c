#include "api/role.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* An event's attributes are its container's labels and these: an event would pass for one of the label's. */
static bool is_reserved(const char *label)
{
    static const char *const names[] = {"comment", "container",   "destination", "execDuration", "execID", "exitCode",
                                        "image",   "interactive", "name",        "oldName",      "signal", "type"};
    size_t length = strcspn(label, "=");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strlen(names[i]) == length && strncmp(label, names[i], length) == 0)
            return true;
    return false;
}

bool role_new(bool is_read_only, const char *label, struct role **out, struct error *err)
{
    if (label && (!*label || *label == '='))
        return error_set(err, ERROR_INVALID, "label= needs a key: label=KEY or label=KEY=VALUE");
    if (label && is_reserved(label))
        return error_set(err, ERROR_INVALID, "events have an attribute of the name of the label '%s': take another one",
                         label);
    *out = NULL;
    if (!is_read_only && !label)
        return true;
    *out = NEW(struct role);
    (*out)->is_read_only = is_read_only;
    (*out)->label = label ? xstrdup(label) : NULL;
    return true;
}

void role_free(struct role *role)
{
    if (role)
        free(role->label);
    free(role);
}

char *role_describe(const struct role *role)
{
    if (!role)
        return xstrdup("");
    return xasprintf(" (%s%s%s%s)", role->is_read_only ? "role read" : "",
                     role->is_read_only && role->label ? ", " : "", role->label ? "label " : "",
                     string_or_empty(role->label));
}
