/* From files to one document: read, variables, schema, canonical form, extends, include, merge. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "compose/canonical.h"
#include "compose/dotenv.h"
#include "compose/merge.h"
#include "compose/project.h"
#include "compose/schema.h"
#include "compose/shape.h"
#include "compose/yaml_document.h"

#define FILE_LIMIT    ((size_t)16 << 20)
#define NESTING_LIMIT 32

extern char **environ;

void project_release(struct project *project)
{
    free(project->name);
    free(project->directory);
    strlist_release(&project->files);
    strlist_release(&project->env_files);
    strmap_release(&project->environment);
    element_free(project->root);
    element_free(project->disabled);
    json_decref(project->model);
    *project = (struct project){0};
}

static void warn_missing(void *context, const char *name)
{
    struct loader *loader = context;
    if (strlist_contains(&loader->told, name))
        return;
    strlist_add(&loader->told, name);
    char now[32];
    time_t seconds = time(NULL);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &parts);
    fprintf(stderr,
            "time=\"%s\" level=warning msg=\"The \\\"%s\\\" variable is not set. Defaulting to a blank string.\"\n",
            now, name);
}

static bool interpolate(struct loader *loader, const struct variables *variables, struct element *node,
                        const char *path)
{
    for (size_t i = 0; i < node->count; i++) {
        _cleanup_free_ char *below = node->kind == ELEMENT_MAP
                                         ? xasprintf("%s%s%s", path, *path ? "." : "", node->keys[i])
                                         : xasprintf("%s[%zu]", path, i);
        if (!interpolate(loader, variables, node->items[i], below))
            return false;
    }
    if (node->kind != ELEMENT_STRING || !strchr(node->text, '$'))
        return true;
    struct error cause = ERROR_INIT;
    char *text = template_expand(node->text, variables, &cause);
    if (!text) {
        element_error(node, NULL, loader->err, "error while interpolating %s: %s", path, error_message(&cause));
        error_release(&cause);
        return false;
    }
    free(node->text);
    node->text = text;
    node->is_interpolated = true;
    return true;
}

/* The names of files are kept for messages for as long as the program runs. */
static const char *keep(const char *name)
{
    static struct strlist names;
    for (size_t i = 0; i < names.count; i++)
        if (string_equal(names.items[i], name))
            return names.items[i];
    strlist_add(&names, name);
    return names.items[names.count - 1];
}

static bool read_all(const char *path, struct strbuf *text, struct error *err)
{
    if (!string_equal(path, "-")) {
        struct error cause = ERROR_INIT;
        if (file_read(AT_FDCWD, path, FILE_LIMIT, text, &cause))
            return true;
        int errno_value = cause.errno_value;
        if (!errno_value)
            return error_move(err, &cause);
        error_release(&cause);
        return error_set(err, errno_value == ENOENT ? ERROR_NOT_FOUND : ERROR_INVALID, "open %s: %s", path,
                         errno_text(errno_value));
    }
    char piece[4096];
    ssize_t count;
    while ((count = read(STDIN_FILENO, piece, sizeof(piece))) > 0 && text->length < FILE_LIMIT)
        strbuf_add(text, piece, (size_t)count);
    return true;
}

/* What relative paths mean, and which variables. */
struct place {
    const char *directory;
    const struct strmap *environment;
};

/* A name alone in a service's environment takes the value that it has where the file is read. */
static void inherit_variables(struct element *document, const struct strmap *environment)
{
    struct element *services = element_get(document, "services");
    for (size_t i = 0; services && i < services->count; i++) {
        struct element *own = element_get(services->items[i], "environment");
        for (size_t j = 0; own && j < own->count; j++) {
            const char *value = strmap_get(environment, own->keys[j]);
            if (own->items[j]->kind == ELEMENT_NULL && value && own->items[j]->merge != MERGE_RESET)
                element_replace(&own->items[j], element_string(value, own->items[j]));
        }
    }
}

/* One file, not yet extended and without what it includes. */
static struct element *read_document(struct loader *loader, const char *path, const struct place *place)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!read_all(path, &text, loader->err))
        return NULL;
    _cleanup_element_ struct element *document = yaml_parse(keep(path), strbuf_text(&text), text.length, loader->err);
    if (!document)
        return NULL;
    struct variables variables = {.first = place->environment, .missing = warn_missing, .context = loader};
    if (!loader->options->keeps_variables && !interpolate(loader, &variables, document, ""))
        return NULL;
    if (!schema_check(document, loader->err) || !canonical_make(document, place->directory, loader->err))
        return NULL;
    inherit_variables(document, place->environment);
    return TAKE_PTR(document);
}

static struct element *extended_service(struct loader *loader, struct element *document, const char *file,
                                        const char *name, const struct place *place, struct strlist *chain,
                                        const struct element *at);

static bool circular(struct loader *loader, const struct strlist *chain, const struct element *at)
{
    _cleanup_free_ char *text = strlist_join(chain, "\n  extends ");
    return element_error(at, NULL, loader->err, "Circular reference:\n  %s", text);
}

/* Replaces the service's extends by what it extends. */
static bool extend(struct loader *loader, struct element *document, const char *file, const char *name,
                   struct element **service, const struct place *place, struct strlist *chain)
{
    _cleanup_element_ struct element *extends = element_take(*service, "extends");
    if (!extends)
        return true;
    const char *other = element_text(element_get(extends, "service")),
               *other_file = element_text(element_get(extends, "file"));
    if (!other)
        return element_error(extends, name, loader->err, "extends: service is required");
    _cleanup_element_ struct element *base = NULL;
    if (other_file) {
        _cleanup_free_ char *path = path_absolute(other_file, place->directory), *folder = xstrdup(path);
        char *slash = strrchr(folder, '/');
        if (slash)
            *(slash == folder ? slash + 1 : slash) = '\0';
        struct place there = {folder, place->environment};
        _cleanup_element_ struct element *foreign = read_document(loader, path, &there);
        base = foreign ? extended_service(loader, foreign, path, other, &there, chain, extends) : NULL;
    } else {
        base = extended_service(loader, document, file, other, place, chain, extends);
    }
    if (!base)
        return false;
    struct element *over = *service;
    element_merge(base, over, "services.any");
    *service = TAKE_PTR(base);
    return true;
}

static struct element *extended_service(struct loader *loader, struct element *document, const char *file,
                                        const char *name, const struct place *place, struct strlist *chain,
                                        const struct element *at)
{
    _cleanup_free_ char *link = xasprintf("%s in %s", name, file);
    bool is_known = strlist_contains(chain, link);
    strlist_add(chain, link);
    struct element *found = element_get(element_get(document, "services"), name);
    if (is_known) {
        circular(loader, chain, at);
        return NULL;
    }
    if (!element_is(found, ELEMENT_MAP)) {
        element_error(at, NULL, loader->err, "cannot extend service \"%s\" in %s: service not found", name, file);
        return NULL;
    }
    struct element *service = element_copy(found);
    if (!extend(loader, document, file, name, &service, place, chain)) {
        element_free(service);
        return NULL;
    }
    strlist_remove(chain, chain->count - 1);
    return service;
}

static bool extend_all(struct loader *loader, struct element *document, const char *file, const struct place *place)
{
    struct element *services = element_get(document, "services");
    for (size_t i = 0; services && i < services->count; i++) {
        _cleanup_strlist_ struct strlist chain = {0};
        if (services->items[i]->kind != ELEMENT_MAP || !element_get(services->items[i], "extends"))
            continue;
        struct element *service =
            extended_service(loader, document, file, services->keys[i], place, &chain, services->items[i]);
        if (!service)
            return false;
        element_replace(&services->items[i], service);
    }
    return true;
}

static struct element *load_files(struct loader *loader, const struct strlist *files, const struct place *place);

/* Files of an include have the project's variables and their own folder's .env behind these. */
static bool load_include(struct loader *loader, struct element *document, const struct element *include,
                         const struct place *place)
{
    const struct element *paths = element_get(include, "path");
    _cleanup_strlist_ struct strlist files = {0}, env_files = {0};
    for (size_t i = 0; paths && i < paths->count; i++)
        strlist_take(&files, path_absolute(paths->items[i]->text, place->directory));
    if (files.count == 0)
        return element_error(include, "include", loader->err, "path is required");
    const char *given = element_text(element_get(include, "project_directory"));
    _cleanup_free_ char *folder = given ? path_absolute(given, place->directory) : xstrdup(files.items[0]);
    char *slash = strrchr(folder, '/');
    if (!given && slash)
        *(slash == folder ? slash + 1 : slash) = '\0';
    _cleanup_strmap_ struct strmap environment = {0}, own = {0};
    const struct element *env_file = element_get(include, "env_file");
    for (size_t i = 0; env_file && i < env_file->count; i++)
        strlist_take(&env_files, path_absolute(env_file->items[i]->text, place->directory));
    _cleanup_free_ char *usual = path_join(folder, ".env");
    if (!env_file && access(usual, R_OK) == 0)
        strlist_add(&env_files, usual);
    for (size_t i = 0; i < env_files.count; i++)
        if (!dotenv_read(env_files.items[i], place->environment, &own, loader->err))
            return false;
    strmap_copy(&environment, place->environment);
    for (size_t i = 0; i < own.count; i++)
        if (!strmap_get(&environment, own.items[i].key))
            strmap_set(&environment, own.items[i].key, own.items[i].value);
    struct place there = {folder, &environment};
    struct element *included = load_files(loader, &files, &there);
    if (!included)
        return false;
    static const char *const sections[] = {"services", "networks", "volumes", "secrets", "configs"};
    element_remove(included, "name");
    for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
        const struct element *theirs = element_get(included, sections[i]), *ours = element_get(document, sections[i]);
        for (size_t j = 0; theirs && j < theirs->count; j++) {
            const struct element *other = element_get(ours, theirs->keys[j]);
            /* A file that is included twice, by two ways, is no conflict. */
            if (other && !(other->file == theirs->items[j]->file && other->line == theirs->items[j]->line)) {
                element_error(include, NULL, loader->err, "imported compose file defines conflicting %s %s: %s",
                              sections[i], theirs->keys[j], "it is defined elsewhere too");
                element_free(included);
                return false;
            }
        }
    }
    element_merge(document, included, "");
    return true;
}

static struct element *load_file(struct loader *loader, const char *path, const struct place *place)
{
    if (strlist_contains(&loader->open, path) || loader->open.count > NESTING_LIMIT) {
        _cleanup_free_ char *chain = strlist_join(&loader->open, "\n include ");
        error_set(loader->err, ERROR_INVALID, "include cycle detected:\n%s\n include %s", chain, path);
        return NULL;
    }
    _cleanup_element_ struct element *document = read_document(loader, path, place);
    if (!document || !extend_all(loader, document, path, place))
        return NULL;
    strlist_add(&loader->open, path);
    _cleanup_element_ struct element *includes = element_take(document, "include");
    for (size_t i = 0; includes && i < includes->count; i++)
        if (!load_include(loader, document, includes->items[i], place))
            return NULL;
    strlist_remove(&loader->open, loader->open.count - 1);
    return TAKE_PTR(document);
}

static struct element *load_files(struct loader *loader, const struct strlist *files, const struct place *place)
{
    _cleanup_element_ struct element *all = NULL;
    for (size_t i = 0; i < files->count; i++) {
        struct element *document = load_file(loader, files->items[i], place);
        if (!document)
            return NULL;
        if (all)
            element_merge(all, document, "");
        else
            all = document;
    }
    if (all)
        element_drop_resets(all);
    return TAKE_PTR(all);
}

static void add_environment(struct strmap *out)
{
    for (char **item = environ; *item; item++) {
        const char *equals = strchr(*item, '=');
        if (!equals)
            continue;
        _cleanup_free_ char *key = xstrndup(*item, (size_t)(equals - *item));
        strmap_set(out, key, equals + 1);
    }
}

static bool exists_in(const char *directory, const char *const *names, size_t count, struct strlist *files)
{
    for (size_t i = 0; i < count; i++) {
        _cleanup_free_ char *path = path_join(directory, names[i]);
        if (access(path, F_OK) == 0) {
            strlist_add(files, path);
            return true;
        }
    }
    return false;
}

/* The usual names, here and above, with the override beside. */
static bool find_files(const char *directory, struct strlist *files, struct error *err)
{
    static const char *const names[] = {"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"};
    static const char *const overrides[] = {"compose.override.yml", "compose.override.yaml",
                                            "docker-compose.override.yml", "docker-compose.override.yaml"};
    _cleanup_free_ char *folder = xstrdup(directory);
    for (;;) {
        if (exists_in(folder, names, ARRAY_SIZE(names), files)) {
            exists_in(folder, overrides, ARRAY_SIZE(overrides), files);
            return true;
        }
        char *slash = strrchr(folder, '/');
        if (!slash || string_equal(folder, "/"))
            break;
        *(slash == folder ? slash + 1 : slash) = '\0';
    }
    return error_set(err, ERROR_NOT_FOUND, "no configuration file provided: not found");
}

static void folder_of(const char *file, char **out)
{
    string_replace(out, file);
    char *slash = strrchr(*out, '/');
    if (slash)
        *(slash == *out ? slash + 1 : slash) = '\0';
}

static bool choose_files(struct loader *loader, const char *here)
{
    struct project *project = loader->project;
    const struct project_options *options = loader->options;
    _cleanup_strlist_ struct strlist given = {0};
    const char *variable = strmap_get(&project->environment, "COMPOSE_FILE"),
               *separator = strmap_get(&project->environment, "COMPOSE_PATH_SEPARATOR");
    if (options->files.count > 0)
        strlist_copy(&given, &options->files);
    else if (string_is_set(variable))
        given = strlist_split(variable, string_is_set(separator) ? *separator : ':');
    for (size_t i = 0; i < given.count; i++) {
        if (string_equal(given.items[i], "-"))
            strlist_add(&project->files, "-");
        else
            strlist_take(&project->files, path_absolute(given.items[i], here));
    }
    const char *start = project->directory ? project->directory : here;
    if (given.count == 0 && !find_files(start, &project->files, loader->err))
        return false;
    if (!project->directory && string_equal(project->files.items[0], "-"))
        project->directory = xstrdup(here);
    else if (!project->directory)
        folder_of(project->files.items[0], &project->directory);
    return true;
}

static bool load_environment(struct loader *loader, const char *folder, const char *here)
{
    struct project *project = loader->project;
    const char *variable = getenv("COMPOSE_ENV_FILES");
    _cleanup_strlist_ struct strlist given = {0};
    if (loader->options->env_files.count > 0)
        strlist_copy(&given, &loader->options->env_files);
    else if (string_is_set(variable))
        given = strlist_split(variable, ',');
    _cleanup_strmap_ struct strmap own = {0}, process = {0};
    add_environment(&process);
    for (size_t i = 0; i < given.count; i++) {
        _cleanup_free_ char *path = path_absolute(given.items[i], here);
        struct error cause = ERROR_INIT;
        if (!dotenv_read(path, &process, &own, &cause)) {
            if (cause.kind != ERROR_NOT_FOUND)
                return error_move(loader->err, &cause);
            error_release(&cause);
            return error_set(loader->err, ERROR_NOT_FOUND, "Couldn't find env file: %s", path);
        }
        strlist_add(&project->env_files, path);
    }
    _cleanup_free_ char *usual = path_join(folder, ".env");
    struct stat info;
    if (given.count == 0 && stat(usual, &info) == 0 && S_ISREG(info.st_mode) &&
        !dotenv_read(usual, &process, &own, loader->err))
        return false;
    strmap_release(&project->environment);
    project->environment = process;
    process = (struct strmap){0};
    for (size_t i = 0; i < own.count; i++)
        if (!strmap_get(&project->environment, own.items[i].key))
            strmap_set(&project->environment, own.items[i].key, own.items[i].value);
    return true;
}

char *project_name_given(const struct project_options *options)
{
    const char *variable = getenv("COMPOSE_PROJECT_NAME");
    if (string_is_set(options->name))
        return xstrdup(options->name);
    return string_is_set(variable) ? xstrdup(variable) : NULL;
}

static bool is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    return *name && !strchr("_-", *name) && name[strspn(name, letters)] == '\0';
}

static char *normalized(const char *name)
{
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    for (; *name; name++) {
        char c = *name >= 'A' && *name <= 'Z' ? (char)(*name | 32) : *name;
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", c) && (out.length > 0 || !strchr("_-", c)))
            strbuf_add_char(&out, c);
    }
    return strbuf_take(&out);
}

static bool choose_name(struct loader *loader)
{
    struct project *project = loader->project;
    const struct element *inside = element_get(project->root, "name");
    const char *variable = strmap_get(&project->environment, "COMPOSE_PROJECT_NAME");
    const char *given = string_is_set(loader->options->name) ? loader->options->name
                        : string_is_set(variable)            ? variable
                                                             : element_text(inside);
    if (string_is_set(given)) {
        if (!is_name(given))
            return element_error(given == element_text(inside) ? inside : NULL, NULL, loader->err,
                                 "invalid project name \"%s\": must consist only of lowercase alphanumeric characters, "
                                 "hyphens, and underscores as well as start with a letter or number",
                                 given);
        project->name = xstrdup(given);
    } else {
        project->name = normalized(path_base(project->directory));
    }
    if (!*project->name)
        return error_set(loader->err, ERROR_INVALID, "project name must not be empty");
    element_put(project->root, "name", element_string(project->name, inside));
    return true;
}

static bool load(struct loader *loader)
{
    struct project *project = loader->project;
    _cleanup_free_ char *here = getcwd(NULL, 0);
    if (!here)
        return error_errno(loader->err, "getwd");
    if (loader->options->directory)
        project->directory = path_absolute(loader->options->directory, here);
    /* .env is beside the first file, whose name it may tell. */
    _cleanup_free_ char *folder = xstrdup(project->directory ? project->directory : here);
    if (!project->directory && loader->options->files.count > 0 &&
        !string_equal(loader->options->files.items[0], "-")) {
        _cleanup_free_ char *first = path_absolute(loader->options->files.items[0], here);
        folder_of(first, &folder);
    }
    if (!load_environment(loader, folder, here) || !choose_files(loader, here))
        return false;
    if (!string_equal(folder, project->directory)) {
        strlist_release(&project->env_files);
        if (!load_environment(loader, project->directory, here))
            return false;
    }
    /* Variables may name the project that the file itself names. */
    const char *name = string_is_set(loader->options->name) ? loader->options->name
                                                            : strmap_get(&project->environment, "COMPOSE_PROJECT_NAME");
    _cleanup_free_ char *usual = normalized(path_base(project->directory));
    strmap_set(&project->environment, "COMPOSE_PROJECT_NAME", string_is_set(name) ? name : usual);
    struct place place = {project->directory, &project->environment};
    project->root = load_files(loader, &project->files, &place);
    if (!string_is_set(name))
        strmap_remove(&project->environment, "COMPOSE_PROJECT_NAME");
    return project->root && choose_name(loader);
}

bool project_load(const struct project_options *options, struct project *out, struct error *err)
{
    _cleanup_project_ struct project project = {0};
    struct loader loader = {.options = options, .project = &project, .err = err};
    bool is_good = load(&loader);
    strlist_release(&loader.open);
    strlist_release(&loader.told);
    if (!is_good || !project_finish(&project, options, err))
        return false;
    *out = project;
    project = (struct project){0};
    return true;
}
