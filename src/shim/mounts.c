#include "shim/mounts.h"

#include "runtime/mount_change.h"

bool mounts_change(struct message *message, struct error *err)
{
    struct message_start head = {0};
    struct mount_change change = {0};
    if (!message_expect(message, MESSAGE_MOUNTS, &message_start_type, &head, err))
        return false;
    if (head.fingerprint != record_fingerprint(&mount_change_type) || message->fd_count != 2)
        return error_set(err, ERROR_INTERNAL, "wherry-shim and wherryd are of different builds");
    bool is_done = payload_read(message->fds[0], &mount_change_type, &change, err) &&
                   mount_change_apply(message->fds[1], &change, err);
    record_release(&mount_change_type, &change);
    return is_done && message_send(SHIM_CHANNEL, MESSAGE_DONE, NULL, NULL, NULL, 0, err);
}
