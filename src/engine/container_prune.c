/* POST /containers/prune: what does not run goes. */
#include "base/log.h"
#include "engine/engine_state.h"
#include "engine/prune.h"

bool containers_prune(struct engine *engine, const json_t *filters, struct prune_report *report, struct error *err)
{
    static const char *const known[] = {"label", "label!", "until", NULL};
    _cleanup_prune_filter_ struct prune_filter filter = {0};
    if (!prune_begin(&engine->is_pruning, err))
        return false;
    if (!prune_filter_parse(filters, known, &filter, err)) {
        prune_end(&engine->is_pruning);
        return false;
    }
    size_t count;
    struct container **all = container_snapshot(engine, &count);
    for (size_t i = count; i-- > 0;) {
        struct container *container = all[i];
        container_lock(container);
        bool is_unused = !container->is_removed && !status_is_running(container->status) &&
                         prune_filter_matches(&filter, container->record.created, &container->record.config.labels);
        container_unlock(container);
        if (!is_unused)
            continue;
        int64_t size = container_size(container);
        struct error why = ERROR_INIT;
        const struct container_remove_options options = {0};
        if (container_remove(engine, container->record.id, &options, &why)) {
            strlist_add(&report->deleted, container->record.id);
            report->space += size;
        } else {
            log_and_release(LOG_LEVEL_WARNING, &why, "failed to prune container %s", container->record.id);
        }
    }
    container_snapshot_release(all, count);
    prune_end(&engine->is_pruning);
    prune_event(engine, "container", report->space);
    return true;
}
