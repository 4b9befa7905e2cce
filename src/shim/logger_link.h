/* The shim's end of the socket to wherry-logger (logger/settings.h), and the queue before it. Blocking: the container
   waits while the logger does not keep up. Non-blocking: what does not fit into the queue is dropped, as Docker's
   ring does. */
#pragma once

#include "shim/client.h"
#include "shim/log_piece.h"
#include "shim/loop.h"

struct logger_link;

/* Starts the logger and waits for its word that it is ready. `ready` is called when it is congested no longer. */
struct logger_link *logger_link_open(const struct shim_log *options, struct loop *loop, void (*ready)(void *context),
                                     void *context, struct error *err);
/* Queues a piece; logger_link_flush sends what is queued, as far as the socket takes it. */
void logger_link_add(struct logger_link *link, const struct log_piece *piece);
void logger_link_flush(struct logger_link *link);
bool logger_link_is_congested(const struct logger_link *link);
/* Nothing more comes: the logger is told so when it has taken all. */
void logger_link_finish(struct logger_link *link);
bool logger_link_is_flushing(const struct logger_link *link);
/* Waits a moment for the logger's end, so that it has a parent who reaps it; one that cannot reach its server goes on
   alone for some seconds. */
void logger_link_free(struct logger_link *link);
