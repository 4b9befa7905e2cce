/* What most compose commands begin with: the project, its containers, and workers that reach the engine. */
#pragma once

#include "cli/compose/flags.h"
#include "cli/compose/report.h"
#include "compose/reconcile.h"

/* Threads that connect as `call` says, as many as --parallel allows. The call must outlive them. */
struct workers compose_workers(const struct command_call *call);

/* For up_options.authenticate: the context is the command's call. */
bool compose_authenticate(const void *call, const char *domain, struct strmap *headers, struct error *err);

/* The project (or its name alone) and its containers. `services`: only theirs; one that neither files nor containers
   know is an error. With `with_oneoffs` those of `run` too. */
struct compose_view {
    struct project project;
    struct compose_state state;
};
bool compose_view_read(const struct command_call *call, char *const *services, size_t count, bool with_oneoffs,
                       struct compose_view *out, struct error *err);
void compose_view_release(struct compose_view *view);
#define _cleanup_compose_view_ _cleanup_(compose_view_release)

/* A service's container: of `index`, or the first that runs (or, without `must_run`, the first). The id, owned by the
   view; NULL with err. */
const struct compose_container *compose_view_container(const struct compose_view *view, const char *service,
                                                       int64_t index, bool must_run, struct error *err);
/* The verb on the containers of the named services (all where none is named). */
bool compose_verb(struct command_call *call, enum container_verb verb, int64_t timeout, const char *signal,
                  const char *title, struct error *err);
/* "web=3": for --scale. */
bool compose_scale_parse(const struct strlist *given, struct strmap *out, struct error *err);
