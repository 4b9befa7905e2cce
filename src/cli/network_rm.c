#include "base/memory.h"
#include "cli/command.h"

struct network_rm_options {
    bool is_forced;
};

/* All networks have their turn, each failure is told at once, and the exit code says that there was one. */
static bool network_rm_run(struct command_call *call, struct error *err)
{
    const struct network_rm_options *options = call->values;
    for (size_t i = 0; i < call->argument_count; i++) {
        _cleanup_free_ char *path = client_path("networks", call->arguments[i], "");
        struct error why = ERROR_INIT;
        if (client_delete(call->client, path, &why)) {
            puts(call->arguments[i]);
            fflush(stdout);
        } else if (options->is_forced && why.kind == ERROR_NOT_FOUND) {
            error_release(&why);
        } else {
            command_print_error(&why);
            call->exit_code = EXIT_CODE_FAILURE;
        }
    }
    return !call->exit_code || error_set(err, ERROR_INTERNAL, "exit status %d", call->exit_code);
}

#define PLACE(member_) offsetof(struct network_rm_options, member_)
static const struct option network_rm_rows[] = {
    {"force", 'f', OPTION_BOOL, PLACE(is_forced), .help = "Do not error if the network does not exist"},
};

const struct command network_rm_command = {
    .paths = {"network rm", "network remove"},
    .usage = "NETWORK [NETWORK...]",
    .help = "Remove one or more networks",
    .options = OPTION_TABLE(network_rm_rows),
    .values_size = sizeof(struct network_rm_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = network_rm_run,
};
