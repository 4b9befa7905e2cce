/* What the files of this room share about one instruction. */
#pragma once

#include "dockerfile/dockerfile.h"

/* First pass: the instruction's text taken apart. Here fails what Docker finds while it reads lines. */
bool instruction_read(const char *text, char escape, struct instruction *out, struct error *err);
/* Second pass: flags, numbers of arguments, names. */
bool instruction_check(struct instruction *instruction, struct error *err);
/* What ONBUILD's text is once its heredocs are known. */
void onbuild_finish(struct instruction *instruction);

/* One mark as a whole word: `<<EOF`, `3<<-"EOF"`. False where it is none. */
bool heredoc_mark(const char *word, struct heredoc *out, bool *removes_tabs);
/* " (did you mean from?)" or "": the nearest of the names, less than three changes away. Caller frees. */
char *suggestion(const char *given, const char *const *names, size_t count);
