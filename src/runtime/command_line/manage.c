/* state, list, kill, delete: what looks after containers that are there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/cgroup.h"
#include "runtime/command_line/command_line.h"
#include "runtime/command_line/state.h"
#include "runtime/container.h"
#include "json/json_record.h"

/* state.json of the OCI specification, with runc's additions. */
static json_t *describe(const char *root, const struct container_state *state)
{
    enum container_status status = state_status(root, state);
    json_t *json = json_pack("{sssssIssss}", "ociVersion", string_or_empty(state->oci_version), "id", state->id, "pid",
                             (json_int_t)(status == STATUS_STOPPED ? 0 : state->pid), "status",
                             container_status_names[status], "bundle", string_or_empty(state->bundle));
    struct runtime_config config = {0};
    if (bundle_load(state->bundle, &config, NULL)) {
        json_object_set_new(json, "rootfs", json_string(string_or_empty(config.root.path)));
        json_object_set_new(json, "created", json_string(string_or_empty(state->created)));
        json_t *annotations = json_object();
        for (size_t i = 0; i < config.annotations.count; i++)
            json_object_set_new(annotations, config.annotations.items[i].key,
                                json_string(config.annotations.items[i].value));
        json_object_set_new(json, "annotations", annotations);
    }
    record_release(&runtime_config_type, &config);
    return json;
}

int command_state(const struct runtime_options *options, const struct strlist *arguments, struct error *err)
{
    struct container_state state = {0};
    if (!state_load(options->root, arguments->items[0], &state, err))
        return -1;
    json_t *json = describe(options->root, &state);
    _cleanup_free_ char *text = json_format_indented(json);
    json_decref(json);
    record_release(&container_state_type, &state);
    printf("%s\n", text);
    return 0;
}

static void print_row(const char *root, const struct container_state *state, const struct runtime_options *options)
{
    enum container_status status = state_status(root, state);
    if (options->is_quiet)
        printf("%s\n", state->id);
    else
        printf("%-20s %-8lld %-8s %-30s %s\n", state->id, (long long)(status == STATUS_STOPPED ? 0 : state->pid),
               container_status_names[status], state->bundle, state->created);
}

int command_list(const struct runtime_options *options, const struct strlist *arguments, struct error *err)
{
    bool is_json = string_equal(options->format, "json");
    if (string_is_set(options->format) && !is_json && strcmp(options->format, "table") != 0) {
        error_set(err, ERROR_INVALID, "invalid format option: %s", options->format);
        return -1;
    }
    struct strlist ids = {0};
    DIR *folder = opendir(options->root);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            strlist_add(&ids, entry->d_name);
    if (folder)
        closedir(folder);
    strlist_sort(&ids);
    if (!is_json && !options->is_quiet)
        printf("%-20s %-8s %-8s %-30s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED");
    json_t *all = json_array();
    for (size_t i = 0; i < ids.count; i++) {
        struct container_state state = {0};
        if (!state_load(options->root, ids.items[i], &state, NULL))
            continue;
        if (is_json)
            json_array_append_new(all, describe(options->root, &state));
        else
            print_row(options->root, &state, options);
        record_release(&container_state_type, &state);
    }
    if (is_json) {
        _cleanup_free_ char *text = json_format(all);
        printf("%s\n", text);
    }
    json_decref(all);
    strlist_release(&ids);
    return 0;
}

/* "9", "KILL", "SIGKILL", "RTMIN+3"; -1 for anything else. */
static int parse_signal(const char *text)
{
    int64_t number;
    if (parse_int64(text, &number))
        return number > 0 && number < NSIG ? (int)number : -1;
    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    if (strncasecmp(text, "RTMIN", 5) == 0)
        return !text[5] ? SIGRTMIN : text[5] == '+' && parse_int64(text + 6, &number) ? SIGRTMIN + (int)number : -1;
    for (int i = 1; i < NSIG; i++)
        if (sigabbrev_np(i) && strcasecmp(sigabbrev_np(i), text) == 0)
            return i;
    return -1;
}

int command_kill(const struct runtime_options *options, const struct strlist *arguments, struct error *err)
{
    const char *name = arguments->count > 1 ? arguments->items[1] : "SIGTERM";
    int number = parse_signal(name);
    struct container_state state = {0};
    if (number < 0) {
        error_set(err, ERROR_INVALID, "unknown signal \"%s\"", name);
        return -1;
    }
    if (!state_load(options->root, arguments->items[0], &state, err))
        return -1;
    bool is_done;
    if (options->kills_all)
        is_done =
            cgroup_kill_all(state.cgroups_path, number) || error_set(err, ERROR_CONFLICT, "container not running");
    else if (state_status(options->root, &state) == STATUS_STOPPED)
        is_done = error_set(err, ERROR_CONFLICT, "container not running");
    else
        is_done = kill((pid_t)state.pid, number) == 0 || error_errno(err, "kill %s", state.id);
    record_release(&container_state_type, &state);
    return is_done ? 0 : -1;
}

#define DEATH_TRIES 500
#define PAUSE_NANO  10000000

static bool end(const char *root, const struct container_state *state, struct error *err)
{
    kill((pid_t)state->pid, SIGKILL);
    for (int i = 0; i < DEATH_TRIES; i++) {
        if (state_status(root, state) == STATUS_STOPPED)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NANO}, NULL);
    }
    return error_set(err, ERROR_INTERNAL, "container init still running");
}

int command_delete(const struct runtime_options *options, const struct strlist *arguments, struct error *err)
{
    struct container_state state = {0};
    const char *id = arguments->items[0];
    _cleanup_free_ char *directory = state_directory(options->root, id, err);
    _cleanup_error_ struct error why = ERROR_INIT;
    if (!directory)
        return -1;
    if (!state_load(options->root, id, &state, &why)) {
        /* --force is content when there is nothing, and clears what a crash left half-made. */
        if (options->is_forced)
            return tree_remove(AT_FDCWD, directory, err) ? 0 : -1;
        error_move(err, &why);
        return -1;
    }
    enum container_status status = state_status(options->root, &state);
    bool is_done = true;
    if (status == STATUS_RUNNING && !options->is_forced)
        is_done = error_set(err, ERROR_CONFLICT, "cannot delete container %s that is not stopped: %s", id,
                            container_status_names[status]);
    else if (status != STATUS_STOPPED)
        is_done = end(options->root, &state, err);
    if (is_done) {
        runtime_destroy(state.cgroups_path);
        is_done = tree_remove(AT_FDCWD, directory, err);
    }
    record_release(&container_state_type, &state);
    return is_done ? 0 : -1;
}
