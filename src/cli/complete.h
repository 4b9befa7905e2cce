/* `wherry __complete WORD...`: cobra's protocol, which docker's own completion scripts speak. A candidate a line, with
   its description after a tab; at last ":<directive>". */
#pragma once

#include <stdbool.h>

/* The words after __complete; the last is the one to complete. Returns the exit code. */
int complete_words(int argc, char **argv, bool has_descriptions);
