/* One client of a session: the stream that attach, exec or the start handed over. It is a socket.

   Output that the client does not take is kept in a queue; from ATTACHMENT_QUEUE_LIMIT bytes on the session stops
   reading from the process until the client has caught up, as Docker does. A client that hangs up is dropped. A client
   that has closed its sending side only goes on receiving: Docker detaches it where its end of input is not the
   process's, and so loses the answer to the last line that was typed (`echo question | docker attach x`). On a terminal
   it is detached, as in Docker. */
#pragma once

#include "shim/client.h"
#include "shim/detach_keys.h"
#include "shim/loop.h"
#include "shim/output_log.h"

#define ATTACHMENT_QUEUE_LIMIT ((size_t)1 << 20)

struct session;
struct attachment {
    struct source source;
    struct session *session;
    struct attachment *next;
    bool wants_stdin, wants_stdout, wants_stderr, is_framed;
    bool has_hung_up;  /* but what it typed before is still to be read */
    bool is_finishing; /* gets what is queued and is closed then */
    struct detach_keys keys;
    struct strbuf queue;
    size_t queue_start; /* what is before it was sent */
};

/* Adds a client to the session. The descriptor of the plan is taken (set to -1) on success alone. */
bool attachment_add(struct session *session, struct shim_attachment *plan, struct error *err);
/* Sends or queues a piece of output. May free the attachment. */
void attachment_deliver(struct attachment *attachment, enum output_stream stream, const char *data, size_t length);
/* Closes the stream when the queue has been sent, perhaps at once. May free the attachment. */
void attachment_finish(struct attachment *attachment);
/* Whether it is to be read from depends on the session. */
void attachment_update(struct attachment *attachment);
static inline size_t attachment_queued(const struct attachment *attachment)
{
    return attachment->queue.length - attachment->queue_start;
}
