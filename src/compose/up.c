#include <string.h>

#include "base/memory.h"
#include "compose/reconcile.h"

/* Containers of services that the files do not have any more. */
static bool handle_orphans(struct reconciler *reconciler, struct error *err)
{
    const struct project *project = reconciler->project;
    const json_t *services = json_object_get(project->model, "services");
    _cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
    struct compose_state orphans = {0};
    for (size_t i = 0; i < reconciler->state.count; i++) {
        const struct compose_container *one = &reconciler->state.containers[i];
        if (json_object_get(services, one->service) || element_get(project->disabled, one->service))
            continue;
        strbuf_addf(&names, "%s%s", names.length ? " " : "", one->name);
        *APPEND(orphans.containers, orphans.count) = *one;
    }
    bool is_good = true;
    if (orphans.count > 0 && reconciler->options->removes_orphans) {
        struct reconciler other =
            RECONCILER_INIT(project, reconciler->options, reconciler->workers, reconciler->reporter);
        other.state = orphans;
        is_good = containers_each(&other, VERB_STOP_REMOVE, reconciler->options->timeout, NULL, false, err);
    } else if (orphans.count > 0 && !reconciler->options->ignores_orphans) {
        _cleanup_free_ char *text =
            xasprintf("Found orphan containers ([%s]) for this project. If you removed or renamed this service in your "
                      "compose file, you can run this command with the --remove-orphans flag to clean it up.",
                      strbuf_text(&names));
        reconciler->reporter->say(reconciler->reporter->report_context, text);
    }
    free(orphans.containers);
    return is_good;
}

bool project_up(struct reconciler *reconciler, bool starts, struct error *err)
{
    _cleanup_(client_freep) struct client *client =
        reconciler->workers->connect(reconciler->workers->connect_context, err);
    return client && compose_state_read(client, reconciler->project->name, false, &reconciler->state, err) &&
           handle_orphans(reconciler, err) && ensure_images(reconciler, err) &&
           ensure_networks(reconciler, client, err) && ensure_volumes(reconciler, client, err) &&
           ensure_containers(reconciler, err) && (!starts || start_containers(reconciler, err));
}
