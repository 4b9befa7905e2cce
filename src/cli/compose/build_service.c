/* A service's build section as the words of `wherry build`. */
#include "cli/compose/build_service.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/compose/delegate.h"
#include "compose/container_request.h"

static void add_pairs(struct strlist *words, const char *name, const json_t *map)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
    {
        strlist_add(words, name);
        if (json_is_string(value))
            strlist_addf(words, "%s=%s", key, json_string_value(value));
        else
            strlist_add(words, key);
    }
}

static void add_list(struct strlist *words, const char *name, const json_t *list)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        words_add_option(words, name, json_string_value(item));
    }
}

/* Secrets of the project become files or variables of the build. */
static bool add_secrets(struct strlist *words, const struct project *project, const json_t *build, struct error *err)
{
    size_t i;
    json_t *grant;
    json_array_foreach(json_object_get(build, "secrets"), i, grant)
    {
        const char *source = string_or_empty(json_string_value(json_object_get(grant, "source"))),
                   *target = json_string_value(json_object_get(grant, "target"));
        const json_t *secret = json_object_get(json_object_get(project->model, "secrets"), source);
        const char *file = json_string_value(json_object_get(secret, "file")),
                   *variable = json_string_value(json_object_get(secret, "environment"));
        if (!file && !variable)
            return error_set(err, ERROR_UNSUPPORTED, "build secret %s is neither of a file nor of a variable", source);
        strlist_add(words, "--secret");
        strlist_addf(words, "id=%s,%s=%s", target ? target : source, file ? "src" : "env", file ? file : variable);
    }
    return true;
}

/* dockerfile_inline in a file of its own, which the caller removes. */
static char *write_inline(const char *text, struct error *err)
{
    const char *folder = getenv("TMPDIR");
    char *path = xasprintf("%s/wherry-compose.XXXXXX", string_is_set(folder) ? folder : "/tmp");
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0 || write_full(fd, text, strlen(text)) < 0) {
        error_errno(err, "writing a Dockerfile to %s", path);
        close_fd(fd);
        free(path);
        return NULL;
    }
    close_fd(fd);
    return path;
}

static bool build_words(const struct build_request *request, const char *name, const json_t *service,
                        struct strlist *words, struct error *err)
{
    static const char *const plain[][2] = {
        {"--target", "target"}, {"--network", "network"}, {"--shm-size", "shm_size"}, {"--isolation", "isolation"}};
    const json_t *build = json_object_get(service, "build");
    static const char *const refused[] = {"ssh", "entitlements", "cache_to"};
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        if (json_object_get(build, refused[i]))
            return error_set(err, ERROR_UNSUPPORTED, "services.%s.build.%s is not supported", name, refused[i]);
    if (json_is_true(json_object_get(build, "privileged")))
        return error_set(err, ERROR_UNSUPPORTED, "services.%s.build.privileged is not supported", name);
    _cleanup_free_ char *image = service_image(request->project, name, service);
    words_add_option(words, "-t", image);
    add_list(words, "-t", json_object_get(build, "tags"));
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        words_add_option(words, plain[i][0], json_string_value(json_object_get(build, plain[i][1])));
    add_pairs(words, "--build-arg", json_object_get(build, "args"));
    words_add_options(words, "--build-arg", &request->arguments);
    add_pairs(words, "--label", json_object_get(build, "labels"));
    strlist_add(words, "--label");
    strlist_addf(words, "com.docker.compose.project=%s", request->project->name);
    strlist_add(words, "--label");
    strlist_addf(words, "com.docker.compose.service=%s", name);
    add_pairs(words, "--build-context", json_object_get(build, "additional_contexts"));
    add_list(words, "--cache-from", json_object_get(build, "cache_from"));
    size_t i;
    json_t *host;
    json_array_foreach(json_object_get(build, "extra_hosts"), i, host)
    {
        _cleanup_free_ char *text = xstrdup(json_string_value(host));
        text[strcspn(text, "=")] = ':';
        words_add_option(words, "--add-host", text);
    }
    if (request->has_no_cache || json_is_true(json_object_get(build, "no_cache")))
        strlist_add(words, "--no-cache");
    if (request->pulls || json_is_true(json_object_get(build, "pull")))
        strlist_add(words, "--pull");
    if (request->is_quiet)
        strlist_add(words, "-q");
    return add_secrets(words, request->project, build, err);
}

bool build_service(void *context, struct client *client, const char *name, struct error *err)
{
    /* One at a time: each shows its progress. */
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    const struct build_request *request = context;
    const json_t *service = json_object_get(json_object_get(request->project->model, "services"), name),
                 *build = json_object_get(service, "build");
    const char *folder = string_or_empty(json_string_value(json_object_get(build, "context"))),
               *file = json_string_value(json_object_get(build, "dockerfile")),
               *text = json_string_value(json_object_get(build, "dockerfile_inline"));
    _cleanup_strlist_ struct strlist words = {0};
    if (!build_words(request, name, service, &words, err))
        return false;
    _cleanup_free_ char *temporary = text ? write_inline(text, err) : NULL;
    if (text && !temporary)
        return false;
    strlist_add(&words, "-f");
    if (temporary)
        strlist_add(&words, temporary);
    else if (*string_or_empty(file) == '/' || strstr(folder, "://"))
        strlist_add(&words, string_or_empty(file));
    else
        strlist_addf(&words, "%s/%s", folder, string_or_empty(file));
    strlist_add(&words, folder);
    struct command_call call = *request->call;
    pthread_mutex_lock(&lock);
    compose_delegate(&call, &build_command, "compose build", &words);
    pthread_mutex_unlock(&lock);
    if (temporary)
        unlink(temporary);
    return call.exit_code == 0 || error_set(err, ERROR_INTERNAL, "failed to build the image of service %s", name);
}
