/* How an instruction's text is split, by kind of instruction: moby/buildkit frontend/dockerfile/parser/line_parsers.go.
 */
#pragma once

#include "dockerfile/dockerfile.h"

/* Takes "KEYWORD --flag=value …" apart. `rest` is what follows, without blanks around it. All owned by the caller. */
struct command_words {
    char *keyword;
    struct strlist flags; /* with their dashes */
    char *rest;
};
void command_split(const char *text, struct command_words *out);
void command_words_release(struct command_words *words);

/* Blank-separated, where quotes and escapes keep a word together and stay in it. */
void words_quoted(const char *text, char escape, struct strlist *out);
/* Blank-separated, nothing else. */
void words_plain(const char *text, struct strlist *out);
/* NAME VALUE or NAME=VALUE …, as name, value, name, value. */
bool words_pairs(const char *text, char escape, const char *keyword, struct strlist *out, struct error *err);
/* Without blanks at both ends. Caller frees. */
char *text_trim(const char *text);
