/* What wherryd and wherry-shim say to each other. Each message is one packet of a SOCK_SEQPACKET socket: a 32-bit type
   and a record in the wire form, with descriptors beside it. A launch or an exec does not fit into a packet: it travels
   in a memfd, the first of the descriptors.

   At the start, over the socketpair that the shim is born with (descriptor 3):

       wherryd → START    memfd (struct shim_start) and the descriptors of the attachments, in their order
       wherryd → VIEW     instead: memfd (struct launch), and the mount namespace of the container where it runs
       shim    → VIEWED   the root and the namespace of a view (view.h), or FAILED; the shim ends
       wherryd → MOUNTS   instead: memfd (struct mount_change), and the mount namespace of a container
       shim    → DONE     they were changed, or FAILED; the shim ends

       shim    → STARTED  execve has succeeded; the socket stays open and is a watch from now on
               → FAILED   nothing was left; the shim ends
               → EXITED   later, when the container has ended and its log and exit record are written

   On <directory>/shim.sock, a connection for each request:

       STATUS             → STATE
       WATCH              → STATE, then EXITED at the end of the container. The shim's death closes the connection
                            without it
       ATTACH   fd        → DONE | FAILED
       RESIZE, KILL       → DONE | FAILED
       KILL_EXEC          → DONE | FAILED
       EXEC     memfd, fd → STARTED | FAILED, then EXITED at the end of the process. The engine closes the connection
                            when it has recorded that; only then (or a second later) does the client's stream end, so
                            that who sees the end of the stream and inspects the exec finds its exit code. While there
                            is no engine the client's stream is held open for a while, for the next one to come
       EXECS              → EXECS memfd (struct shim_exec_list): those that run, and the last that have ended, for an
                            engine that was started again
       WATCH_EXEC         → DONE | FAILED, then as after EXEC

       NETWORK  memfd (struct network_change) → DONE | FAILED
       RESOLVER           → DONE with the two sockets of 127.0.0.11 in the container (none where it has none)
   A watch, of the container or of an exec, is told of every client that has left with its detach keys: DETACHED.

   A shim outlives an upgrade of wherryd. Therefore a record below is never changed once released, a new message gets a
   new type, and the two large records carry the fingerprint of their tables, so that a shim of another build refuses
   them rather than misreads them. */
#pragma once

#include "base/record.h"
#include "shim/client.h"

enum message_type {
    MESSAGE_START = 1,
    MESSAGE_STARTED,
    MESSAGE_FAILED,
    MESSAGE_EXITED,
    MESSAGE_STATUS,
    MESSAGE_WATCH,
    MESSAGE_STATE,
    MESSAGE_ATTACH,
    MESSAGE_RESIZE,
    MESSAGE_KILL,
    MESSAGE_EXEC,
    MESSAGE_DONE,
    MESSAGE_KILL_EXEC,
    MESSAGE_EXECS,
    MESSAGE_WATCH_EXEC,
    MESSAGE_NETWORK,
    MESSAGE_RESOLVER,
    MESSAGE_VIEW,
    MESSAGE_VIEWED,
    MESSAGE_DETACHED,
    MESSAGE_MOUNTS,
};

#define SHIM_SOCKET_NAME "shim.sock"
#define SHIM_CHANNEL     3
#define MESSAGE_SIZE     (16 * 1024)
#define MESSAGE_FD_COUNT 16
/* A packet carries this many descriptors at most, one of which is the memfd. */
#define MAX_INITIAL_ATTACHMENTS (MESSAGE_FD_COUNT - 1)

/* In the memfd of START. */
struct shim_start {
    struct shim_options options;
    struct launch launch;
    struct record_list attachments; /* of struct shim_attachment, without its descriptor */
};
extern const struct record_type shim_start_type;

struct message_start {
    uint64_t fingerprint; /* of what is in the memfd */
};
struct message_started {
    int64_t pid;
    int64_t started_at;
    struct strlist warnings;
};
struct message_failed {
    int64_t kind; /* enum error_kind */
    int64_t errno_value;
    char *message;
};
struct message_resize {
    char *exec_id; /* "": the container */
    int64_t rows, columns;
};
struct message_network {
    uint64_t fingerprint; /* of network_change_type, which is in the memfd */
};
struct message_kill {
    int64_t signal_number;
    bool is_all;
};
/* In the memfd of EXEC. */
struct shim_exec_start {
    struct launch_exec launch;
    char *description;
};
extern const struct record_type shim_exec_start_type;
struct message_exec_signal {
    char *exec_id;
    int64_t signal_number; /* of KILL_EXEC */
};
struct message_exec {
    uint64_t fingerprint; /* of shim_exec_start_type, which is in the memfd */
    char *exec_id;
    bool is_terminal;
    int64_t rows, columns;
    bool has_attachment;
    struct shim_attachment attachment;
};
extern const struct record_type message_start_type, message_started_type, message_failed_type, message_exited_type,
    message_state_type, message_attach_type, message_resize_type, message_kill_type, message_exec_type,
    message_exec_signal_type, shim_exec_list_type, message_network_type;

/* A packet as it came. The descriptors belong to it until they are taken (set to -1). */
struct message {
    enum message_type type;
    size_t length; /* of the record */
    size_t fd_count;
    int fds[MESSAGE_FD_COUNT];
    char data[MESSAGE_SIZE];
};

/* NULL for record_type and record: a message without a record. The descriptors stay the caller's. */
bool message_send(int socket, enum message_type type, const struct record_type *record_type, const void *record,
                  const int *fds, size_t fd_count, struct error *err);
/* Sends FAILED with what is in `why`, and releases it. */
void message_send_failure(int socket, struct error *why);
/* Waits for the next packet. ERROR_UNAVAILABLE at the end of the stream. */
bool message_receive(int socket, struct message *message, struct error *err);
/* Decodes the record of a message into *record, which must be zeroed. A FAILED message becomes the error that it
   carries; any other type than the expected one is an error. */
bool message_expect(const struct message *message, enum message_type type, const struct record_type *record_type,
                    void *record, struct error *err);
/* Closes the descriptors that were not taken. */
void message_release(struct message *message);
#define _cleanup_message_ _cleanup_(message_release)

/* Puts a record into a memfd and reads it from one. */
int payload_write(const struct record_type *type, const void *record, struct error *err);
bool payload_read(int fd, const struct record_type *type, void *record, struct error *err);

/* Differs between builds whose tables of this type, or of one nested in it, differ. */
uint64_t record_fingerprint(const struct record_type *type);
