/* Rows of listings that other commands show too. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* A row of `ps`, of a container as GET /containers/json has it, with the columns that `format` shows (NULL: all); a new
   reference. */
json_t *container_row(const json_t *container, bool is_truncated, const char *format);
/* The rows of `images` for one image. */
void image_rows_add(const json_t *image, bool is_truncated, json_t *rows);
