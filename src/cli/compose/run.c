#include <string.h>
#include <unistd.h>

#include "base/id.h"
#include "base/memory.h"
#include "cli/compose/build_service.h"
#include "cli/compose/delegate.h"
#include "compose/canonical.h"
#include "json/json_record.h"

struct run_values {
    bool builds, is_detached, is_interactive, has_no_tty, no_dependencies, is_quiet_pull, removes_orphans, removes,
        with_ports, with_aliases;
    struct strlist cap_add, cap_drop, env, labels, publish, volumes;
    char *entrypoint, *name, *user, *workdir;
};

static void set_defaults(void *values)
{
    ((struct run_values *)values)->is_interactive = true;
}

static json_t *list_of(json_t *service, const char *key)
{
    json_t *list = json_object_get(service, key);
    json_t *copy = list ? json_copy(list) : json_array();
    json_object_set_new(service, key, copy);
    return copy;
}

static json_t *map_of(json_t *service, const char *key)
{
    json_t *map = json_object_get(service, key);
    json_t *copy = map ? json_copy(map) : json_object();
    json_object_set_new(service, key, copy);
    return copy;
}

static void add_assignments(json_t *map, const struct strlist *list, bool inherits)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *equals = strchr(list->items[i], '=');
        _cleanup_free_ char *key = xstrndup(list->items[i], strcspn(list->items[i], "="));
        const char *value = equals ? equals + 1 : inherits ? getenv(key) : "";
        if (value)
            json_object_set_new(map, key, json_string(value));
    }
}

static bool add_ports_and_volumes(const struct run_values *values, const struct project *project, json_t *service,
                                  struct error *err)
{
    json_t *ports = values->with_ports ? list_of(service, "ports") : json_array(),
           *volumes = list_of(service, "volumes");
    if (!values->with_ports)
        json_object_set_new(service, "ports", ports);
    _cleanup_element_ struct element *parsed = element_new(ELEMENT_LIST, NULL);
    for (size_t i = 0; i < values->publish.count; i++) {
        _cleanup_element_ struct element *text = element_string(values->publish.items[i], NULL);
        if (!port_expand(text, "--publish", parsed, err))
            return false;
    }
    for (size_t i = 0; i < parsed->count; i++)
        json_array_append_new(ports, element_to_json(parsed->items[i]));
    for (size_t i = 0; i < values->volumes.count; i++) {
        _cleanup_element_ struct element *text = element_string(values->volumes.items[i], NULL);
        _cleanup_element_ struct element *volume = volume_expand(text, project->directory, "--volume", err);
        if (!volume)
            return false;
        json_array_append_new(volumes, element_to_json(volume));
    }
    return true;
}

static bool add_words(json_t *service, const char *key, const char *text, struct error *err)
{
    _cleanup_element_ struct element *node = element_string(text, NULL);
    _cleanup_element_ struct element *words = words_split(node, "--entrypoint", err);
    if (!words)
        return false;
    json_object_set_new(service, key, element_to_json(words));
    return true;
}

/* The service as the flags change it. NULL with err. */
static json_t *changed_service(struct command_call *call, const struct project *project, const json_t *from,
                               bool has_tty, struct error *err)
{
    const struct run_values *values = call->values;
    json_t *service = json_copy((json_t *)(uintptr_t)from);
    static const char *const removed[] = {"container_name", "restart", "scale"};
    for (size_t i = 0; i < ARRAY_SIZE(removed); i++)
        json_object_del(service, removed[i]);
    if (call->argument_count > 1) {
        json_t *command = json_array();
        for (size_t i = 1; i < call->argument_count; i++)
            json_array_append_new(command, json_string(call->arguments[i]));
        json_object_set_new(service, "command", command);
    }
    add_assignments(map_of(service, "environment"), &values->env, true);
    add_assignments(map_of(service, "labels"), &values->labels, false);
    for (size_t i = 0; i < values->cap_add.count; i++)
        json_array_append_new(list_of(service, "cap_add"), json_string(values->cap_add.items[i]));
    for (size_t i = 0; i < values->cap_drop.count; i++)
        json_array_append_new(list_of(service, "cap_drop"), json_string(values->cap_drop.items[i]));
    if (values->user)
        json_object_set_new(service, "user", json_string(values->user));
    if (values->workdir)
        json_object_set_new(service, "working_dir", json_string(values->workdir));
    json_object_set_new(service, "tty", json_boolean(has_tty));
    json_object_set_new(service, "stdin_open", json_boolean(values->is_interactive && !values->is_detached));
    bool is_good = add_ports_and_volumes(values, project, service, err) &&
                   (!values->entrypoint || add_words(service, "entrypoint", values->entrypoint, err));
    if (is_good && values->entrypoint && call->argument_count == 1)
        json_object_set_new(service, "command", json_array());
    if (is_good)
        return service;
    json_decref(service);
    return NULL;
}

/* Dependencies are brought up, the service itself only gets its networks, volumes and image. */
static bool prepare(struct reconciler *reconciler, struct client *client, struct project *dependencies,
                    struct reconciler *before, struct error *err)
{
    if (json_object_size(json_object_get(dependencies->model, "services")) > 0 && !project_up(before, true, err))
        return false;
    return compose_state_read(client, reconciler->project->name, false, &reconciler->state, err) &&
           ensure_images(reconciler, err) && ensure_networks(reconciler, client, err) &&
           ensure_volumes(reconciler, client, err);
}

static bool begin(struct command_call *call, const char *id, const char *name, struct error *err)
{
    const struct run_values *values = call->values;
    _cleanup_strlist_ struct strlist words = {0};
    if (!values->is_detached) {
        strlist_add(&words, "-a");
        if (values->is_interactive)
            strlist_add(&words, "-i");
    }
    strlist_add(&words, id);
    if (values->is_detached) {
        _cleanup_free_ char *path = client_path("containers", id, "/start");
        if (!client_post(call->client, path, NULL, err))
            return false;
        puts(name);
        return true;
    }
    compose_delegate(call, &start_command, "compose run", &words);
    if (values->removes) {
        _cleanup_free_ char *path = client_path("containers", id, "?force=1&v=1");
        return client_delete(call->client, path, err);
    }
    return true;
}

static bool run_run(struct command_call *call, struct error *err)
{
    const struct run_values *values = call->values;
    const char *name = call->arguments[0];
    _cleanup_project_ struct project project = {0}, dependencies = {0};
    if (!compose_load(call, &project, err) || !project_select(&project, call->arguments, 1, false, err))
        return false;
    const json_t *from = json_object_get(json_object_get(project.model, "services"), name);
    _cleanup_strlist_ struct strlist others = {0};
    const char *other;
    json_t *unused;
    json_object_foreach(json_object_get(from, "depends_on"), other, unused)
    {
        strlist_add(&others, other);
    }
    bool has_dependencies = others.count > 0 && !values->no_dependencies;
    if (has_dependencies && (!compose_load(call, &dependencies, err) ||
                             !project_select(&dependencies, others.items, others.count, true, err)))
        return false;
    bool has_tty = !values->has_no_tty && !values->is_detached && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    _cleanup_json_ json_t *service = changed_service(call, &project, from, has_tty, err);
    if (!service)
        return false;
    _cleanup_report_ struct report report;
    report_begin(&report, call, "Creating");
    struct workers workers = compose_workers(call);
    struct build_request build = {.call = call, .project = &project},
                         other_build = {.call = call, .project = &dependencies};
    struct up_options options = {.timeout = -1,
                                 .builds_always = values->builds,
                                 .is_quiet_pull = values->is_quiet_pull,
                                 .build = build_service,
                                 .build_context = &build,
                                 .authenticate = compose_authenticate,
                                 .authenticate_context = call},
                      other_options = {.timeout = -1,
                                       .removes_orphans = values->removes_orphans,
                                       .ignores_orphans = true,
                                       .is_quiet_pull = values->is_quiet_pull,
                                       .build = build_service,
                                       .build_context = &other_build,
                                       .authenticate = compose_authenticate,
                                       .authenticate_context = call};
    _cleanup_reconciler_ struct reconciler reconciler = RECONCILER_INIT(&project, &options, &workers, &report.reporter);
    _cleanup_reconciler_ struct reconciler before =
        RECONCILER_INIT(&dependencies, &other_options, &workers, &report.reporter);
    if (!prepare(&reconciler, call->client, &dependencies, &before, err))
        return false;
    char slug[ID_LENGTH + 1];
    id_generate(slug);
    _cleanup_free_ char *container =
        values->name ? xstrdup(values->name) : xasprintf("%s-%s-run-%.12s", project.name, name, slug);
    _cleanup_free_ char *id =
        create_oneoff(&reconciler, call->client, name, service, container, true, values->with_aliases, err);
    return id && begin(call, id, container, err);
}

#define AT(member) offsetof(struct run_values, member)
static const struct option rows[] = {
    {"build", 0, OPTION_BOOL, AT(builds), .help = "Build image before starting container"},
    {"cap-add", 0, OPTION_LIST, AT(cap_add), "list", "Add Linux capabilities"},
    {"cap-drop", 0, OPTION_LIST, AT(cap_drop), "list", "Drop Linux capabilities"},
    {"detach", 'd', OPTION_BOOL, AT(is_detached), .help = "Run container in background and print container ID"},
    {"entrypoint", 0, OPTION_STRING, AT(entrypoint), "string", "Override the entrypoint of the image"},
    {"env", 'e', OPTION_LIST, AT(env), "stringArray", "Set environment variables"},
    {"interactive", 'i', OPTION_BOOL, AT(is_interactive), .help = "Keep STDIN open even if not attached",
     .default_text = "true"},
    {"label", 'l', OPTION_LIST, AT(labels), "stringArray", "Add or override a label"},
    {"name", 0, OPTION_STRING, AT(name), "string", "Assign a name to the container"},
    {"no-TTY", 'T', OPTION_BOOL, AT(has_no_tty), .help = "Disable pseudo-TTY allocation (default: auto-detected)"},
    {"no-deps", 0, OPTION_BOOL, AT(no_dependencies), .help = "Don't start linked services"},
    {"publish", 'p', OPTION_LIST, AT(publish), "stringArray", "Publish a container's port(s) to the host"},
    {"quiet-pull", 0, OPTION_BOOL, AT(is_quiet_pull), .help = "Pull without printing progress information"},
    {"remove-orphans", 0, OPTION_BOOL, AT(removes_orphans),
     .help = "Remove containers for services not defined in the Compose file"},
    {"rm", 0, OPTION_BOOL, AT(removes), .help = "Automatically remove the container when it exits"},
    {"service-ports", 'P', OPTION_BOOL, AT(with_ports),
     .help = "Run command with all service's ports enabled and mapped to the host"},
    {"use-aliases", 0, OPTION_BOOL, AT(with_aliases),
     .help = "Use the service's network useAliases in the network(s) the container connects to"},
    {"user", 'u', OPTION_STRING, AT(user), "string", "Run as specified username or uid"},
    {"volume", 'v', OPTION_LIST, AT(volumes), "stringArray", "Bind mount a volume"},
    {"workdir", 'w', OPTION_STRING, AT(workdir), "string", "Working directory inside the container"},
};

extern const struct command compose_run_command;
const struct command compose_run_command = {
    .paths = {"compose run"},
    .usage = "[OPTIONS] SERVICE [COMMAND] [ARGS...]",
    .help = "Run a one-off command on a service",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct run_values),
    .set_defaults = set_defaults,
    .stops_at_first_argument = true,
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = run_run,
};
