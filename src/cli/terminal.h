/* The user's own terminal. */
#pragma once

#include "base/error.h"

/* Puts the terminal on standard input into raw mode; it is restored by terminal_restore, and at any exit. */
void terminal_make_raw(void);
void terminal_restore(void);
/* Rows and columns of the terminal on standard output; false (and both 0) where it is none. */
bool terminal_size(unsigned *height, unsigned *width);
/* `docker run -it` with something else than a terminal: "the input device is not a TTY". */
bool terminal_check(bool has_stdin, bool wants_tty, struct error *err);
