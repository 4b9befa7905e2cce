/* HostConfig.LogConfig: what a container's log driver was told, in Docker's words. */
#pragma once

#include "base/error.h"
#include "engine/engine.h"
#include "model/container.h"
#include "shim/client.h"

/* At create, and for the daemon's defaults at its start: the driver, the names of its options, and the values that
   Docker looks at so early. */
bool log_config_check(const struct log_config *log, struct error *err);
/* What the daemon's defaults add to what a container asks for. */
void log_config_merge(struct log_config *log, const struct log_config *defaults);
/* The drivers that there are, sorted, for info; NULL-terminated. */
const char *const *log_drivers(void);

struct container_record;
/* At start: what the shim is to do. `folder` is the container's. ERROR_INTERNAL without what Docker says first ("failed
   to initialize logging driver"). */
bool log_config_resolve(const struct container_record *record, const struct engine_options *options, const char *folder,
                        struct shim_log *out, struct error *err);

/* The file that `logs` reads: its format and its path, which the caller frees; SHIM_LOG_NONE where there is none. */
enum shim_log_format log_config_file(const struct log_config *log, const char *folder, const char *id, char **path);

/* "10m", "1.5 GB": decimal units, as go-units' FromHumanSize. Bytes, not negative. */
bool human_size_parse(const char *text, int64_t *out, struct error *err);

/* --- log_drivers.c --- */
/* The names and values of one driver's own options. */
bool log_driver_check(const char *driver, const struct strmap *options, struct error *err);
/* Does a process of its own send its output away? */
bool log_driver_is_remote(const char *driver);

/* --- log_attributes.c --- */
/* The labels and environment that labels, labels-regex, env and env-regex choose, sorted by name. */
bool log_attributes(const struct container_record *record, struct strmap *out, struct error *err);
/* Renders a template of tag ("{{.Name}}/{{.ID}}"). The caller frees; NULL with err. */
char *log_tag(const struct container_record *record, const char *template, struct error *err);
