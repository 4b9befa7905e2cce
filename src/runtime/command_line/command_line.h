/* wherry-runtime: an OCI runtime's command line. A command is a row of the table in main.c. */
#pragma once

#include "base/options.h"
#include "oci/runtime_config.h"

#define SPEC_VERSION "1.2.0"

/* The values of all options, of every command. */
struct runtime_options {
    char *root, *log, *log_format;
    bool wants_version, is_debug;
    char *bundle, *pid_file, *console_socket;
    bool is_detached, is_forced, kills_all, is_quiet, wants_tty;
    char *format, *process_file, *user, *cwd;
    struct strlist env, capabilities;
};

/* Return the exit code, or -1 with err. `arguments` are those after the options. */
typedef int command_function(const struct runtime_options *options, const struct strlist *arguments, struct error *err);
command_function command_run, command_create, command_start, command_state, command_kill, command_delete, command_exec,
    command_list, command_spec;

/* config.json of the bundle. */
bool bundle_load(const char *bundle, struct runtime_config *config, struct error *err);
/* linux.seccomp of the config, compiled for these capabilities; empty where there is none. Owned by the caller. */
bool bundle_compile_seccomp(const struct runtime_config *config, const struct oci_process *process, struct bytes *out,
                            struct error *err);
