/* What the runtime and the child it cloned say to each other: a SOCK_SEQPACKET pair, one message a datagram.

       child → parent  WARNING text     a limit could not be set; the child goes on
                       CONSOLE + fd     the master of the terminal
                       READY            all is made; the child waits for START
                       ERROR text       the child gives up and exits; nothing follows
       parent → child  EQUIPPED         its cgroup is made (v1: it joins by itself), its interfaces are in its namespace
                       START            execve now

   Every descriptor is close-on-exec, so that the end of file tells the parent that execve has succeeded; to the child
   it tells that its parent has gone. */
#pragma once

#include "base/error.h"

enum channel_kind {
    CHANNEL_END, /* end of file; never sent */
    CHANNEL_WARNING,
    CHANNEL_CONSOLE,
    CHANNEL_READY,
    CHANNEL_ERROR,
    CHANNEL_EQUIPPED,
    CHANNEL_START,
};

#define CHANNEL_TEXT_SIZE 4096

struct channel_message {
    int32_t kind;
    int32_t error_kind;
    int32_t errno_value;
    char text[CHANNEL_TEXT_SIZE];
    int fd; /* with CHANNEL_CONSOLE; not part of the datagram */
};

bool channel_open(int ends[2], struct error *err);
/* text may be NULL, fd -1. A text that is too long is cut. Fails only when the other side is gone. */
bool channel_send(int end, enum channel_kind kind, const char *text, int fd);
bool channel_send_error(int end, const struct error *err);
/* The next message; CHANNEL_END at the end of file or on a broken socket. */
void channel_receive(int end, struct channel_message *message);
