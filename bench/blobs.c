/* blobs push|pull PORT REPOSITORY CONNECTIONS LIST

   Pushes or pulls blobs of a registry on 127.0.0.1 over so many kept connections, and prints how many seconds that
   took. LIST has a line "DIGEST FILE" for each blob. A client that costs little: files go out through sendfile, what
   comes in is dropped unread. A push is a POST and a PUT, as Docker's; any unexpected status ends it. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_BLOBS 10000
#define HEAD_SIZE 16384

static struct {
    char digest[80], file[1024];
} blobs[MAX_BLOBS];
static int blob_count, next_blob, port;
static bool is_push;
static const char *repository;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void send_all(int fd, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        ssize_t count = send(fd, text, left, MSG_NOSIGNAL);
        if (count <= 0)
            die("send");
        text += count;
        left -= (size_t)count;
    }
}

/* Reads the answer's head, of which `location` (may be NULL) is kept, and drops its body. */
static void answer(int fd, int wanted, char *location)
{
    char head[HEAD_SIZE + 1];
    size_t length = 0;
    char *end;
    for (;;) {
        ssize_t count = recv(fd, head + length, HEAD_SIZE - length, 0);
        if (count <= 0)
            die("recv");
        length += (size_t)count;
        head[length] = '\0';
        if ((end = strstr(head, "\r\n\r\n")))
            break;
    }
    if (atol(head + 9) != wanted) {
        fprintf(stderr, "%.*s\n", (int)length, head);
        exit(1);
    }
    long long left = 0;
    for (char *line = strstr(head, "\r\n"); line && line < end; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, "content-length:", 15) == 0)
            left = atoll(line + 17);
        if (location && strncasecmp(line + 2, "location:", 9) == 0)
            snprintf(location, 4096, "%.*s", (int)strcspn(line + 12, "\r"), line + 12);
    }
    left -= (long long)(head + length - end - 4);
    while (left > 0) {
        ssize_t count = recv(fd, NULL, left < (1 << 20) ? (size_t)left : 1 << 20, MSG_TRUNC);
        if (count <= 0)
            die("recv");
        left -= count;
    }
}

static void push(int fd, const char *digest, const char *path)
{
    char request[8192], location[4096] = "";
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) < 0)
        die(path);
    snprintf(request, sizeof(request),
             "POST /v2/%s/blobs/uploads/ HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 0\r\n\r\n", repository,
             port);
    send_all(fd, request);
    answer(fd, 202, location);
    const char *target = strncmp(location, "http://", 7) == 0 ? strchr(location + 7, '/') : location;
    snprintf(request, sizeof(request),
             "PUT %s%cdigest=%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: "
             "application/octet-stream\r\nContent-Length: %lld\r\n\r\n",
             target, strchr(target, '?') ? '&' : '?', digest, port, (long long)status.st_size);
    send_all(fd, request);
    for (long long left = status.st_size; left > 0;) {
        ssize_t count = sendfile(fd, file, NULL, (size_t)left);
        if (count <= 0)
            die("sendfile");
        left -= count;
    }
    close(file);
    answer(fd, 201, NULL);
}

static void pull(int fd, const char *digest)
{
    char request[1024];
    snprintf(request, sizeof(request), "GET /v2/%s/blobs/%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", repository, digest,
             port);
    send_all(fd, request);
    answer(fd, 200, NULL);
}

static void *work(void *argument)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    for (int i; (i = __atomic_fetch_add(&next_blob, 1, __ATOMIC_RELAXED)) < blob_count;)
        if (is_push)
            push(fd, blobs[i].digest, blobs[i].file);
        else
            pull(fd, blobs[i].digest);
    close(fd);
    return argument;
}

int main(int argc, char **argv)
{
    struct timespec start, end;
    pthread_t threads[64];
    if (argc != 6)
        return 2;
    is_push = strcmp(argv[1], "push") == 0;
    port = (int)strtol(argv[2], NULL, 10);
    repository = argv[3];
    int connections = (int)strtol(argv[4], NULL, 10);
    FILE *list = fopen(argv[5], "re");
    if (!list)
        die(argv[5]);
    while (blob_count < MAX_BLOBS && fscanf(list, "%79s %1023s", blobs[blob_count].digest, blobs[blob_count].file) == 2)
        blob_count++;
    fclose(list);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < connections && i < 64; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            die("pthread_create");
    for (int i = 0; i < connections && i < 64; i++)
        pthread_join(threads[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.4f\n", (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
    return 0;
}
