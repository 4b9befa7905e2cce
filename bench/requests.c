/* requests SECONDS CONNECTIONS SOCKET PATH...

   GETs the paths in turn over so many kept connections of a unix socket at once, and prints the requests a second that
   were answered with 200. Anything else ends it. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 512
#define ANSWER_SIZE     (4 << 20)

struct connection {
    int fd;
    int next; /* path */
    char *answer;
    size_t length;
};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void ask(struct connection *connection, char **paths, int count)
{
    char request[512];
    int length = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[connection->next]);
    connection->next = (connection->next + 1) % count;
    connection->length = 0;
    if (write(connection->fd, request, (size_t)length) != length)
        fail("write");
}

/* Is the whole answer there? Content-Length or chunks, as both engines send. */
static int is_whole(const struct connection *connection)
{
    const char *end = strstr(connection->answer, "\r\n\r\n");
    if (!end)
        return 0;
    const char *length = strcasestr(connection->answer, "\r\nContent-Length:");
    if (length && length < end)
        return connection->length >= (size_t)(end + 4 - connection->answer) + strtoul(length + 17, NULL, 10);
    return connection->length > 5 && memcmp(connection->answer + connection->length - 5, "0\r\n\r\n", 5) == 0;
}

static void open_connection(struct connection *connection, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connection->answer = malloc(ANSWER_SIZE + 1);
    if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail("connect");
}

int main(int argc, char **argv)
{
    int count = argc > 4 ? atoi(argv[2]) : 0;
    if (count < 1 || count > MAX_CONNECTIONS)
        return 2;
    static struct connection connections[MAX_CONNECTIONS];
    static struct pollfd fds[MAX_CONNECTIONS];
    for (int i = 0; i < count; i++) {
        open_connection(&connections[i], argv[3]);
        connections[i].next = i % (argc - 4);
        fds[i] = (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
        ask(&connections[i], argv + 4, argc - 4);
    }
    double begin = seconds(), end = begin + atof(argv[1]);
    long answered = 0;
    while (seconds() < end) {
        if (poll(fds, (nfds_t)count, 1000) < 0)
            fail("poll");
        for (int i = 0; i < count; i++) {
            struct connection *connection = &connections[i];
            if (!fds[i].revents)
                continue;
            ssize_t got =
                read(connection->fd, connection->answer + connection->length, ANSWER_SIZE - connection->length);
            if (got <= 0)
                fail("read");
            connection->length += (size_t)got;
            connection->answer[connection->length] = '\0';
            if (!is_whole(connection))
                continue;
            if (strncmp(connection->answer, "HTTP/1.1 200", 12) != 0)
                return fprintf(stderr, "%.200s\n", connection->answer), 1;
            answered++;
            ask(connection, argv + 4, argc - 4);
        }
    }
    printf("%.0f\n", (double)answered / (seconds() - begin));
    return 0;
}
