#include "engine/scope.h"

#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/exec.h"
#include "engine/prune.h"

/* The labels of a container never change. */
static bool has_label(const struct container *container, const char *label)
{
    _cleanup_strlist_ struct strlist wanted = {0};
    strlist_add(&wanted, label);
    return labels_match(&wanted, &container->record.config.labels);
}

bool scope_container(struct engine *engine, const char *label, const char *reference, char **id, struct error *err)
{
    _cleanup_error_ struct error why = ERROR_INIT;
    _cleanup_container_ struct container *container = container_find(engine, reference, &why);
    if (container && has_label(container, label)) {
        *id = xstrdup(container->record.id);
        return true;
    }
    /* Not `why`: that a short id is ambiguous would tell of others. */
    return error_set(err, ERROR_NOT_FOUND, "No such container: %s", string_or_empty(reference));
}

bool scope_exec(struct engine *engine, const char *label, const char *exec_id, struct error *err)
{
    _cleanup_container_ struct container *container = exec_container(engine, exec_id);
    return (container && has_label(container, label)) ||
           error_set(err, ERROR_NOT_FOUND, "No such exec instance: %s", string_or_empty(exec_id));
}
