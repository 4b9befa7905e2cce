/* The container's network while it runs: interfaces that come, the default route, the sockets of the resolver. */
#include "base/memory.h"
#include "runtime/network_change.h"
#include "shim/shim.h"

static bool apply(struct shim *shim, pid_t container, const struct network_change *change, struct error *err)
{
    int resolver[2];
    if (!network_change_apply(container, change, resolver, err))
        return false;
    for (int i = 0; i < 2 && change->opens_resolver; i++) {
        close_fd(shim->resolver[i]);
        shim->resolver[i] = resolver[i];
    }
    return true;
}

bool network_open_resolver(struct shim *shim, pid_t container, struct error *err)
{
    return apply(shim, container, &(struct network_change){.opens_resolver = true}, err);
}

bool network_take_change(struct shim *shim, struct message *message, struct error *err)
{
    struct message_network head = {0};
    struct network_change change = {0};
    if (!message_expect(message, MESSAGE_NETWORK, &message_network_type, &head, err))
        return false;
    if (shim->container.phase != PROCESS_RUNNING)
        return error_set(err, ERROR_CONFLICT, "Container %s is not running", shim->options.id);
    if (head.fingerprint != record_fingerprint(&network_change_type) || message->fd_count != 1)
        return error_set(err, ERROR_UNSUPPORTED,
                         "the container was started by another version of wherryd: restart it to change its networks");
    if (!payload_read(message->fds[0], &network_change_type, &change, err))
        return false;
    for (size_t i = 0; i < change.interfaces.count; i++) {
        struct launch_interface *interface = RECORD_AT(change.interfaces, struct launch_interface, i);
        if (interface->has_own_name)
            continue;
        _cleanup_free_ char *prefix = interface->name;
        interface->name = xasprintf("%s%zu", string_is_set(prefix) ? prefix : "eth", shim->interface_count + i);
    }
    change.opens_resolver = change.opens_resolver && shim->resolver[0] < 0;
    bool is_done = apply(shim, shim->container.pid, &change, err);
    if (is_done)
        shim->interface_count += change.interfaces.count;
    record_release(&network_change_type, &change);
    return is_done;
}

void network_send_resolver(struct shim *shim, int connection)
{
    message_send(connection, MESSAGE_DONE, NULL, NULL, shim->resolver, shim->resolver[0] >= 0 ? 2 : 0, NULL);
}
