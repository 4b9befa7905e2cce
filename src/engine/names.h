/* Generated names: adjective_surname, as Docker's users expect them. */
#pragma once

/* A random one; `attempt` > 0 appends a digit, for when the plain ones are taken. Caller frees. */
char *name_generate(unsigned attempt);
/* [a-zA-Z0-9][a-zA-Z0-9_.-]+ */
_Bool name_is_valid(const char *name);
