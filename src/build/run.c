#include "build/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/container.h"
#include "engine/security.h"
#include "engine/spec.h"
#include "engine/start_error.h"
#include "network/network.h"
#include "runtime/cgroup.h"
#include "runtime/defaults.h"
#include "shim/client.h"
#include "store/scratch.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define FRAME_HEADER 8
#define READ_SIZE    ((size_t)64 << 10)

struct step {
    const struct run_request *request;
    struct store *store;
    const char *id;
    char *folder; /* <data-root>/containers/<id> */
    char *run;    /* <exec-root>/<id> */
    struct launch launch;
    struct endpoint_settings endpoint;
    bool has_joined, wants_dns;
    struct strlist lent; /* scratch folders of mounts */
    /* The stream of the process's output, cut into frames. */
    unsigned char header[FRAME_HEADER];
    size_t header_length, payload_left;
};

char *cache_mount_path(struct engine *engine, const char *id)
{
    _cleanup_key_ struct key *key = key_new();
    key_add(key, id);
    _cleanup_free_ char *digest = key_finish(key);
    return xasprintf("%s/cache-mounts/%s", engine_options(engine)->data_root, strchr(digest, ':') + 1);
}

/* --- the network --- */

static void remove_namespace(struct record_list *list, const char *type, const char *path)
{
    for (size_t i = 0; i < list->count; i++) {
        struct oci_namespace *namespace = RECORD_AT(*list, struct oci_namespace, i);
        if (!string_equal(namespace->type, type))
            continue;
        if (path)
            string_replace(&namespace->path, path);
        else
            record_list_remove(list, &oci_namespace_type, i);
        return;
    }
}

static bool share_network(struct step *step, const char *reference, struct error *err)
{
    _cleanup_container_ struct container *other = container_find(step->request->engine, reference, err);
    if (!other)
        return false;
    container_lock(other);
    int64_t pid = status_has_process(other->status) ? other->record.pid : 0;
    container_unlock(other);
    if (pid <= 0)
        return error_set(err, ERROR_CONFLICT, "cannot join network of a non running container: %s", other->record.id);
    _cleanup_free_ char *path = xasprintf("/proc/%lld/ns/net", (long long)pid);
    remove_namespace(&step->launch.config.linux_.namespaces, "network", path);
    return true;
}

static bool join_network(struct step *step, struct error *err)
{
    const char *mode = string_or_empty(step->request->network);
    struct network_manager *manager = engine_network(step->request->engine);
    struct record_list *namespaces = &step->launch.config.linux_.namespaces;
    if (string_equal(mode, "host")) {
        remove_namespace(namespaces, "network", NULL);
        return true;
    }
    if (string_starts_with(mode, "container:"))
        return share_network(step, mode + strlen("container:"), err);
    strmap_set(&step->launch.config.linux_.sysctl, "net.ipv4.ip_unprivileged_port_start", "0");
    strmap_set(&step->launch.config.linux_.sysctl, "net.ipv4.ping_group_range", "0 2147483647");
    if (strcmp(mode, "none") == 0)
        return true;
    const char *name = !*mode || strcmp(mode, "default") == 0 ? "bridge" : mode;
    struct launch_interface interface = {0};
    const struct endpoint_settings asked = {0};
    if (!network_join(manager, name, step->id, &asked, &interface, &step->endpoint, err))
        return false;
    step->has_joined = true;
    step->wants_dns = network_is_user_defined(manager, name);
    if (interface.parent) {
        struct launch_interface *place = record_list_add(&step->launch.interfaces, &launch_interface_type);
        *place = interface;
        if (!place->has_own_name) {
            _cleanup_free_ char *prefix = place->name;
            place->name = xasprintf("%s0", prefix);
        }
        place->gateway = string_is_set(step->endpoint.gateway) ? xstrdup(step->endpoint.gateway) : NULL;
        place->gateway6 = string_is_set(step->endpoint.ipv6_gateway) ? xstrdup(step->endpoint.ipv6_gateway) : NULL;
        step->launch.wants_resolver = step->wants_dns;
    } else {
        record_release(&launch_interface_type, &interface);
    }
    return true;
}

/* --- mounts --- */

static struct oci_mount *add_bind(struct step *step, const char *destination, const char *root, const char *source,
                                  bool is_read_only)
{
    struct oci_mount *mount = record_list_add(&step->launch.config.mounts, &oci_mount_type);
    mount->destination = xstrdup(destination);
    mount->type = xstrdup("bind");
    mount->source_root = xstrdup(root);
    mount->source = xstrdup(source);
    mount->options = strlist_split(is_read_only ? "rbind,rprivate,ro" : "rbind,rprivate", ',');
    return mount;
}

static bool write_file(struct step *step, const char *folder, const char *name, const char *text, mode_t mode,
                       uid_t uid, gid_t gid, struct error *err)
{
    _cleanup_free_ char *path = path_join(folder, name);
    return file_write_text(AT_FDCWD, path, text, mode, err) &&
           ((chmod(path, mode) == 0 && chown(path, uid, gid) == 0) || error_errno(err, "set the mode of %s", path));
}

static bool add_etc(struct step *step, struct error *err)
{
    static const char *const names[] = {"hosts", "resolv.conf", "hostname"};
    const struct host_config *host = step->request->host;
    bool is_host = string_equal(step->request->network, "host");
    _cleanup_strlist_ struct strlist addresses = {0};
    if (string_is_set(step->endpoint.ip_address))
        strlist_add(&addresses, step->endpoint.ip_address);
    _cleanup_free_ char *hosts =
        network_hosts_file(step->launch.config.hostname, NULL, &addresses, &host->extra_hosts, step->endpoint.gateway);
    _cleanup_free_ char *resolv = step->wants_dns
                                      ? network_internal_resolv_conf(&host->dns, &host->dns_search, &host->dns_options)
                                      : network_resolv_conf(is_host, &host->dns, &host->dns_search, &host->dns_options);
    _cleanup_free_ char *hostname = xasprintf("%s\n", step->launch.config.hostname);
    const char *const texts[] = {hosts, resolv, hostname};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_free_ char *destination = xasprintf("/etc/%s", names[i]);
        if (!write_file(step, step->folder, names[i], texts[i], 0644, 0, 0, err))
            return false;
        add_bind(step, destination, step->folder, names[i], false);
    }
    return true;
}

/* A part of a tree as one folder of the host, read or written: what several layers have of it is brought together. */
static bool lend_tree(struct step *step, const struct run_mount *mount, char **root, char **source, struct error *err)
{
    _cleanup_node_ struct node node = {0};
    const struct snapshot *snapshot = mount->tree->snapshot;
    if (!snapshot_find(snapshot, mount->source, true, &node, NULL))
        return error_set(err, ERROR_NOT_FOUND, "failed to compute cache key: \"/%s\": not found",
                         mount->source + strspn(mount->source, "/"));
    bool is_whole = node.layer_count == 1 && !mount->tree->ignore;
    if (mount->is_read_only && is_whole) {
        *root = xstrdup(snapshot->folders[node.layers[0]]);
        *source = xasprintf("/%s", node.path);
        return true;
    }
    char *name = scratch_make(step->store, "mount", err);
    if (!name)
        return false;
    strlist_take(&step->lent, name);
    _cleanup_free_ char *path = scratch_path(step->store, name);
    _cleanup_close_ int upper = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_copy_plan_ struct copy_plan plan = {0};
    struct copy_source tree = *mount->tree;
    tree.is_linkable = mount->is_read_only;
    const struct copy_options options = {0};
    const struct copy_write write = {.upper = upper, .destination = S_ISDIR(node.status.st_mode) ? "/all" : "/all"};
    if (!copy_plan_add(&plan, &tree, mount->source, &options, err) || !copy_plan_write(&plan, &write, err))
        return false;
    *root = TAKE_PTR(path);
    *source = xstrdup("/all");
    return true;
}

static bool make_cache(struct step *step, const struct run_mount *mount, const char *path, struct error *err)
{
    if (access(path, F_OK) == 0)
        return true;
    _cleanup_free_ char *temporary = scratch_make(step->store, "cache", err);
    _cleanup_free_ char *folder = temporary ? scratch_path(step->store, temporary) : NULL;
    _cleanup_free_ char *parent = xstrndup(path, (size_t)(path_base(path) - path));
    if (!folder || !directory_make(parent, 0700, err))
        return false;
    bool is_done = true;
    if (mount->tree) {
        _cleanup_close_ int upper = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_copy_plan_ struct copy_plan plan = {0};
        const struct copy_options options = {0};
        const struct copy_write write = {.upper = upper, .destination = "/"};
        struct copy_source tree = *mount->tree;
        tree.is_linkable = false;
        is_done = copy_plan_add(&plan, &tree, mount->source, &options, err) && copy_plan_write(&plan, &write, err);
    }
    if (is_done &&
        (chown(folder, mount->uid, mount->gid) < 0 || chmod(folder, mount->has_mode ? mount->mode : 0755) < 0))
        is_done = error_errno(err, "set the mode of %s", folder);
    /* Another step may have made it meanwhile: then it is that one. */
    if (is_done && rename(folder, path) < 0 && errno != EEXIST && errno != ENOTEMPTY)
        is_done = error_errno(err, "rename %s", folder);
    scratch_remove(step->store, temporary);
    return is_done;
}

static bool add_cache(struct step *step, const struct run_mount *mount, struct error *err)
{
    _cleanup_free_ char *path = cache_mount_path(step->request->engine, mount->id);
    if (!make_cache(step, mount, path, err))
        return false;
    const char *base = path_base(path);
    _cleanup_free_ char *parent = xstrndup(path, (size_t)(base - path));
    add_bind(step, mount->target, parent, base, mount->is_read_only);
    return true;
}

static bool add_secret(struct step *step, const struct run_mount *mount, size_t number, struct error *err)
{
    if (!mount->value)
        return !mount->is_required || error_set(err, ERROR_NOT_FOUND, "secret %s: not found", mount->id);
    if (mount->env)
        strlist_addf(&step->launch.config.process->env, "%s=%s", mount->env, mount->value);
    if (!mount->target)
        return true;
    _cleanup_free_ char *name = xasprintf("secret-%zu", number);
    if (!directory_make(step->run, 0700, err) ||
        !write_file(step, step->run, name, mount->value, mount->has_mode ? mount->mode : 0400, mount->uid, mount->gid,
                    err))
        return false;
    add_bind(step, mount->target, step->run, name, true);
    return true;
}

static void add_tmpfs(struct step *step, const struct run_mount *mount)
{
    struct oci_mount *made = record_list_add(&step->launch.config.mounts, &oci_mount_type);
    made->destination = xstrdup(mount->target);
    made->type = xstrdup("tmpfs");
    made->source = xstrdup("tmpfs");
    made->options = strlist_split("nosuid,noexec,nodev", ',');
    if (mount->size)
        strlist_addf(&made->options, "size=%lld", (long long)mount->size);
}

static bool add_mount(struct step *step, const struct run_mount *mount, size_t number, struct error *err)
{
    _cleanup_free_ char *root = NULL, *source = NULL;
    switch (mount->type) {
    case RUN_MOUNT_CACHE:
        return add_cache(step, mount, err);
    case RUN_MOUNT_SECRET:
        return add_secret(step, mount, number, err);
    case RUN_MOUNT_TMPFS:
        add_tmpfs(step, mount);
        return true;
    default:
        if (!lend_tree(step, mount, &root, &source, err))
            return false;
        add_bind(step, mount->target, root, source, mount->is_read_only);
        return true;
    }
}

static bool add_script(struct step *step, struct error *err)
{
    if (!step->request->script)
        return true;
    _cleanup_free_ char *folder = path_join(step->folder, "pipes");
    return directory_make(folder, 0755, err) &&
           write_file(step, folder, step->request->script_name, step->request->script, 0755, 0, 0, err) &&
           add_bind(step, "/dev/pipes", step->folder, "pipes", true);
}

static bool add_mounts(struct step *step, struct error *err)
{
    defaults_mounts(&step->launch.config.mounts, step->request->host->shm_size);
    if (!add_etc(step, err) || !add_script(step, err))
        return false;
    for (size_t i = 0; i < step->request->mount_count; i++)
        if (!add_mount(step, &step->request->mounts[i], i, err))
            return false;
    return true;
}

/* What the runtime makes in the root of every container. */
static bool make_marks(int root, struct error *err)
{
    _cleanup_close_ int mark = openat(root, ".dockerenv", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    _cleanup_close_ int etc = make_directories_in_root(root, "/etc", 0755);
    if (mark < 0 || fchmod(mark, 0755) < 0 || etc < 0 || symlinkat("/proc/mounts", etc, "mtab") < 0)
        return error_errno(err, "make the places of mounts");
    return true;
}

/* The places of mounts that the layers lack are in a folder below all of them, so that none is made in the upper one.
 */
static bool make_places(struct step *step, struct error *err)
{
    static const char *const inside[] = {"/dev/", "/proc/", "/sys/"};
    _cleanup_free_ char *path = path_join(step->folder, "places");
    if (!directory_make(path, 0755, err))
        return false;
    _cleanup_close_ int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return error_errno(err, "open %s", path);
    if (!make_marks(root, err))
        return false;
    const struct record_list *mounts = &step->launch.config.mounts;
    for (size_t i = 0; i < mounts->count; i++) {
        const struct oci_mount *mount = RECORD_AT(*mounts, struct oci_mount, i);
        bool is_inside = false;
        for (size_t j = 0; j < ARRAY_SIZE(inside); j++)
            is_inside |= string_starts_with(mount->destination, inside[j]);
        _cleanup_node_ struct node node = {0};
        _cleanup_free_ char *missing = NULL;
        if (is_inside || !snapshot_find(step->request->base, mount->destination, true, &node, &missing) || !missing)
            continue;
        struct stat status = {.st_mode = S_IFDIR};
        if (mount->source_root) {
            _cleanup_close_ int folder = open(mount->source_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
            _cleanup_close_ int source = folder < 0 ? -1 : open_in_root(folder, mount->source, O_PATH, 0);
            if (source < 0 || fstat(source, &status) < 0)
                return error_errno(err, "stat %s", mount->source);
        }
        _cleanup_free_ char *place = xasprintf("%s/%s", node.path, missing);
        _cleanup_free_ char *parent =
            S_ISDIR(status.st_mode) ? xstrdup(place) : xstrndup(place, (size_t)(path_base(place) - place));
        _cleanup_close_ int folder = make_directories_in_root(root, *parent ? parent : "/", 0755);
        if (folder < 0)
            return error_errno(err, "mkdir %s", parent);
        _cleanup_close_ int file =
            S_ISDIR(status.st_mode) ? -1 : openat(folder, path_base(place), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    }
    strlist_take(&step->launch.overlay.lower, TAKE_PTR(path));
    return true;
}

/* --- the launch --- */

static bool add_process(struct step *step, struct error *err)
{
    const struct run_request *request = step->request;
    struct oci_process *process = step->launch.config.process = NEW(struct oci_process);
    const struct record_list *ulimits = &request->host->ulimits;
    if (!ulimits->count && engine_options(request->engine)->default_ulimits)
        ulimits = engine_options(request->engine)->default_ulimits;
    strlist_copy(&process->args, &request->argv);
    process->cwd = xstrdup(string_is_set(request->cwd) ? request->cwd : "/");
    process->oom_score_adj = (struct opt_int64){.is_set = true};
    strlist_add(&process->env, DEFAULT_PATH);
    strlist_addf(&process->env, "HOSTNAME=%s", step->launch.config.hostname);
    for (size_t i = 0; i < request->env.count; i++)
        env_put(&process->env, request->env.items[i]);
    step->launch.user.user = xstrdup(string_or_empty(request->user));
    step->launch.sets_home = true;
    step->launch.wants_cwd_made = true;
    for (size_t i = 0; i < ulimits->count; i++) {
        const struct ulimit *limit = RECORD_AT(*ulimits, struct ulimit, i);
        struct oci_rlimit *made = record_list_add(&process->rlimits, &oci_rlimit_type);
        made->type = xasprintf("RLIMIT_%s", string_or_empty(limit->name));
        for (char *c = made->type; *c; c++)
            *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
        made->hard = (uint64_t)limit->hard;
        made->soft = (uint64_t)limit->soft;
    }
    struct oci_capabilities *capabilities = process->capabilities = NEW(struct oci_capabilities);
    security_capabilities(request->host, &capabilities->bounding);
    strlist_copy(&capabilities->effective, &capabilities->bounding);
    strlist_copy(&capabilities->permitted, &capabilities->bounding);
    return spec_seccomp(request->host, engine_options(request->engine)->seccomp_profile, &capabilities->bounding,
                        &step->launch.seccomp, err);
}

static char *cgroup_path(const struct step *step)
{
    const char *parent = step->request->host->cgroup_parent;
    if (!string_is_set(parent))
        parent = engine_options(step->request->engine)->cgroup_parent;
    _cleanup_free_ char *joined = xasprintf("/%s/%s", string_is_set(parent) ? parent : "wherry", step->id);
    return path_clean(joined);
}

static bool build_launch(struct step *step, struct error *err)
{
    const struct run_request *request = step->request;
    struct runtime_config *config = &step->launch.config;
    config->oci_version = xstrdup("1.2.0");
    config->hostname = xstrndup(step->id, ID_SHORT_LENGTH);
    config->linux_.cgroups_path = cgroup_path(step);
    config->linux_.resources = NEW(struct oci_resources);
    spec_resources(request->host, config->linux_.resources);
    defaults_namespaces(&config->linux_.namespaces, cgroup_version() != 1);
    defaults_masked_paths(&config->linux_.masked_paths);
    defaults_readonly_paths(&config->linux_.readonly_paths);
    step->launch.overlay.upper = path_join(step->folder, "upper");
    step->launch.overlay.work = path_join(step->folder, "work");
    step->launch.overlay.is_volatile = true;
    strlist_copy(&step->launch.overlay.lower, request->layers);
    return add_process(step, err) && spec_add_devices(request->host, &config->linux_, err) && join_network(step, err) &&
           add_mounts(step, err) && make_places(step, err);
}

/* --- its output and its end --- */

static void take_output(struct step *step, const unsigned char *data, size_t length)
{
    while (length) {
        if (!step->payload_left) {
            step->header[step->header_length++] = *data++;
            length--;
            if (step->header_length == FRAME_HEADER) {
                const unsigned char *h = step->header;
                step->payload_left = (size_t)h[4] << 24 | (size_t)h[5] << 16 | (size_t)h[6] << 8 | h[7];
                step->header_length = 0;
            }
            continue;
        }
        size_t piece = MIN(length, step->payload_left);
        step->request->output(step->request->context, step->header[0], data, piece);
        step->payload_left -= piece;
        data += piece;
        length -= piece;
    }
}

/* False at the end of the stream. */
static bool read_output(struct step *step, int fd, unsigned char *buffer)
{
    ssize_t n = read(fd, buffer, READ_SIZE);
    if (n > 0)
        take_output(step, buffer, (size_t)n);
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* To the end of the process and of its output; a step that is cancelled is killed first. */
static bool follow(struct step *step, int stream, int watch, struct shim_exit *exit)
{
    _cleanup_free_ unsigned char *buffer = xmalloc(READ_SIZE);
    bool has_output = true, has_process = true, is_cancelled = false;
    while (has_output || has_process) {
        struct pollfd polled[] = {
            {.fd = has_output ? stream : -1, .events = POLLIN},
            {.fd = has_process ? watch : -1, .events = POLLIN},
            {.fd = is_cancelled ? -1 : step->request->cancel, .events = POLLIN},
        };
        if (poll(polled, ARRAY_SIZE(polled), -1) < 0)
            continue;
        if (polled[0].revents)
            has_output = read_output(step, stream, buffer);
        if (polled[1].revents) {
            shim_read_exit(watch, step->run, exit);
            has_process = false;
        }
        if (polled[2].revents) {
            is_cancelled = true;
            shim_kill(step->run, SIGKILL, true, NULL);
        }
    }
    return !is_cancelled;
}

static void serve_dns(struct step *step)
{
    int sockets[2] = {-1, -1};
    if (step->wants_dns && shim_resolver(step->run, sockets, NULL) && sockets[0] >= 0)
        network_serve_dns(engine_network(step->request->engine), step->id, sockets, &step->request->host->dns,
                          &step->request->host->dns_options);
}

static bool launch(struct step *step, struct shim_exit *exit, struct error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return error_errno(err, "socketpair");
    _cleanup_close_ int stream = ends[0], watch = -1;
    shutdown(stream, SHUT_WR);
    struct shim_options options = {
        .id = (char *)(uintptr_t)step->id, .directory = step->run, .log = {.format = SHIM_LOG_NONE}};
    struct shim_attachment attachment = {.fd = ends[1], .wants_stdout = true, .wants_stderr = true, .is_framed = true};
    _cleanup_strlist_ struct strlist warnings = {0};
    pid_t pid;
    struct error why = ERROR_INIT;
    bool is_started = shim_launch(engine_options(step->request->engine)->shim_program, &options, &step->launch,
                                  &attachment, 1, &pid, &watch, &warnings, &why);
    for (size_t i = 0; i < warnings.count; i++)
        log_warning("build step %s: %s", step->id, warnings.items[i]);
    bool is_done = false;
    if (is_started) {
        serve_dns(step);
        is_done = follow(step, stream, watch, exit) || error_set(err, ERROR_CANCELLED, "context canceled");
    } else {
        start_error_translate(&why);
        error_move(err, &why);
    }
    shim_forget(step->run);
    return is_done;
}

static void release(struct step *step)
{
    if (step->has_joined)
        network_leave(engine_network(step->request->engine), step->id, NULL);
    record_release(&launch_type, &step->launch);
    record_release(&endpoint_settings_type, &step->endpoint);
    for (size_t i = 0; i < step->lent.count; i++)
        scratch_remove(step->store, step->lent.items[i]);
    strlist_release(&step->lent);
    tree_remove(AT_FDCWD, step->run, NULL);
    container_layer_remove(step->store, step->id, NULL);
    free(step->folder);
    free(step->run);
}

bool run_step(const struct run_request *request, int *exit_code, struct layer_info *layer, struct error *err)
{
    const struct engine_options *options = engine_options(request->engine);
    struct step step = {.request = request, .store = engine_store(request->engine)};
    struct shim_exit exit = {0};
    step.id = request->id;
    _cleanup_free_ char *containers = path_join(options->data_root, "containers");
    step.folder = path_join(containers, step.id);
    step.run = path_join(options->exec_root, step.id);
    bool is_done =
        container_layer_create(step.store, step.id, err) && build_launch(&step, err) && launch(&step, &exit, err);
    if (is_done && exit.exit_code == 0) {
        _cleanup_free_ char *upper = path_join(step.folder, "upper");
        is_done = request->adopt(request->context, upper, layer, err);
    }
    if (is_done)
        *exit_code = exit.exit_code;
    release(&step);
    return is_done;
}
