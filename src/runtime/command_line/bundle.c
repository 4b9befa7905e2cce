/* The bundle: config.json, and the example of one. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/cgroup.h"
#include "runtime/command_line/command_line.h"
#include "runtime/defaults.h"
#include "runtime/seccomp.h"
#include "json/json_record.h"

#define MAX_CONFIG_SIZE (16u << 20)

bool bundle_load(const char *bundle, struct runtime_config *config, struct error *err)
{
    _cleanup_free_ char *path = path_join(bundle, "config.json");
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, path, MAX_CONFIG_SIZE, &text, err))
        return false;
    if (!record_parse(&runtime_config_type, strbuf_text(&text), text.length, config, err))
        return error_prefix(err, "%s", path);
    if (string_is_set(config->root.path) && *config->root.path != '/') {
        char *absolute = path_join(bundle, config->root.path);
        free(config->root.path);
        config->root.path = absolute;
    }
    return true;
}

bool bundle_compile_seccomp(const struct runtime_config *config, const struct oci_process *process, struct bytes *out,
                            struct error *err)
{
    static const struct strlist none;
    if (!string_is_set(config->linux_.seccomp))
        return true;
    return seccomp_compile(config->linux_.seccomp, process->capabilities ? &process->capabilities->bounding : &none,
                           out, err);
}

static void fill_process(struct oci_process *process)
{
    process->terminal = true;
    process->no_new_privileges = true;
    strlist_add(&process->args, "sh");
    strlist_add(&process->env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    strlist_add(&process->env, "TERM=xterm");
    process->cwd = xstrdup("/");
    process->capabilities = NEW(struct oci_capabilities);
    static const char *const kept[] = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
        strlist_add(&process->capabilities->bounding, kept[i]);
        strlist_add(&process->capabilities->effective, kept[i]);
        strlist_add(&process->capabilities->permitted, kept[i]);
    }
    struct oci_rlimit *limit = record_list_add(&process->rlimits, &oci_rlimit_type);
    *limit = (struct oci_rlimit){.type = xstrdup("RLIMIT_NOFILE"), .hard = 1024, .soft = 1024};
}

int command_spec(const struct runtime_options *options, const struct strlist *arguments, struct error *err)
{
    _cleanup_free_ char *path = path_join(options->bundle ? options->bundle : ".", "config.json");
    if (access(path, F_OK) == 0) {
        error_set(err, ERROR_CONFLICT, "File config.json exists. Remove it first");
        return -1;
    }
    struct runtime_config config = {.oci_version = xstrdup(SPEC_VERSION), .hostname = xstrdup("wherry")};
    config.process = NEW(struct oci_process);
    fill_process(config.process);
    config.root.path = xstrdup("rootfs");
    config.root.readonly = true;
    defaults_mounts(&config.mounts, 64 << 20);
    defaults_masked_paths(&config.linux_.masked_paths);
    defaults_readonly_paths(&config.linux_.readonly_paths);
    defaults_namespaces(&config.linux_.namespaces, cgroup_version() == 2);
    config.linux_.resources = NEW(struct oci_resources);
    defaults_device_rules(&config.linux_.resources->devices);
    json_t *json = record_to_json(&runtime_config_type, &config);
    _cleanup_free_ char *text = json_format_indented(json), *lines = xasprintf("%s\n", text);
    json_decref(json);
    record_release(&runtime_config_type, &config);
    return file_write_text(AT_FDCWD, path, lines, 0644, err) ? 0 : -1;
}
