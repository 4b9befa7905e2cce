#include "cli/plugin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/spawn.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "json/json_record.h"

#define METADATA_LIMIT ((size_t)1 << 20)

extern char **environ;

static const char *const prefixes[] = {"wherry-", "docker-"};

void cli_plugin_release(struct cli_plugin *plugin)
{
    free(plugin->name);
    free(plugin->path);
    free(plugin->problem);
    json_decref(plugin->metadata);
    *plugin = (struct cli_plugin){0};
}

/* docker's order: those of config.json, the user's, the system's. */
static struct strlist folders(const char *directory)
{
    static const char *const system[] = {"/usr/local/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins",
                                         "/usr/lib/docker/cli-plugins", "/usr/libexec/docker/cli-plugins"};
    struct strlist list = {0};
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(config_file_of(directory), "cliPluginsExtraDirs"), i, item)
    {
        strlist_add(&list, string_or_empty(json_string_value(item)));
    }
    strlist_addf(&list, "%s/cli-plugins", directory);
    for (i = 0; i < ARRAY_SIZE(system); i++)
        strlist_add(&list, system[i]);
    return list;
}

static bool is_good_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    return *name >= 'a' && *name <= 'z' && name[strspn(name, letters)] == '\0';
}

char *cli_plugin_own(const char *name)
{
    _cleanup_free_ char *self = string_equal(name, "compose") ? realpath("/proc/self/exe", NULL) : NULL;
    char *slash = self ? strrchr(self, '/') : NULL;
    _cleanup_free_ char *path = slash ? xasprintf("%.*s/wherry-%s", (int)(slash - self), self, name) : NULL;
    return path && access(path, X_OK) == 0 ? TAKE_PTR(path) : NULL;
}

char *cli_plugin_find(const char *directory, const char *name)
{
    if (!is_good_name(name))
        return NULL;
    _cleanup_strlist_ struct strlist list = folders(directory);
    for (size_t i = 0; i < list.count * ARRAY_SIZE(prefixes); i++) {
        _cleanup_free_ char *path =
            xasprintf("%s/%s%s", list.items[i / ARRAY_SIZE(prefixes)], prefixes[i % ARRAY_SIZE(prefixes)], name);
        struct stat info;
        if (stat(path, &info) == 0 && S_ISREG(info.st_mode))
            return TAKE_PTR(path);
    }
    return NULL;
}

static char *check_metadata(const char *name, const json_t *metadata)
{
    const char *schema = string_or_empty(json_string_value(json_object_get(metadata, "SchemaVersion")));
    if (!string_equal(schema, "0.1.0"))
        return xasprintf("plugin SchemaVersion \"%s\" is not valid, must be 0.1.0", schema);
    if (!string_is_set(json_string_value(json_object_get(metadata, "Vendor"))))
        return xstrdup("plugin metadata does not define a vendor");
    return NULL;
}

/* The program's answer to the question; false with what went wrong in Go's words. */
static bool ask(const char *path, struct strbuf *answer, char **problem)
{
    int out[2];
    _cleanup_error_ struct error err = ERROR_INIT;
    if (access(path, X_OK) < 0) {
        *problem = xasprintf("failed to fetch metadata: fork/exec %s: %s", path, errno_text(errno));
        return false;
    }
    if (pipe2(out, O_CLOEXEC) < 0) {
        *problem = xasprintf("failed to fetch metadata: pipe: %s", errno_text(errno));
        return false;
    }
    const char *argv[] = {path, "docker-cli-plugin-metadata", NULL};
    pid_t pid = spawn(&(struct spawn_options){.argv = argv, .fds = (int[]){-1, out[1], -1}, .fd_count = 3}, &err);
    close_fd(out[1]);
    char piece[4096];
    ssize_t count;
    while (pid > 0 && (count = read_full(out[0], piece, sizeof(piece))) > 0 && answer->length < METADATA_LIMIT)
        strbuf_add(answer, piece, (size_t)count);
    close_fd(out[0]);
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (pid < 0)
        *problem = xasprintf("failed to fetch metadata: fork/exec %s: %s", path, errno_text(err.errno_value));
    else
        *problem = xasprintf("failed to fetch metadata: exit status %d", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return false;
}

void cli_plugin_ask(const char *name, const char *path, struct cli_plugin *out)
{
    *out = (struct cli_plugin){.name = xstrdup(name), .path = xstrdup(path)};
    if (!is_good_name(name)) {
        out->problem = xasprintf("plugin candidate \"%s\" did not match \"^[a-z][a-z0-9]*$\"", name);
        return;
    }
    if (command_find(name)) {
        out->problem = xasprintf("plugin \"%s\" duplicates builtin command", name);
        return;
    }
    _cleanup_strbuf_ struct strbuf answer = STRBUF_INIT;
    if (!ask(path, &answer, &out->problem))
        return;
    _cleanup_error_ struct error err = ERROR_INIT;
    out->metadata = json_parse(strbuf_text(&answer), answer.length, &err);
    if (!json_is_object(out->metadata)) {
        const char *why =
            string_equal(error_message(&err), "unexpected EOF") ? "unexpected end of JSON input" : error_message(&err);
        out->problem = xasprintf("invalid metadata: %s", why);
        return;
    }
    out->problem = check_metadata(name, out->metadata);
}

static const char *plugin_name(const char *file)
{
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        if (string_starts_with(file, prefixes[i]) && file[strlen(prefixes[i])])
            return file + strlen(prefixes[i]);
    }
    return NULL;
}

static int compare_plugins(const void *left, const void *right)
{
    return strcmp(((const struct cli_plugin *)left)->name, ((const struct cli_plugin *)right)->name);
}

struct cli_plugin *cli_plugins_all(const char *directory, size_t *count)
{
    _cleanup_strlist_ struct strlist list = folders(directory), names = {0};
    struct cli_plugin *plugins = NULL;
    *count = 0;
    _cleanup_free_ char *own = cli_plugin_own("compose");
    if (own) {
        strlist_add(&names, "compose");
        struct cli_plugin *plugin = APPEND(plugins, *count);
        cli_plugin_ask("compose", own, plugin);
    }
    for (size_t i = 0; i < list.count; i++) {
        DIR *folder = opendir(list.items[i]);
        if (!folder)
            continue;
        for (const struct dirent *entry; (entry = readdir(folder));) {
            const char *name = plugin_name(entry->d_name);
            _cleanup_free_ char *path = path_join(list.items[i], entry->d_name);
            struct stat info;
            if (!name || strlist_contains(&names, name) || stat(path, &info) < 0 || !S_ISREG(info.st_mode))
                continue;
            strlist_add(&names, name);
            struct cli_plugin *plugin = APPEND(plugins, *count);
            cli_plugin_ask(name, path, plugin);
        }
        closedir(folder);
    }
    if (plugins)
        qsort(plugins, *count, sizeof(*plugins), compare_plugins);
    return plugins;
}

static struct strlist plugin_environment(const char *name)
{
    struct strlist env = {0};
    for (char **item = environ; *item; item++)
        strlist_add(&env, *item);
    _cleanup_free_ char *self = realpath("/proc/self/exe", NULL),
                        *reexec = xasprintf("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND=%s", self ? self : "wherry"),
                        *path = xasprintf("OTEL_RESOURCE_ATTRIBUTES=docker.cli.cobra.command_path=docker%%20%s", name);
    env_put(&env, reexec);
    env_put(&env, path);
    /* A plugin of docker's asks the engine that we would ask. */
    const char *host = environment_setting("HOST"), *directory = environment_setting("CONFIG");
    if (host) {
        _cleanup_free_ char *text = xasprintf("DOCKER_HOST=%s", host);
        env_put(&env, text);
    }
    if (directory) {
        _cleanup_free_ char *text = xasprintf("DOCKER_CONFIG=%s", directory);
        env_put(&env, text);
    }
    return env;
}

int cli_plugin_run(const char *path, int argc, char **argv, const char *name)
{
    _cleanup_strlist_ struct strlist words = {0}, env = plugin_environment(name);
    strlist_add(&words, path);
    for (int i = 0; i < argc; i++)
        strlist_add(&words, argv[i]);
    /* It takes our place: its signals, terminal and exit code are ours. */
    fflush(stdout);
    execve(path, words.items, env.items);
    fprintf(stderr, "fork/exec %s: %s\n", path, errno_text(errno));
    return EXIT_CODE_FAILURE;
}
