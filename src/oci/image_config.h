/* The JSON that describes an image (OCI image-spec config.md; Docker's image spec v1.2), and the part of it that is
   also the `Config` of a container in the Engine API. Tables only; no I/O. */
#pragma once

#include "base/record.h"

struct health_config {
    struct strlist test; /* Test: ["NONE"], ["CMD", …], ["CMD-SHELL", …]; empty: inherit */
    int64_t interval;    /* nanoseconds, 0: default; so are the next three */
    int64_t timeout;
    int64_t start_period;
    int64_t start_interval;
    int64_t retries;
};
extern const struct record_type health_config_type;

struct container_config {
    char *hostname;
    char *domainname;
    char *user;
    bool attach_stdin;
    bool attach_stdout;
    bool attach_stderr;
    struct strlist exposed_ports; /* set: "80/tcp" */
    bool tty;
    bool open_stdin;
    bool stdin_once;
    struct strlist env;
    struct strlist cmd; /* a lone string is accepted, as old clients send it */
    struct health_config *healthcheck;
    bool args_escaped;
    char *image;            /* the reference as the user gave it */
    struct strlist volumes; /* set: paths */
    char *working_dir;
    struct strlist entrypoint;
    bool network_disabled;
    char *mac_address;
    struct strlist on_build;
    struct strmap labels;
    char *stop_signal;
    struct opt_int64 stop_timeout; /* seconds */
    struct strlist shell;
};
extern const struct record_type container_config_type;

struct image_history {
    char *created;
    char *created_by;
    char *author;
    char *comment;
    bool empty_layer;
};
extern const struct record_type image_history_type;

struct image_rootfs {
    char *type; /* "layers" */
    struct strlist diff_ids;
};

struct image_config {
    char *created; /* RFC 3339 */
    char *author;
    char *architecture;
    char *variant;
    char *os;
    char *os_version;
    struct container_config config;
    char *container; /* of Docker's older images; kept */
    char *docker_version;
    struct image_rootfs rootfs;
    struct record_list history; /* of struct image_history */
};
/* Writes what the OCI image-spec allows; unknown keys of a loaded image are kept because its bytes are. */
extern const struct record_type image_config_type;
