#include "runtime/network_change.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/interface.h"

#define RESOLVER_ADDRESS "127.0.0.11"
#define RESOLVER_PORT    53
#define RESOLVER_BACKLOG 128

static const struct field network_change_fields[] = {
    FIELD_RECORDS(struct network_change, "interfaces", interfaces, 0, &launch_interface_type),
    FIELD_BOOL(struct network_change, "setsGateway", sets_gateway, 0),
    FIELD_STRING(struct network_change, "gateway", gateway, 0),
    FIELD_STRING(struct network_change, "gateway6", gateway6, 0),
    FIELD_STRING(struct network_change, "removes", removes, 0),
    FIELD_BOOL(struct network_change, "opensResolver", opens_resolver, 0),
};
const struct record_type network_change_type =
    RECORD_TYPE("NetworkChange", struct network_change, network_change_fields);

static int open_resolver(int type)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(RESOLVER_PORT)};
    inet_pton(AF_INET, RESOLVER_ADDRESS, &address.sin_addr);
    _cleanup_close_ int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        (type == SOCK_STREAM && listen(fd, RESOLVER_BACKLOG) < 0))
        return -1;
    return TAKE_FD(fd);
}

static bool apply_inside(const struct network_change *change, int resolver[2], struct error *err)
{
    if (change->interfaces.count && !interfaces_configure(&change->interfaces, err))
        return false;
    if (string_is_set(change->removes))
        interface_remove_with_address(change->removes);
    if (change->sets_gateway && !interfaces_set_gateways(change->gateway, change->gateway6, err))
        return false;
    if (!change->opens_resolver)
        return true;
    resolver[0] = open_resolver(SOCK_DGRAM);
    resolver[1] = open_resolver(SOCK_STREAM);
    return (resolver[0] >= 0 && resolver[1] >= 0) || error_errno(err, "listen on " RESOLVER_ADDRESS);
}

_Noreturn static void run_inside(pid_t container, const struct network_change *change, int answer)
{
    struct error err = ERROR_INIT;
    int resolver[2] = {-1, -1};
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)container);
    int namespace = open(path, O_RDONLY | O_CLOEXEC);
    bool is_done = namespace >= 0 && setns(namespace, CLONE_NEWNET) == 0;
    if (!is_done)
        error_errno(&err, "enter the container's network namespace");
    is_done = is_done && apply_inside(change, resolver, &err);
    const char *text = is_done ? "" : error_message(&err);
    send_with_fds(answer, text, strlen(text) + 1, resolver, is_done && change->opens_resolver ? 2 : 0);
    _exit(is_done ? 0 : 1);
}

/* A link goes with either of its ends. */
static void remove_links(const struct record_list *interfaces)
{
    for (size_t i = 0; i < interfaces->count; i++)
        interface_remove(RECORD_AT(*interfaces, struct launch_interface, i)->host_name);
}

bool network_change_apply(pid_t container, const struct network_change *change, int resolver[2], struct error *err)
{
    int ends[2];
    char text[1024];
    size_t fd_count = 0;
    resolver[0] = resolver[1] = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return error_errno(err, "socketpair");
    _cleanup_close_ int answer = ends[0], other = ends[1];
    if (!interfaces_create(&change->interfaces, container, err))
        return false;
    pid_t child = fork();
    if (child == 0)
        run_inside(container, change, other);
    other = close_fd(other);
    ssize_t n = child < 0 ? -1 : receive_with_fds(answer, text, sizeof(text) - 1, resolver, 2, &fd_count);
    int status;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (n == 1)
        return true;
    remove_links(&change->interfaces);
    if (n <= 0)
        return error_set(err, ERROR_INTERNAL, "the container's network could not be changed");
    text[n] = '\0';
    return error_set(err, ERROR_INTERNAL, "%s", text);
}
