#include "cli/api_types.h"
#include "cli/api_types_rows.h"

static const struct value_field config_fields[] = {
    O(Subnet, type_string),
    O(IPRange, type_string),
    O(Gateway, type_string),
    NO(AuxAddress, "AuxiliaryAddresses", type_map_string),
};
STRUCT_OF(config, "network.IPAMConfig", config_fields);
LIST_OF(configs, "[]network.IPAMConfig", config);
static const struct value_field ipam_fields[] = {
    F(Driver, type_string),
    F(Options, type_map_string),
    F(Config, configs),
};
STRUCT_OF(ipam, "network.IPAM", ipam_fields);
static const struct value_field reference_fields[] = {F(Network, type_string)};
STRUCT_OF(reference, "network.ConfigReference", reference_fields);
static const struct value_field endpoint_fields[] = {
    F(Name, type_string),        F(EndpointID, type_string),  F(MacAddress, type_string),
    F(IPv4Address, type_string), F(IPv6Address, type_string),
};
STRUCT_OF(endpoint, "network.EndpointResource", endpoint_fields);
MAP_OF(endpoints, "map[string]network.EndpointResource", endpoint);

static const struct value_field network_fields[] = {
    F(Name, type_string),     N(ID, "Id", type_string),  F(Created, type_time),       F(Scope, type_string),
    F(Driver, type_string),   F(EnableIPv4, type_bool),  F(EnableIPv6, type_bool),    F(IPAM, ipam),
    F(Internal, type_bool),   F(Attachable, type_bool),  F(Ingress, type_bool),       F(ConfigFrom, reference),
    F(ConfigOnly, type_bool), F(Containers, endpoints),  F(Options, type_map_string), F(Labels, type_map_string),
    O(Peers, type_list_any),  O(Services, type_map_any),
};
const struct value_type network_inspect_type = VALUE_STRUCT("network.Inspect", network_fields);
