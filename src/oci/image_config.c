#include "oci/image_config.h"

#define FIELD(macro, name, member, flags) macro(struct health_config, name, member, flags)
static const struct field health_config_fields[] = {
    FIELD(FIELD_STRINGS, "Test", test, OMIT_EMPTY),
    FIELD(FIELD_INT64, "Interval", interval, OMIT_EMPTY),
    FIELD(FIELD_INT64, "Timeout", timeout, OMIT_EMPTY),
    FIELD(FIELD_INT64, "StartPeriod", start_period, OMIT_EMPTY),
    FIELD(FIELD_INT64, "StartInterval", start_interval, OMIT_EMPTY),
    FIELD(FIELD_INT64, "Retries", retries, OMIT_EMPTY | GO_INT),
};
#undef FIELD
const struct record_type health_config_type =
    RECORD_TYPE("container.HealthcheckConfig", struct health_config, health_config_fields);

#define FIELD(macro, name, member, flags) macro(struct container_config, name, member, (flags) | EMBEDDED)
static const struct field container_config_fields[] = {
    FIELD(FIELD_STRING, "Hostname", hostname, 0),
    FIELD(FIELD_STRING, "Domainname", domainname, 0),
    FIELD(FIELD_STRING, "User", user, 0),
    FIELD(FIELD_BOOL, "AttachStdin", attach_stdin, 0),
    FIELD(FIELD_BOOL, "AttachStdout", attach_stdout, 0),
    FIELD(FIELD_BOOL, "AttachStderr", attach_stderr, 0),
    FIELD(FIELD_SET, "ExposedPorts", exposed_ports, OMIT_EMPTY),
    FIELD(FIELD_BOOL, "Tty", tty, 0),
    FIELD(FIELD_BOOL, "OpenStdin", open_stdin, 0),
    FIELD(FIELD_BOOL, "StdinOnce", stdin_once, 0),
    FIELD(FIELD_STRINGS, "Env", env, 0),
    FIELD(FIELD_STRINGS, "Cmd", cmd, STRING_OR_LIST),
    FIELD_OPT_RECORD(struct container_config, "Healthcheck", healthcheck, OMIT_EMPTY | EMBEDDED, struct health_config,
                     &health_config_type),
    FIELD(FIELD_BOOL, "ArgsEscaped", args_escaped, OMIT_EMPTY),
    FIELD(FIELD_STRING, "Image", image, 0),
    FIELD(FIELD_SET, "Volumes", volumes, 0),
    FIELD(FIELD_STRING, "WorkingDir", working_dir, 0),
    FIELD(FIELD_STRINGS, "Entrypoint", entrypoint, STRING_OR_LIST),
    FIELD(FIELD_BOOL, "NetworkDisabled", network_disabled, OMIT_EMPTY),
    FIELD(FIELD_STRING, "MacAddress", mac_address, OMIT_EMPTY),
    FIELD(FIELD_STRINGS, "OnBuild", on_build, 0),
    FIELD(FIELD_MAP, "Labels", labels, 0),
    FIELD(FIELD_STRING, "StopSignal", stop_signal, OMIT_EMPTY),
    FIELD(FIELD_OPT_INT64, "StopTimeout", stop_timeout, OMIT_EMPTY | GO_INT),
    FIELD(FIELD_STRINGS, "Shell", shell, OMIT_EMPTY),
};
#undef FIELD
const struct record_type container_config_type = RECORD_TYPE_EMBEDDING(
    "runconfig.ContainerConfigWrapper", struct container_config, container_config_fields, "Config");

#define FIELD(macro, name, member, flags) macro(struct image_history, name, member, flags)
static const struct field image_history_fields[] = {
    FIELD(FIELD_STRING, "created", created, OMIT_EMPTY),
    FIELD(FIELD_STRING, "created_by", created_by, OMIT_EMPTY),
    FIELD(FIELD_STRING, "author", author, OMIT_EMPTY),
    FIELD(FIELD_STRING, "comment", comment, OMIT_EMPTY),
    FIELD(FIELD_BOOL, "empty_layer", empty_layer, OMIT_EMPTY),
};
#undef FIELD
const struct record_type image_history_type = RECORD_TYPE("History", struct image_history, image_history_fields);

static const struct field image_rootfs_fields[] = {
    FIELD_STRING(struct image_rootfs, "type", type, 0),
    FIELD_STRINGS(struct image_rootfs, "diff_ids", diff_ids, EMPTY_NOT_NULL),
};
static const struct record_type image_rootfs_type = RECORD_TYPE("RootFS", struct image_rootfs, image_rootfs_fields);

#define FIELD(macro, name, member, flags) macro(struct image_config, name, member, flags)
static const struct field image_config_fields[] = {
    FIELD(FIELD_STRING, "architecture", architecture, 0),
    FIELD(FIELD_STRING, "variant", variant, OMIT_EMPTY),
    FIELD(FIELD_STRING, "author", author, OMIT_EMPTY),
    FIELD_RECORD(struct image_config, "config", config, 0, struct container_config, &container_config_type),
    FIELD(FIELD_STRING, "container", container, OMIT_EMPTY),
    FIELD(FIELD_STRING, "created", created, OMIT_EMPTY),
    FIELD(FIELD_STRING, "docker_version", docker_version, OMIT_EMPTY),
    FIELD_RECORDS(struct image_config, "history", history, OMIT_EMPTY, &image_history_type),
    FIELD(FIELD_STRING, "os", os, 0),
    FIELD(FIELD_STRING, "os.version", os_version, OMIT_EMPTY),
    FIELD_RECORD(struct image_config, "rootfs", rootfs, 0, struct image_rootfs, &image_rootfs_type),
};
#undef FIELD
const struct record_type image_config_type = RECORD_TYPE("Image", struct image_config, image_config_fields);
