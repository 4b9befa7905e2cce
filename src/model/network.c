#include "model/network.h"

#define FIELD(macro, name, member, flags) macro(struct ipam_config, name, member, flags)
static const struct field ipam_config_fields[] = {
    FIELD(FIELD_STRING, "Subnet", subnet, OMIT_EMPTY),
    FIELD(FIELD_STRING, "IPRange", ip_range, OMIT_EMPTY),
    FIELD(FIELD_STRING, "Gateway", gateway, OMIT_EMPTY),
    FIELD(FIELD_MAP, "AuxiliaryAddresses", auxiliary, OMIT_EMPTY),
};
#undef FIELD
const struct record_type ipam_config_type = RECORD_TYPE("network.IPAMConfig", struct ipam_config, ipam_config_fields);

#define FIELD(macro, name, member, flags) macro(struct ipam, name, member, flags)
static const struct field ipam_fields[] = {
    FIELD(FIELD_STRING, "Driver", driver, 0),
    FIELD(FIELD_MAP, "Options", options, 0),
    FIELD_RECORDS(struct ipam, "Config", config, 0, &ipam_config_type),
};
#undef FIELD
const struct record_type ipam_type = RECORD_TYPE("network.IPAM", struct ipam, ipam_fields);

static const struct field config_reference_fields[] = {
    FIELD_STRING(struct config_reference, "Network", network, 0),
};
static const struct record_type config_reference_type =
    RECORD_TYPE("network.ConfigReference", struct config_reference, config_reference_fields);

#define FIELD(macro, name, member, flags) macro(struct network_create_request, name, member, flags)
static const struct field create_fields[] = {
    FIELD(FIELD_STRING, "Name", name, 0),
    FIELD(FIELD_STRING, "Driver", driver, EMBEDDED),
    FIELD(FIELD_STRING, "Scope", scope, EMBEDDED),
    FIELD(FIELD_OPT_BOOL, "EnableIPv4", enable_ipv4, OMIT_EMPTY | EMBEDDED),
    FIELD(FIELD_OPT_BOOL, "EnableIPv6", enable_ipv6, OMIT_EMPTY | EMBEDDED),
    FIELD_OPT_RECORD(struct network_create_request, "IPAM", ipam, EMBEDDED, struct ipam, &ipam_type),
    FIELD(FIELD_BOOL, "Internal", is_internal, EMBEDDED),
    FIELD(FIELD_BOOL, "Attachable", is_attachable, EMBEDDED),
    FIELD(FIELD_BOOL, "Ingress", is_ingress, EMBEDDED),
    FIELD(FIELD_BOOL, "ConfigOnly", is_config_only, EMBEDDED),
    FIELD_OPT_RECORD(struct network_create_request, "ConfigFrom", config_from, EMBEDDED, struct config_reference,
                     &config_reference_type),
    FIELD(FIELD_MAP, "Options", options, EMBEDDED),
    FIELD(FIELD_MAP, "Labels", labels, EMBEDDED),
};
#undef FIELD
const struct record_type network_create_request_type =
    RECORD_TYPE_EMBEDDING("types.NetworkCreateRequest", struct network_create_request, create_fields, "NetworkCreate");

#define FIELD(macro, name, member, flags) macro(struct network_record, name, member, flags)
static const struct field record_fields[] = {
    FIELD(FIELD_STRING, "Name", name, 0),
    FIELD(FIELD_STRING, "Id", id, 0),
    FIELD(FIELD_INT64, "Created", created, 0),
    FIELD(FIELD_STRING, "Scope", scope, 0),
    FIELD(FIELD_STRING, "Driver", driver, 0),
    FIELD(FIELD_BOOL, "EnableIPv4", enable_ipv4, 0),
    FIELD(FIELD_BOOL, "EnableIPv6", enable_ipv6, 0),
    FIELD_RECORD(struct network_record, "IPAM", ipam, 0, struct ipam, &ipam_type),
    FIELD(FIELD_BOOL, "Internal", is_internal, 0),
    FIELD(FIELD_BOOL, "Attachable", is_attachable, 0),
    FIELD(FIELD_BOOL, "Ingress", is_ingress, 0),
    FIELD_RECORD(struct network_record, "ConfigFrom", config_from, 0, struct config_reference, &config_reference_type),
    FIELD(FIELD_BOOL, "ConfigOnly", is_config_only, 0),
    FIELD(FIELD_MAP, "Options", options, EMPTY_NOT_NULL),
    FIELD(FIELD_MAP, "Labels", labels, EMPTY_NOT_NULL),
    FIELD(FIELD_BOOL, "HasSubnetOfUser", has_subnet_of_user, 0),
    FIELD(FIELD_STRINGS, "ChosenSubnets", chosen_subnets, 0),
};
#undef FIELD
const struct record_type network_record_type = RECORD_TYPE("Network", struct network_record, record_fields);

#define FIELD(macro, name, member, flags) macro(struct network_connect_request, name, member, flags)
static const struct field connect_fields[] = {
    FIELD(FIELD_STRING, "Container", container, 0),
    FIELD_OPT_RECORD(struct network_connect_request, "EndpointConfig", endpoint_config, 0, struct endpoint_settings,
                     &endpoint_settings_type),
    FIELD(FIELD_BOOL, "Force", is_forced, 0),
};
#undef FIELD
const struct record_type network_connect_request_type =
    RECORD_TYPE("types.NetworkConnect", struct network_connect_request, connect_fields);
