/* The filters of volume ls and volume prune; and what the files of a volume take. */
#pragma once

#include <jansson.h>

#include "engine/volume_table.h"

/* `filters` is a map of lists, or NULL. */
bool volume_filter_check(const json_t *filters, struct error *err);
bool volume_filter_matches(const json_t *filters, const struct volume_record *record, bool is_used);
/* *removes_all is set where `all` is among them. */
bool volume_prune_filter_check(const json_t *filters, bool *removes_all, struct error *err);
bool volume_prune_filter_matches(const json_t *filters, const struct volume_record *record);

/* Bytes of the files below, each counted once; -1 where the folder cannot be read. */
int64_t volume_folder_size(const char *folder);
