/* The question before something is removed. */
#pragma once

#include "base/error.h"

/* Shows the warning ("WARNING! This will remove all stopped containers.") and asks "Are you sure you want to
   continue?". *is_confirmed is true for an answer of y or Y alone. Any other answer, the end of the input and an
   interrupt mean no; docker's commands then do nothing, say nothing and exit with 0. */
bool confirm(const char *warning, bool *is_confirmed, struct error *err);
/* The same with a question of its own, "[y/N]" behind it. */
bool confirm_question(const char *question, bool *is_confirmed, struct error *err);
