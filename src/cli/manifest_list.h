/* Manifest lists in the making: docker's own store, <config directory>/manifests/<list>/<manifest>, a JSON file each.
   What registries are asked goes through the engine (docs/api.md). */
#pragma once

#include <jansson.h>

#include "cli/command.h"
#include "oci/reference.h"

#define EXPERIMENTAL_HELP                                                                                              \
    "\n\nEXPERIMENTAL:\n  docker manifest is an experimental feature.\n"                                               \
    "  Experimental features provide early access to product functionality. These\n"                                   \
    "  features may change between releases without warning, or can be removed from a\n"                               \
    "  future release. Learn more about experimental features in our documentation:\n"                                 \
    "  https://docs.docker.com/go/experimental/"
#define EXPERIMENTAL_HELP_OF(verb_)                                                                                    \
    "\n\nEXPERIMENTAL:\n  docker manifest " verb_ " is an experimental feature.\n"                                     \
    "  Experimental features provide early access to product functionality. These\n"                                   \
    "  features may change between releases without warning, or can be removed from a\n"                               \
    "  future release. Learn more about experimental features in our documentation:\n"                                 \
    "  https://docs.docker.com/go/experimental/"

/* The entries of a list by file name, as docker keeps them ({"Ref", "Descriptor", "Raw", …}); NULL where there is no
   such list: then err is not set. A new reference. */
json_t *manifest_list_read(const struct command_call *call, const struct reference *list);
/* One entry, or NULL. */
json_t *manifest_list_entry(const struct command_call *call, const struct reference *list,
                            const struct reference *manifest);
bool manifest_list_write(const struct command_call *call, const struct reference *list,
                         const struct reference *manifest, const json_t *entry, struct error *err);
/* ERROR_NOT_FOUND "No such manifest: …". */
bool manifest_list_remove(const struct command_call *call, const struct reference *list, struct error *err);

/* What a registry has: an array of entries, one for a manifest, several for an index (*is_list). NULL with err "no such
   manifest: …". A new reference. */
json_t *manifest_fetch(const struct command_call *call, const struct reference *reference, bool is_insecure,
                       bool *is_list, struct error *err);
/* Docker's text of the list that the entries make. The caller frees; NULL with err. */
char *manifest_list_text(const json_t *entries, struct error *err);
/* The bytes of an entry's manifest, decoded. The caller frees. */
char *manifest_raw(const json_t *entry);
