/* stop, kill, restart, pause and unpause: the same call on the containers of services. */
#include <string.h>

#include "base/memory.h"
#include "cli/compose/engine.h"

struct verb_values {
    struct opt_int64 timeout;
    char *signal;
    bool no_dependencies, removes_orphans;
};

static int64_t timeout_of(const struct command_call *call)
{
    const struct verb_values *values = call->values;
    return values->timeout.is_set ? values->timeout.value : -1;
}

static bool stop_run(struct command_call *call, struct error *err)
{
    return compose_verb(call, VERB_STOP, timeout_of(call), NULL, "Stopping", err);
}

/* Adds the services whose containers want to be restarted with a named one: "db:service_started:true" among what their
   label says they depend on. */
static bool add_dependents(const struct command_call *call, struct strlist *services, struct error *err)
{
    _cleanup_compose_view_ struct compose_view view = {0};
    if (!compose_view_read(call, NULL, 0, false, &view, err))
        return false;
    for (size_t i = 0; i < view.state.count; i++) {
        const struct compose_container *one = &view.state.containers[i];
        _cleanup_strlist_ struct strlist all = strlist_split(label_of(one->row, LABEL("depends_on")), ',');
        for (size_t j = 0; j < all.count; j++) {
            _cleanup_free_ char *name = xstrndup(all.items[j], strcspn(all.items[j], ":"));
            bool is_hit = string_ends_with(all.items[j], ":true") && strlist_contains(services, name);
            if (is_hit && !strlist_contains(services, one->service))
                strlist_add(services, one->service);
        }
    }
    return true;
}

static bool restart_run(struct command_call *call, struct error *err)
{
    const struct verb_values *values = call->values;
    _cleanup_strlist_ struct strlist services = {0};
    for (size_t i = 0; i < call->argument_count; i++)
        strlist_add(&services, call->arguments[i]);
    if (services.count > 0 && !values->no_dependencies) {
        if (!add_dependents(call, &services, err))
            return false;
        call->arguments = services.items;
        call->argument_count = services.count;
    }
    return compose_verb(call, VERB_RESTART, timeout_of(call), NULL, "Restarting", err);
}

static bool kill_run(struct command_call *call, struct error *err)
{
    const struct verb_values *values = call->values;
    return compose_verb(call, VERB_KILL, -1, values->signal, "Killing", err);
}

static bool pause_run(struct command_call *call, struct error *err)
{
    return compose_verb(call, VERB_PAUSE, -1, NULL, "Pausing", err);
}

static bool unpause_run(struct command_call *call, struct error *err)
{
    return compose_verb(call, VERB_UNPAUSE, -1, NULL, "Running", err);
}

#define AT(member) offsetof(struct verb_values, member)
static const struct option stop_rows[] = {
    {"timeout", 't', OPTION_OPT_INT64, AT(timeout), "int", "Specify a shutdown timeout in seconds"},
};
static const struct option restart_rows[] = {
    {"no-deps", 0, OPTION_BOOL, AT(no_dependencies), .help = "Don't restart dependent services"},
    {"timeout", 't', OPTION_OPT_INT64, AT(timeout), "int", "Specify a shutdown timeout in seconds"},
};
static const struct option kill_rows[] = {
    {"remove-orphans", 0, OPTION_BOOL, AT(removes_orphans),
     .help = "Remove containers for services not defined in the Compose file",
     .unsupported = "--remove-orphans is not supported here: compose down has it"},
    {"signal", 's', OPTION_STRING, AT(signal), "string", "SIGNAL to send to the container", "SIGKILL"},
};

#define VERB(name_, text_, usage_, options_)                                                                           \
    extern const struct command compose_##name_##_command;                                                             \
    const struct command compose_##name_##_command = {                                                                 \
        .paths = {"compose " #name_},                                                                                  \
        .usage = usage_,                                                                                               \
        .help = text_,                                                                                                 \
        .options = options_,                                                                                           \
        .values_size = sizeof(struct verb_values),                                                                     \
        .max_arguments = ARGUMENTS_UNLIMITED,                                                                          \
        .run = name_##_run,                                                                                            \
    }
#define NO_OPTIONS                                                                                                     \
    {                                                                                                                  \
        NULL, 0                                                                                                        \
    }
VERB(stop, "Stop services", "[OPTIONS] [SERVICE...]", OPTION_TABLE(stop_rows));
VERB(restart, "Restart service containers", "[OPTIONS] [SERVICE...]", OPTION_TABLE(restart_rows));
VERB(kill, "Force stop service containers", "[OPTIONS] [SERVICE...]", OPTION_TABLE(kill_rows));
VERB(pause, "Pause services", "[SERVICE...]", NO_OPTIONS);
VERB(unpause, "Unpause services", "[SERVICE...]", NO_OPTIONS);
