/* The order and form in which compose writes its model, and hashes it: that of its own structures. */
#pragma once

#include "compose/element.h"

enum shape_form {
    FORM_JSON, /* what `config --format json` prints, what the configuration hash is of, and what the reconciler reads
                */
    FORM_YAML, /* without what is empty, and with x- extensions */
};

/* The whole model; a new reference. `escapes` doubles each dollar, so that the text can be read again. */
json_t *shape_project(const struct element *project, enum shape_form form, bool escapes);
/* What identifies a service's configuration, in docker compose's way: the label com.docker.compose.config-hash. Caller
   frees. `service` is of the JSON form. */
char *shape_hash(const json_t *service);
