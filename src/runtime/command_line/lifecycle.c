/* run, create, start, exec: what makes processes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "runtime/cgroup.h"
#include "runtime/command_line/command_line.h"
#include "runtime/command_line/state.h"
#include "runtime/command_line/terminal.h"
#include "runtime/container.h"
#include "json/json_record.h"

static bool write_pid(const char *path, pid_t pid, struct error *err)
{
    _cleanup_free_ char *text = xasprintf("%d", pid);
    return !string_is_set(path) || file_replace(path, text, strlen(text), 0644, false, err);
}

/* What becomes of the terminal's master: it goes to the console socket, or stays for the foreground. */
static bool check_terminal(const struct runtime_options *options, bool has_terminal, bool is_detached,
                           struct error *err)
{
    bool has_socket = string_is_set(options->console_socket);
    if (has_terminal && is_detached && !has_socket)
        return error_set(err, ERROR_INVALID,
                         "cannot allocate tty if the runtime will detach without setting console socket");
    if (!has_terminal && has_socket)
        return error_set(err, ERROR_INVALID,
                         "cannot use console socket if the runtime will not detach or allocate tty");
    return true;
}

static bool hand_over_terminal(const struct runtime_options *options, int *console, struct error *err)
{
    if (*console < 0 || !string_is_set(options->console_socket))
        return true;
    bool is_done = console_send(options->console_socket, *console, err);
    *console = close_fd(*console);
    return is_done;
}

static bool fill_launch(const char *id, const char *bundle, const char *fifo, struct launch *launch, struct error *err)
{
    struct runtime_config *config = &launch->config;
    if (!bundle_load(bundle, config, err))
        return false;
    if (!config->process)
        return error_set(err, ERROR_INVALID, "config.json has no process");
    _cleanup_free_ char *own_path = xasprintf("/wherry-runtime-%s", id);
    if (!string_is_set(config->linux_.cgroups_path))
        string_replace(&config->linux_.cgroups_path, own_path);
    launch->sets_home = true;
    if (fifo)
        launch->start_fifo = xstrdup(fifo);
    return bundle_compile_seccomp(config, config->process, &launch->seccomp, err);
}

static bool save(const char *directory, const char *id, const char *bundle, const struct runtime_container *container,
                 struct error *err)
{
    char now[TIME_TEXT_SIZE];
    time_format(clock_now(), now);
    struct container_state state = {.oci_version = xstrdup(SPEC_VERSION),
                                    .id = xstrdup(id),
                                    .pid = container->pid,
                                    .start_time = process_start_time(container->pid),
                                    .bundle = xstrdup(bundle),
                                    .cgroups_path = xstrdup(container->cgroups_path),
                                    .created = xstrdup(now)};
    bool is_done = state_save(directory, &state, err);
    record_release(&container_state_type, &state);
    return is_done;
}

/* With a FIFO the container outlives us and waits on it. */
static bool create(const struct runtime_options *options, const char *id, bool outlives_us, const char *directory,
                   struct runtime_container *out, int *console, struct error *err)
{
    _cleanup_free_ char *bundle = realpath(options->bundle ? options->bundle : ".", NULL);
    _cleanup_free_ char *fifo = outlives_us ? state_fifo(directory) : NULL;
    struct runtime_stdio stdio = {.fds = {0, 1, 2}, .console = -1};
    struct launch launch = {0};
    if (!bundle)
        return error_errno(err, "bundle %s", options->bundle);
    bool is_done = (!fifo || mkfifo(fifo, 0600) == 0 || error_errno(err, "mkfifo %s", fifo)) &&
                   fill_launch(id, bundle, fifo, &launch, err) &&
                   check_terminal(options, launch.config.process->terminal, outlives_us, err) &&
                   runtime_create(&launch, &stdio, out, err);
    record_release(&launch_type, &launch);
    if (!is_done)
        return false;
    for (size_t i = 0; i < out->warnings.count; i++)
        fprintf(stderr, "wherry-runtime: warning: %s\n", out->warnings.items[i]);
    if (save(directory, id, bundle, out, err) && hand_over_terminal(options, &stdio.console, err) &&
        write_pid(options->pid_file, out->pid, err)) {
        *console = stdio.console;
        return true;
    }
    close_fd(stdio.console);
    kill(out->pid, SIGKILL);
    waitpid(out->pid, NULL, 0);
    runtime_destroy(out->cgroups_path);
    return false;
}

/* create, with the state's folder around it. */
static bool create_in(const struct runtime_options *options, const char *id, bool outlives_us, char **directory,
                      struct runtime_container *out, int *console, struct error *err)
{
    *directory = state_directory(options->root, id, err);
    if (!*directory || !directory_make(options->root, 0711, err))
        return false;
    if (mkdir(*directory, 0700) < 0)
        return errno == EEXIST ? error_set(err, ERROR_CONFLICT, "container with given ID already exists")
                               : error_errno(err, "mkdir %s", *directory);
    if (create(options, id, outlives_us, *directory, out, console, err))
        return true;
    tree_remove(AT_FDCWD, *directory, NULL);
    return false;
}

int command_create(const struct runtime_options *options, const struct strlist *arguments, struct error *err)
{
    _cleanup_free_ char *directory = NULL;
    _cleanup_(runtime_container_release) struct runtime_container container = RUNTIME_CONTAINER_INIT;
    int console = -1;
    return create_in(options, arguments->items[0], true, &directory, &container, &console, err) ? 0 : -1;
}

static bool let_go(const char *root, const char *id, struct error *err)
{
    _cleanup_free_ char *directory = state_directory(root, id, err);
    if (!directory)
        return false;
    _cleanup_free_ char *fifo = state_fifo(directory);
    /* Fails when nobody waits on the other side. */
    _cleanup_close_ int fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || write(fd, "", 1) != 1)
        return error_errno(err, "start container %s", id);
    unlink(fifo);
    return true;
}

int command_start(const struct runtime_options *options, const struct strlist *arguments, struct error *err)
{
    struct container_state state = {0};
    if (!state_load(options->root, arguments->items[0], &state, err))
        return -1;
    enum container_status status = state_status(options->root, &state);
    record_release(&container_state_type, &state);
    if (status != STATUS_CREATED) {
        error_set(err, ERROR_CONFLICT, "cannot start a container that %s",
                  status == STATUS_RUNNING ? "is already running" : "has stopped");
        return -1;
    }
    return let_go(options->root, arguments->items[0], err) ? 0 : -1;
}

int command_run(const struct runtime_options *options, const struct strlist *arguments, struct error *err)
{
    const char *id = arguments->items[0];
    _cleanup_free_ char *directory = NULL;
    _cleanup_(runtime_container_release) struct runtime_container container = RUNTIME_CONTAINER_INIT;
    int console = -1, code = -1;
    if (!options->is_detached)
        foreground_begin();
    if (!create_in(options, id, options->is_detached, &directory, &container, &console, err))
        return -1;
    if (options->is_detached)
        return let_go(options->root, id, err) ? 0 : -1;
    if (runtime_start(&container, err)) {
        code = foreground_wait(container.pid, console);
    } else {
        kill(container.pid, SIGKILL);
        waitpid(container.pid, NULL, 0);
    }
    runtime_destroy(container.cgroups_path);
    tree_remove(AT_FDCWD, directory, NULL);
    return code;
}

static bool load_process(const char *path, struct oci_process *process, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    return file_read(AT_FDCWD, path, 1 << 20, &text, err) &&
           record_parse(&oci_process_type, strbuf_text(&text), text.length, process, err);
}

/* The config's process with another command, and what the options change. */
static bool fill_exec(const struct runtime_options *options, const struct strlist *arguments,
                      const struct runtime_config *config, struct launch_exec *exec, struct error *err)
{
    struct oci_process *process = &exec->process;
    exec->sets_home = true;
    if (string_is_set(options->process_file))
        return load_process(options->process_file, process, err);
    if (arguments->count < 2)
        return error_set(err, ERROR_INVALID, "process args cannot be empty");
    record_copy(&oci_process_type, process, config->process);
    strlist_release(&process->args);
    for (size_t i = 1; i < arguments->count; i++)
        strlist_add(&process->args, arguments->items[i]);
    process->terminal = options->wants_tty;
    if (string_is_set(options->cwd))
        string_replace(&process->cwd, options->cwd);
    if (string_is_set(options->user))
        exec->user.user = xstrdup(options->user);
    for (size_t i = 0; i < options->env.count; i++)
        env_put(&process->env, options->env.items[i]);
    if (options->capabilities.count && !process->capabilities)
        process->capabilities = NEW(struct oci_capabilities);
    for (size_t i = 0; i < options->capabilities.count; i++) {
        strlist_add(&process->capabilities->bounding, options->capabilities.items[i]);
        strlist_add(&process->capabilities->permitted, options->capabilities.items[i]);
        strlist_add(&process->capabilities->effective, options->capabilities.items[i]);
    }
    return true;
}

static int run_exec(const struct runtime_options *options, const struct container_state *state,
                    const struct launch_exec *exec, struct error *err)
{
    struct runtime_stdio stdio = {.fds = {0, 1, 2}, .console = -1};
    pid_t pid;
    if (!check_terminal(options, exec->process.terminal, options->is_detached, err))
        return -1;
    if (!options->is_detached)
        foreground_begin();
    if (!runtime_exec((pid_t)state->pid, exec, &stdio, &pid, err))
        return -1;
    if (!hand_over_terminal(options, &stdio.console, err) || !write_pid(options->pid_file, pid, err)) {
        close_fd(stdio.console);
        kill(pid, SIGKILL);
        return -1;
    }
    return options->is_detached ? 0 : foreground_wait(pid, stdio.console);
}

int command_exec(const struct runtime_options *options, const struct strlist *arguments, struct error *err)
{
    struct container_state state = {0};
    struct runtime_config config = {0};
    struct launch_exec exec = {0};
    int code = -1;
    if (!state_load(options->root, arguments->items[0], &state, err))
        return -1;
    if (state_status(options->root, &state) == STATUS_STOPPED)
        error_set(err, ERROR_CONFLICT, "cannot exec in a stopped container");
    else if (bundle_load(state.bundle, &config, err) && fill_exec(options, arguments, &config, &exec, err) &&
             bundle_compile_seccomp(&config, &exec.process, &exec.seccomp, err)) {
        exec.cgroups_path = xstrdup(state.cgroups_path);
        code = run_exec(options, &state, &exec, err);
    }
    record_release(&launch_exec_type, &exec);
    record_release(&runtime_config_type, &config);
    record_release(&container_state_type, &state);
    return code;
}
