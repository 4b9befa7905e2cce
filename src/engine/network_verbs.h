/* The verbs on networks that the API calls. Docker's statuses and wording throughout. */
#pragma once

#include <jansson.h>

#include "engine/engine.h"

bool networks_create(struct engine *engine, struct network_create_request *request, char **id, struct error *err);
bool networks_remove(struct engine *engine, const char *reference, struct error *err);
/* `filters` is the decoded filters parameter; may be NULL. *out holds struct network_record. */
bool networks_list_filtered(struct engine *engine, const json_t *filters, struct record_list *out, struct error *err);
/* *deleted gets names. */
bool networks_prune(struct engine *engine, const json_t *filters, struct strlist *deleted, struct error *err);
bool networks_connect(struct engine *engine, const char *network, struct network_connect_request *request,
                      struct error *err);
bool networks_disconnect(struct engine *engine, const char *network, struct network_connect_request *request,
                         struct error *err);
/* {"id": {"Name": …, "EndpointID": …}} of the running containers on a network. */
json_t *networks_members(struct engine *engine, const char *network_id);
