#include <string.h>

#include "base/memory.h"
#include "cli/compose/engine.h"
#include "cli/confirm.h"

struct rm_values {
    bool is_forced, stops, removes_volumes;
};

static bool rm_run(struct command_call *call, struct error *err)
{
    const struct rm_values *values = call->values;
    if (values->stops && !compose_verb(call, VERB_STOP, -1, NULL, "Stopping", err))
        return false;
    _cleanup_compose_view_ struct compose_view view = {0};
    if (!compose_view_read(call, call->arguments, call->argument_count, false, &view, err))
        return false;
    struct compose_state stopped = {0};
    _cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
    for (size_t i = 0; i < view.state.count; i++) {
        const struct compose_container *one = &view.state.containers[i];
        if (container_is_running(one) || string_equal(one->state, "paused") || string_equal(one->state, "restarting"))
            continue;
        strbuf_addf(&names, "%s%s", names.length ? ", " : "", one->name);
        *APPEND(stopped.containers, stopped.count) = *one;
    }
    _cleanup_free_ struct compose_container *borrowed = stopped.containers;
    if (stopped.count == 0) {
        fprintf(stderr, "No stopped containers\n");
        return true;
    }
    bool is_confirmed = values->is_forced;
    if (!is_confirmed) {
        printf("? Going to remove %s ", strbuf_text(&names));
        fflush(stdout);
        if (!confirm_question("", &is_confirmed, err))
            return false;
    }
    if (!is_confirmed)
        return true;
    struct up_options options = {0};
    _cleanup_report_ struct report report;
    report_begin(&report, call, "Removing");
    struct workers workers = compose_workers(call);
    struct reconciler reconciler = RECONCILER_INIT(&view.project, &options, &workers, &report.reporter);
    reconciler.state = stopped;
    return containers_each(&reconciler, VERB_REMOVE, -1, NULL, values->removes_volumes, err);
}

#define AT(member) offsetof(struct rm_values, member)
static const struct option rows[] = {
    {"force", 'f', OPTION_BOOL, AT(is_forced), .help = "Don't ask to confirm removal"},
    {"stop", 's', OPTION_BOOL, AT(stops), .help = "Stop the containers, if required, before removing"},
    {"volumes", 'v', OPTION_BOOL, AT(removes_volumes), .help = "Remove any anonymous volumes attached to containers"},
};

extern const struct command compose_rm_command;
const struct command compose_rm_command = {
    .paths = {"compose rm"},
    .usage = "[OPTIONS] [SERVICE...]",
    .help = "Removes stopped service containers",
    .long_help =
        "Removes stopped service containers\n\nBy default, anonymous volumes attached to containers will not be "
        "removed. You\ncan override this with -v. To list all volumes, use \"docker volume ls\".\n\nAny data "
        "which is not in a volume will be lost.",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct rm_values),
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = rm_run,
};
