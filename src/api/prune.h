/* Answers of the prune routes. */
#pragma once

#include "api/call.h"
#include "engine/prune.h"

/* {"<key>": [ids] or null, "SpaceReclaimed": bytes} */
bool respond_prune(struct call *call, const char *key, const struct prune_report *report);
