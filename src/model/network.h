/* What the Engine API says about networks, as records. */
#pragma once

#include "model/container.h"

/* IPAM.Config of a network */
struct ipam_config {
    char *subnet;   /* "172.18.0.0/16" */
    char *ip_range; /* addresses are given from this part of it */
    char *gateway;
    struct strmap auxiliary; /* name → address that is never given */
};
extern const struct record_type ipam_config_type;

struct ipam {
    char *driver;
    struct strmap options;
    struct record_list config; /* of struct ipam_config */
};
extern const struct record_type ipam_type;

struct config_reference {
    char *network;
};

/* The body of POST /networks/create. */
struct network_create_request {
    char *name;
    char *driver;
    char *scope;
    struct opt_bool enable_ipv4;
    struct opt_bool enable_ipv6;
    struct ipam *ipam;
    bool is_internal;
    bool is_attachable;
    bool is_ingress;
    bool is_config_only;
    struct config_reference *config_from;
    struct strmap options;
    struct strmap labels;
};
extern const struct record_type network_create_request_type;

/* A network as the database keeps it and inspect shows it. */
struct network_record {
    char *name;
    char *id;
    int64_t created; /* unix_nano */
    char *scope;
    char *driver;
    bool enable_ipv4;
    bool enable_ipv6;
    struct ipam ipam;
    bool is_internal;
    bool is_attachable;
    bool is_ingress;
    struct config_reference config_from;
    bool is_config_only;
    struct strmap options;
    struct strmap labels;
    bool has_subnet_of_user;       /* else all came from the default pools; not shown */
    struct strlist chosen_subnets; /* those that did; not shown */
};
extern const struct record_type network_record_type;

/* The body of POST /networks/{id}/connect and …/disconnect. */
struct network_connect_request {
    char *container;
    struct endpoint_settings *endpoint_config;
    bool is_forced;
};
extern const struct record_type network_connect_request_type;
