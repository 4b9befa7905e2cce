#include "cli/complete_values.h"

#include <string.h>

#include "base/memory.h"
#include "cli/context_store.h"
#include "cli/endpoint.h"
#include "json/json_record.h"

enum source {
    SOURCE_CONTAINERS,
    SOURCE_RUNNING,
    SOURCE_STOPPED,
    SOURCE_IMAGES,
    SOURCE_NETWORKS,
    SOURCE_VOLUMES,
    SOURCE_CONTEXTS
};

/* The commands whose arguments are names; limit 0: any number. */
static const struct {
    const char *path;
    enum source source;
    size_t limit;
} arguments[] = {
    {"container attach", SOURCE_RUNNING, 1},
    {"container commit", SOURCE_CONTAINERS, 1},
    {"container create", SOURCE_IMAGES, 1},
    {"container diff", SOURCE_CONTAINERS, 1},
    {"container exec", SOURCE_RUNNING, 1},
    {"container export", SOURCE_CONTAINERS, 1},
    {"container inspect", SOURCE_CONTAINERS, 0},
    {"container kill", SOURCE_RUNNING, 0},
    {"container logs", SOURCE_CONTAINERS, 1},
    {"container pause", SOURCE_RUNNING, 0},
    {"container port", SOURCE_RUNNING, 1},
    {"container rename", SOURCE_CONTAINERS, 1},
    {"container restart", SOURCE_CONTAINERS, 0},
    {"container rm", SOURCE_CONTAINERS, 0},
    {"container run", SOURCE_IMAGES, 1},
    {"container start", SOURCE_STOPPED, 0},
    {"container stats", SOURCE_RUNNING, 0},
    {"container stop", SOURCE_RUNNING, 0},
    {"container top", SOURCE_RUNNING, 1},
    {"container unpause", SOURCE_RUNNING, 0},
    {"container update", SOURCE_CONTAINERS, 0},
    {"container wait", SOURCE_RUNNING, 0},
    {"inspect", SOURCE_CONTAINERS, 0},
    {"image history", SOURCE_IMAGES, 1},
    {"image inspect", SOURCE_IMAGES, 0},
    {"image push", SOURCE_IMAGES, 1},
    {"image rm", SOURCE_IMAGES, 0},
    {"image save", SOURCE_IMAGES, 0},
    {"image tag", SOURCE_IMAGES, 2},
    {"network connect", SOURCE_NETWORKS, 1},
    {"network disconnect", SOURCE_NETWORKS, 1},
    {"network inspect", SOURCE_NETWORKS, 0},
    {"network rm", SOURCE_NETWORKS, 0},
    {"volume inspect", SOURCE_VOLUMES, 0},
    {"volume rm", SOURCE_VOLUMES, 0},
    {"context export", SOURCE_CONTEXTS, 1},
    {"context inspect", SOURCE_CONTEXTS, 0},
    {"context rm", SOURCE_CONTEXTS, 0},
    {"context update", SOURCE_CONTEXTS, 1},
    {"context use", SOURCE_CONTEXTS, 1},
};

/* The flags with a known set of values, separated by spaces. */
static const struct {
    const char *flag, *values;
    int directive;
} flags[] = {
    {"attach", "stderr stdin stdout", COMPLETE_NO_FILES},
    {"cap-add",
     "ALL CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID "
     "CAP_SETPCAP CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW "
     "CAP_IPC_LOCK CAP_IPC_OWNER CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT "
     "CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD "
     "CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG "
     "CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE",
     COMPLETE_NO_FILES},
    {"cgroupns", "host private", COMPLETE_NO_FILES},
    {"ipc", "container: host none private shareable", COMPLETE_NO_FILES},
    {"log-driver", "fluentd gelf journald json-file local none syslog", COMPLETE_NO_FILES},
    {"log-level", "debug info warn error fatal panic", COMPLETE_NO_FILES},
    {"pid", "container: host", COMPLETE_NO_FILES},
    {"platform",
     "linux/386 linux/amd64 linux/arm linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm64 linux/arm64/v8 "
     "linux/ppc64le linux/riscv64 linux/s390x",
     COMPLETE_NO_FILES},
    {"progress", "auto plain quiet rawjson tty", COMPLETE_NO_FILES},
    {"pull", "always missing never", COMPLETE_NO_FILES},
    {"restart", "no always on-failure unless-stopped", COMPLETE_NO_FILES},
    {"security-opt", "apparmor= label= no-new-privileges seccomp= systempaths=unconfined", COMPLETE_NO_FILES},
    {"signal",
     "ABRT ALRM BUS CHLD CONT FPE HUP ILL INT IO KILL PIPE PROF PWR QUIT SEGV STOP SYS TERM TRAP TSTP TTIN "
     "TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ",
     COMPLETE_NO_FILES},
    {"storage-opt", "size=", COMPLETE_NO_SPACE},
    {"type", "container image network volume", COMPLETE_NO_FILES},
    {"ulimit",
     "as= core= cpu= data= fsize= locks= memlock= msgqueue= nice= nofile= nproc= rss= rtprio= rttime= "
     "sigpending= stack=",
     COMPLETE_NO_SPACE},
    {"userns", "host", COMPLETE_NO_FILES},
    {"uts", "host", COMPLETE_NO_FILES},
};

static void split(const char *words, struct strlist *values)
{
    _cleanup_strlist_ struct strlist parts = strlist_split(words, ' ');
    for (size_t i = 0; i < parts.count; i++)
        strlist_add(values, parts.items[i]);
}

/* Adds the strings of `key`, which is a string or a list of strings, of every object of the answer. */
static void add_members(const json_t *answer, const char *key, struct strlist *values)
{
    size_t i, j;
    json_t *object, *item;
    json_array_foreach((json_t *)(uintptr_t)answer, i, object)
    {
        json_t *member = json_object_get(object, key);
        const char *text = json_string_value(member);
        if (text)
            strlist_add(values, text);
        json_array_foreach(member, j, item)
        {
            const char *name = string_or_empty(json_string_value(item));
            if (*name && !string_equal(name, "<none>:<none>"))
                strlist_add(values, *name == '/' ? name + 1 : name);
        }
    }
}

static void list(const struct complete_request *request, enum source source, struct strlist *values)
{
    static const struct {
        const char *path, *key;
    } questions[] = {
        [SOURCE_CONTAINERS] = {"/containers/json?all=1", "Names"},
        [SOURCE_RUNNING] = {"/containers/json", "Names"},
        [SOURCE_STOPPED] = {"/containers/json?all=1&filters=%7B%22status%22%3A%5B%22created%22%2C%22exited%22%5D%7D",
                            "Names"},
        [SOURCE_IMAGES] = {"/images/json", "RepoTags"},
        [SOURCE_NETWORKS] = {"/networks", "Name"},
        [SOURCE_VOLUMES] = {"/volumes", "Name"},
    };
    if (source == SOURCE_CONTEXTS) {
        struct strlist names = context_names(request->directory);
        for (size_t i = 0; i < names.count; i++)
            strlist_add(values, names.items[i]);
        strlist_release(&names);
        strlist_add(values, CONTEXT_DEFAULT);
        return;
    }
    _cleanup_(client_freep) struct client *client = endpoint_client(request->globals, request->directory, NULL);
    _cleanup_json_ json_t *answer = client ? client_get_json(client, questions[source].path, NULL) : NULL;
    add_members(source == SOURCE_VOLUMES ? json_object_get(answer, "Volumes") : answer, questions[source].key, values);
}

int complete_arguments(const struct complete_request *request, struct strlist *values)
{
    for (size_t i = 0; i < ARRAY_SIZE(arguments); i++) {
        if (!string_equal(request->command->paths[0], arguments[i].path))
            continue;
        if (arguments[i].limit == 0 || request->argument_count < arguments[i].limit)
            list(request, arguments[i].source, values);
        return COMPLETE_NO_FILES;
    }
    if (string_equal(request->command->paths[0], "image build"))
        return COMPLETE_FOLDERS;
    bool takes_files = request->command->max_arguments != 0;
    return takes_files ? COMPLETE_DEFAULT : COMPLETE_NO_FILES;
}

extern char **environ;

int complete_flag_values(const struct complete_request *request, const char *flag, struct strlist *values)
{
    if (string_equal(flag, "network") || string_equal(flag, "net"))
        list(request, SOURCE_NETWORKS, values);
    else if (string_equal(flag, "volumes-from"))
        list(request, SOURCE_CONTAINERS, values);
    else if (string_equal(flag, "context") || string_equal(flag, "from"))
        list(request, SOURCE_CONTEXTS, values);
    else if (string_equal(flag, "env"))
        for (char **item = environ; *item; item++)
            strlist_take(values, xstrndup(*item, strcspn(*item, "=")));
    else if (string_equal(flag, "cap-drop") || string_equal(flag, "stop-signal"))
        return complete_flag_values(request, string_equal(flag, "cap-drop") ? "cap-add" : "signal", values);
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (string_equal(flag, flags[i].flag)) {
            split(flags[i].values, values);
            return flags[i].directive;
        }
    }
    static const char *const files[] = {"env-file",  "label-file", "cidfile", "iidfile", "metadata-file", "secret",
                                        "file",      "input",      "output",  "filter",  "format",        "config",
                                        "tlscacert", "tlscert",    "tlskey",  "host"};
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (string_equal(flag, files[i]))
            return COMPLETE_DEFAULT;
    }
    return COMPLETE_NO_FILES;
}
