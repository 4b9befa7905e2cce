/* The query and the headers of POST /build. */
#pragma once

#include "api/call.h"
#include "build/build.h"

/* Fills in a zeroed request, which the caller releases with build_request_release. *registries (a new reference,
   perhaps NULL) is what request->registries points at. */
bool build_request_read(struct call *call, struct build_request *request, json_t **registries, struct error *err);
