/* sha256 while the bytes go by. */
#pragma once

#include <stddef.h>

#include "base/macros.h"

struct digester;
struct digester *digester_new(void);
void digester_add(struct digester *digester, const void *data, size_t length);
/* "sha256:<hex>"; the caller frees. Nothing can be added afterwards. */
char *digester_finish(struct digester *digester);
void digester_free(struct digester *digester);
DEFINE_CLEANUP(struct digester *, digester_free)
