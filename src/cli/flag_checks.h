/* Parsers of single flag values, for option tables: each takes the place of the option's value, checks the text with
   docker's messages, and stores it. Those of lists store the text, normalised where docker does so. */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"

bool check_add_host(void *place, const char *value, struct error *err);
bool check_attach(void *place, const char *value, struct error *err);
bool check_uint16(void *place, const char *value, struct error *err);
bool check_weight_device(void *place, const char *value, struct error *err);
bool check_device_bps(void *place, const char *value, struct error *err);
bool check_device_iops(void *place, const char *value, struct error *err);
bool check_cgroup_rule(void *place, const char *value, struct error *err);
bool check_content_trust(void *place, const char *value, struct error *err);
bool check_ip_address(void *place, const char *value, struct error *err);
bool check_dns_search(void *place, const char *value, struct error *err);
bool check_env(void *place, const char *value, struct error *err);
bool check_gpus(void *place, const char *value, struct error *err);
bool check_label(void *place, const char *value, struct error *err);
bool check_link(void *place, const char *value, struct error *err);
bool check_sysctl(void *place, const char *value, struct error *err);
bool check_ulimit(void *place, const char *value, struct error *err);
bool parse_cpus(void *place, const char *value, struct error *err);        /* int64_t, 1e-9 CPUs */
bool parse_memory_swap(void *place, const char *value, struct error *err); /* int64_t bytes; -1 */

/* The same values as the request has them. */
struct parsed_ulimit {
    char *name; /* owned */
    int64_t soft;
    int64_t hard;
};
bool parse_ulimit(const char *value, struct parsed_ulimit *out, struct error *err);
/* {"Path": …, "Rate": …} and {"Path": …, "Weight": …}; for values that were checked. */
json_t *throttle_device_json(const char *value, bool is_bytes);
json_t *weight_device_json(const char *value);
/* A DeviceRequest. */
json_t *gpus_json(const char *value, struct error *err);
/* Is this an address of IPv4 or IPv6? */
bool is_ip_address(const char *text);
/* One line of comma-separated values with Go's quoting (encoding/csv). */
bool csv_split(const char *text, struct strlist *out, struct error *err);
