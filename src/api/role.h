/* What a listener's clients may do (docs/roles.md). The listener's tag is a struct of this room; NULL: everything. */
#pragma once

enum api_role { API_ROLE_FULL, API_ROLE_READ };

/* What http_server_set_listener takes as the tag of a listener with this role. */
const void *api_role_tag(enum api_role role);
