/* What wherry says about itself in `version` and `info`. */
#pragma once

#include <jansson.h>

#include "cli/command.h"
#include "cli/template/value.h"

#define CLIENT_NAME    "Wherry"
#define CLIENT_CONTEXT "default"

/* Go's name of the architecture that this was built for: "amd64". */
const char *go_architecture(void);
/* The fields of docker's clientVersion; a new reference. `api_version` may be NULL. */
json_t *client_report(const char *api_version);

/* Prints a report through --format: "json" or a template named `name`, and a newline. Exit code 64 for a text that is
   no template, 1 where it fails. */
bool report_print(struct command_call *call, const char *format, const char *name, const struct value_type *type,
                  json_t *report, struct error *err);
