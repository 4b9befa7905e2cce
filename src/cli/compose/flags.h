/* The flags before a compose command: `wherry compose -f x.yaml up`. */
#pragma once

#include "cli/command.h"
#include "cli/global_options.h"
#include "compose/project.h"

struct compose_flags {
    char *ansi, *progress, *project_directory, *name;
    struct strlist env_files, files, profiles;
    int64_t parallel;
    bool is_compatible;
};
extern const struct option_table compose_options;

/* What commands get as `globals`: they begin with those that every command of wherry has. */
struct compose_globals {
    struct global_values base;
    struct compose_flags flags;
};
const struct compose_flags *compose_flags_of(const struct command_call *call);

/* What the flags and COMPOSE_PROFILES say; `options` borrows nothing. */
void compose_options_fill(const struct command_call *call, struct project_options *options);
void project_options_release(struct project_options *options);
#define _cleanup_project_options_ _cleanup_(project_options_release)
/* The project of the flags. */
bool compose_load(const struct command_call *call, struct project *out, struct error *err);
/* For commands that need no file: with one, as compose_load. Where -p is given and no file is, only the name is set. */
bool compose_load_or_name(const struct command_call *call, struct project *out, struct error *err);
