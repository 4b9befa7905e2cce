/* <data>/control: a unix socket of the server for whoever may write to its folder. `wherry-registry gc` asks there, so
   that one process alone ever changes what is kept. */
#pragma once

#include "distribution/distribution.h"

struct http_server;
/* NULL with err where it cannot listen. */
struct http_server *control_start(struct distribution *distribution, struct error *err);
void control_stop(struct distribution *distribution, struct http_server *server);

/* Asks the server of this data folder to collect; its report goes to *out. ERROR_UNAVAILABLE where none runs. */
bool control_ask_collect(const char *data, int64_t grace, bool includes_untagged, struct strbuf *out,
                         struct error *err);
/* "3 manifests, 1 links, …": one line. */
void collected_describe(const struct collected *collected, struct strbuf *out);
