/* A project: compose files read, merged and made whole. */
#pragma once

#include "compose/element.h"
#include "compose/template.h"

struct project_options {
    struct strlist files;     /* -f; empty: COMPOSE_FILE, else the usual names here and in the folders above */
    struct strlist env_files; /* --env-file; empty: COMPOSE_ENV_FILES, else .env */
    struct strlist profiles;  /* --profile and COMPOSE_PROFILES; "*" is all */
    char *name;               /* -p */
    char *directory;          /* --project-directory */
    bool keeps_variables;     /* config --no-interpolate */
    bool is_inconsistent;     /* config --no-consistency */
};

struct project {
    char *name;
    char *directory;           /* absolute: what relative paths of the files mean */
    struct strlist files;      /* absolute, in their order; "-" is standard input */
    struct strlist env_files;  /* as given, absolute */
    struct strmap environment; /* of the process, completed by the env files: what variables in files mean */
    struct element *root;      /* the whole model in canonical form, with what the active profiles leave */
    struct element *disabled;  /* services of profiles that are not active */
    json_t *model;             /* shape_project(root, FORM_JSON, false) */
};
void project_release(struct project *project);
#define _cleanup_project_ _cleanup_(project_release)

/* Warnings (a variable that is not set) go to standard error as docker compose writes them. ERROR_NOT_FOUND where there
   is no file at all. */
bool project_load(const struct project_options *options, struct project *out, struct error *err);
/* Only the name, as far as it can be told without reading a file: -p, COMPOSE_PROJECT_NAME. NULL: neither. Caller
   frees. */
char *project_name_given(const struct project_options *options);
/* Makes the model be of these services and, with `with_dependencies`, what they depend on, all the way. Services of
   inactive profiles that are named become active. An empty list: all. */
bool project_select(struct project *project, char *const *services, size_t count, bool with_dependencies,
                    struct error *err);

/* Parts of the above. */
/* load.c: the merged document of all files. */
struct loader {
    const struct project_options *options;
    struct project *project;
    struct strlist open; /* files being read, for cycles */
    struct strlist told; /* variables that were warned of */
    struct error *err;
};
/* finish.c: what is implied: default network, names, dependencies, environment; profiles; what is not used is left out;
   and the checks that the schema cannot make. */
bool project_finish(struct project *project, const struct project_options *options, struct error *err);
bool project_check(const struct project *project, struct error *err);
