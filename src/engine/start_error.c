#include "engine/start_error.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define START_PREFIX                                                                                                   \
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
#define PROCESS_PREFIX "unable to start container process: "
#define INIT_PREFIX    "error during container init: "
#define MOUNT_HINT                                                                                                     \
    ": Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and "  \
    "is the expected type"

/* Docker finds out about these before it asks the runtime, so they come without its prefixes. */
static bool is_found_earlier(const char *message)
{
    static const char *const starts[] = {"unable to find user ", "unable to find group ", "Unable to find group ",
                                         "Cannot mkdir: ",       "no users found",        "no groups found",
                                         "uids and gids must be"};
    for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
        if (string_starts_with(message, starts[i]))
            return true;
    return false;
}

static bool happens_in_init(const char *message)
{
    return string_starts_with(message, "error mounting ") || string_starts_with(message, "error setting cgroup");
}

int start_error_translate(struct error *err)
{
    _cleanup_free_ char *message = xstrdup(error_message(err));
    if (is_found_earlier(message)) {
        error_set(err, ERROR_INTERNAL, "%s", message);
        return 128;
    }
    if (string_starts_with(message, "failed to initialize logging driver")) {
        error_set(err, ERROR_INTERNAL, "failed to create task for container: %s", message);
        return 128;
    }
    bool is_rlimit = string_starts_with(message, "wrong rlimit value");
    _cleanup_free_ char *whole = xasprintf("%s%s%s%s: unknown", START_PREFIX, is_rlimit ? "" : PROCESS_PREFIX,
                                           happens_in_init(message) ? INIT_PREFIX : "", message);
    if (strstr(message, "executable file not found") || strstr(message, "no such file or directory")) {
        error_set(err, ERROR_INVALID, "%s", whole);
        return 127;
    }
    if (strstr(message, "is a directory")) {
        error_set(err, ERROR_INVALID, "%s: permission denied", whole);
        return 126;
    }
    if (strstr(message, "permission denied")) {
        error_set(err, ERROR_INVALID, "%s", whole);
        return 126;
    }
    if (strstr(message, "not a directory")) {
        error_set(err, ERROR_INVALID, "%s%s", whole, MOUNT_HINT);
        return 127;
    }
    error_set(err, ERROR_INTERNAL, "%s", whole);
    return 128;
}

int exec_error_translate(struct error *err)
{
    _cleanup_free_ char *message = xstrdup(error_message(err));
    if (is_found_earlier(message)) {
        error_set(err, ERROR_INTERNAL, "%s", message);
        return 126;
    }
    error_set(err, ERROR_INVALID, "OCI runtime exec failed: exec failed: %s%s: unknown%s",
              string_equal(message, EXEC_RELATIVE_FOLDER) ? "" : PROCESS_PREFIX, message,
              strstr(message, "is a directory") ? ": permission denied" : "");
    return 126;
}
