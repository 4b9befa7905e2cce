/* The Engine API's answers as the Go structs that docker's client decodes them into: what templates see. Names in
   templates ("ID", "CPUShares") are Go's, not JSON's. */
#pragma once

#include "cli/template/value.h"

extern const struct value_type container_inspect_type;
extern const struct value_type image_inspect_type;
extern const struct value_type network_inspect_type;
extern const struct value_type volume_type;
extern const struct value_type version_report_type; /* docker version: {"Client": …, "Server": …} */
extern const struct value_type info_report_type;    /* docker info: the daemon's info, "ClientInfo", "ServerErrors" */
extern const struct value_type event_type;          /* events.Message */
