#include "engine/unhealthy.h"

#include "base/log.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/stop.h"

static int64_t limit_of(const struct container *container)
{
    int64_t limit = container->engine->options.restart_unhealthy;
    const char *label = strmap_get(&container->record.config.labels, UNHEALTHY_LABEL);
    if (label)
        (void)parse_int64(label, &limit);
    return limit;
}

bool unhealthy_validate(const struct container_config *config, struct error *err)
{
    const char *label = strmap_get(&config->labels, UNHEALTHY_LABEL);
    int64_t limit;
    if (!label || (parse_int64(label, &limit) && limit >= 0))
        return true;
    return error_set(
        err, ERROR_INVALID,
        "invalid value \"%s\" of the label " UNHEALTHY_LABEL ": a number of failed health checks is wanted", label);
}

bool unhealthy_wants_restart(const struct container *container)
{
    int64_t limit = limit_of(container);
    return limit > 0 && container->record.health && container->record.health->failing_streak >= limit &&
           string_equal(container->record.health->status, "unhealthy");
}

static void job_restart(struct container *container)
{
    struct error err = ERROR_INIT;
    log_info("container %s is unhealthy: it is started again", container->record.id);
    if (!container_end_unhealthy(container, &err))
        log_and_release(LOG_LEVEL_ERROR, &err, "unhealthy container %s could not be ended", container->record.id);
}

void unhealthy_restart(struct container *container)
{
    engine_run_job(container, job_restart);
}
