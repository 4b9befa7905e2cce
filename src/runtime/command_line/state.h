/* What wherry-runtime remembers of a container between its calls: <root>/<id>/state.json, beside it the FIFO that a
   created container waits on. */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "base/record.h"

struct container_state {
    char *oci_version;
    char *id;
    int64_t pid;
    uint64_t start_time; /* of the process, as /proc/<pid>/stat has it: a pid may be given again */
    char *bundle;
    char *cgroups_path;
    char *created; /* RFC 3339 */
};
extern const struct record_type container_state_type;

enum container_status { STATUS_CREATED, STATUS_RUNNING, STATUS_STOPPED };
extern const char *const container_status_names[];

/* <root>/<id>, owned; NULL with ERROR_INVALID for an id that is none. */
char *state_directory(const char *root, const char *id, struct error *err);
char *state_fifo(const char *directory);
bool state_save(const char *directory, const struct container_state *state, struct error *err);
/* ERROR_NOT_FOUND "container does not exist". */
bool state_load(const char *root, const char *id, struct container_state *state, struct error *err);
enum container_status state_status(const char *root, const struct container_state *state);
/* 0 when there is no such process, or only its zombie. */
uint64_t process_start_time(pid_t pid);
