/* Standard streams against a container's or exec's: run, start -a, attach, exec. One poll loop, no threads. */
#pragma once

#include "cli/detach_keys.h"
#include "client/client.h"

struct session {
    struct client *client;
    const char *container;   /* signals are forwarded to it; NULL: signals end us */
    const char *resize_path; /* "/containers/x/resize"; used with a terminal only */
    struct client_hijack *hijack;
    bool is_tty; /* raw bytes; else frames */
    bool has_stdin;
    bool forwards_signals;
    struct detach_keys keys;    /* count 0: none */
    struct client_stream *wait; /* of POST …/wait; its answer ends the session. NULL: the end of the output does */
    /* The container ran before wait was asked, so its answer may have come already, with its head, and polling would
       miss it: once the output has ended it is read at once. */
    bool may_have_ended;
    int signals; /* of signals_open; -1: none */
    /* out */
    bool is_detached;  /* the keys were typed */
    int64_t exit_code; /* from wait */
    char *wait_error;  /* wait's own error, owned; NULL: none */
};

/* Runs to the end. Puts the terminal into raw mode while it lasts (with is_tty and has_stdin). */
bool session_run(struct session *session, struct error *err);
/* Tells the other side our terminal's size, where standard output is one. Errors are of no consequence. */
void session_resize(const struct session *session);
/* The keys of --detach-keys or the default ones, which docker also takes where the text is wrong. */
void session_set_keys(struct session *session, const char *text);
