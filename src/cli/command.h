/* The commands of wherry, by table.

   A command is one file named after it (run.c) that defines `const struct command run_command`, and one line in
   commands.c. From the row main.c makes the parsing, the checks of the arguments, --help and the messages about wrong
   use; the command itself only ever sees good values:

       struct stop_options { char *signal; struct opt_int64 timeout; };
       static const struct option stop_rows[] = {…};
       static bool stop_run(struct command_call *call, struct error *err) {…}
       const struct command stop_command = {
           .paths = {"container stop", "stop"},
           .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
           .help = "Stop one or more running containers",
           .options = OPTION_TABLE(stop_rows), .values_size = sizeof(struct stop_options),
           .min_arguments = 1, .max_arguments = ARGUMENTS_UNLIMITED,
           .run = stop_run,
       };

   Exit codes are docker's: 0; 1 for an error; 125 for wrong flags, and whatever a command puts into call->exit_code. */
#pragma once

#include "base/options.h"
#include "client/client.h"

#define EXIT_CODE_FAILURE 1
#define EXIT_CODE_USAGE   125 /* and: run's own failures before the container runs */

#define ARGUMENTS_UNLIMITED (-1)
#define OPTION_TABLE(rows_)                                                                                            \
    {                                                                                                                  \
        (rows_), ARRAY_SIZE(rows_)                                                                                     \
    }
#define COMMAND_PATHS_MAXIMUM 6

struct command;
struct global_values;

/* What a command gets. */
struct command_call {
    const struct command *command;
    const char *path;                 /* as invoked, canonical: "container ls" where "container list" was typed */
    struct client *client;            /* connects at its first request; NULL where the command is_local */
    void *values;                     /* the options struct, filled */
    const struct option_parse *parse; /* which options were given: option_is_given(call->parse, "signal") */
    char **arguments;                 /* NULL-terminated */
    size_t argument_count;
    bool is_debug;
    const struct global_values *globals; /* the flags before the command */
    const char *config_directory;        /* --config, DOCKER_CONFIG or ~/.docker */
    int exit_code; /* out: 0 where the command says nothing; with an error, EXIT_CODE_FAILURE unless it says more */
};

enum command_group { GROUP_OTHER, GROUP_COMMON, GROUP_MANAGEMENT, GROUP_SWARM };

struct command {
    /* Every name, in the order of docker's Aliases line: {"container ls", "container list", "container ps", "ps"}. The
       first one with a given parent is the one that help lists; the others there are aliases. */
    const char *paths[COMMAND_PATHS_MAXIMUM + 1];
    const char *usage; /* after the name: "[OPTIONS] IMAGE [COMMAND] [ARG...]" */
    const char *help;
    const char *long_help;    /* NULL: help */
    enum command_group group; /* where `wherry --help` lists it */
    struct option_table options;
    size_t values_size;
    void (*set_defaults)(void *values);   /* values are zeroed otherwise; may be NULL */
    void (*release_values)(void *values); /* frees what custom options hold; strings and lists are freed anyway */
    bool stops_at_first_argument;
    bool is_hidden; /* help does not list it */
    bool is_local;  /* needs no engine: a context that does not exist does not matter */
    int min_arguments;
    int max_arguments; /* ARGUMENTS_UNLIMITED */
    /* false with err: the message goes to standard error and the exit code is call->exit_code, or 1. false with an
       empty err: all was said already. NULL: a command that only has others below it ("container"). */
    bool (*run)(struct command_call *call, struct error *err);
};

/* commands.c: all of them. */
extern const struct command *const commands[];
extern const size_t command_count;

/* help.c, invoke.c */
const struct command *command_find(const char *path);
/* The canonical name for a path of this command: its first path with the same parent. */
const char *command_canonical_path(const struct command *command, const char *path);
void help_print(const struct command *command, const char *path);
/* With the plugins of the config directory. */
void help_print_top(const char *directory);
/* "Usage:  wherry run [OPTIONS] …" without the line's end. */
void help_usage_line(const struct command *command, const char *path, struct strbuf *out);

/* Standard output, buffered; a command may simply use printf and stdout too (main.c flushes at the end). */

/* Does `action` to each argument in turn. With `prints_names` a success prints the argument. Errors go to standard
   error, one line each, and make the call fail after all arguments have had their turn. */
bool command_each(struct command_call *call, bool prints_names,
                  bool (*action)(struct command_call *call, const char *name, struct error *err), struct error *err);
/* docker's way of putting the failures of run and create before a container runs: makes the message "wherry: <message>"
   and where to look for help, sets the exit code, and returns false. */
bool command_fail_with_help(struct command_call *call, int exit_code, struct error *err);
/* Prints the message on standard error, and releases the error. */
void command_print_error(struct error *err);
