/* API versions: "1.45" is 145. */
#pragma once

#include "base/error.h"

#define API_VERSION          150
#define API_VERSION_TEXT     "1.50"
#define API_MIN_VERSION      124
#define API_MIN_VERSION_TEXT "1.24"

/* Splits "/v1.45/containers/json": *rest points at "/containers/json" and *version is 145. A path without a version is
   the newest. ERROR_INVALID, in Docker's words, where the version is too new or too old. *has_prefix is set in every
   case. */
bool version_split(const char *path, const char **rest, int *version, bool *has_prefix, struct error *err);
