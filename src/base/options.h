/* Command-line options by table, in the manner of docker's (pflag): one row carries a flag's names, kind, help and
   place; parsing, --help, and later completion and man pages are made from the rows. Used by wherry and wherryd. libc
   only. */
#pragma once

#include "base/error.h"
#include "base/record.h"
#include "base/strbuf.h"
#include "base/text.h"

enum option_kind {
    OPTION_BOOL,      /* bool: --flag, --flag=false */
    OPTION_STRING,    /* char * (owned) */
    OPTION_INT64,     /* int64_t */
    OPTION_OPT_INT64, /* struct opt_int64 */
    OPTION_LIST,      /* struct strlist: may be repeated */
    OPTION_BYTES,     /* int64_t: "512m", "1.5g" (docker/go-units RAMInBytes) */
    OPTION_DURATION,  /* int64_t nanoseconds: "1m30s" (Go) */
    OPTION_CUSTOM,    /* parse(place, value, err) decides */
};

struct option {
    const char *name; /* "interactive" */
    char short_name;  /* 'i' or 0 */
    enum option_kind kind;
    size_t offset;          /* of the value in the options struct */
    const char *value_name; /* as help shows it: "list", "string", "bytes"; NULL for a flag that needs no value */
    const char *help;
    const char *default_text; /* shown as (default …), quoted where the kind is OPTION_STRING; NULL: none */
    /* Required by OPTION_CUSTOM; with another kind it replaces that kind's parser (to check what is stored). A value
       that parse owns, options_release does not free unless the kind says how. */
    bool (*parse)(void *place, const char *value, struct error *err);
    const char *unsupported; /* non-NULL: known, and refused with this message */
    bool is_hidden;
    bool is_help; /* docker lists --help itself among the options of run, where -h is --hostname */
};

struct option_table {
    const struct option *options;
    size_t count;
};

struct option_parse {
    bool stops_at_first_argument; /* `docker run image cmd --flag`: flags after the first argument are arguments */
    bool wants_help;              /* out: --help (or -h where -h is no flag of the table) was given */
    struct strlist arguments;     /* out: what is not an option; the caller releases */
    struct strlist given;         /* out: the names of the options that were given */
};

/* Parses argv[0..argc) (without the program's name). pflag's messages: "unknown flag: --x", "unknown shorthand flag:
   'x' in -x", "flag needs an argument: --x", "invalid argument \"a\" for \"--x\" flag: …" (with "-x, --xx" where it has
   a short name). -abc, -a=value, -avalue, --long=value, --long value and -- are understood. */
bool options_parse(const struct option_table *table, int argc, char **argv, void *values, struct option_parse *parse,
                   struct error *err);
/* Frees the strings and lists that the table's options have put in *values. */
void options_release(const struct option_table *table, void *values);
void option_parse_release(struct option_parse *parse);
#define _cleanup_option_parse_ _cleanup_(option_parse_release)
/* Was this option given? */
static inline bool option_is_given(const struct option_parse *parse, const char *name)
{
    return strlist_contains(&parse->given, name);
}
const struct option *option_find(const struct option_table *table, const char *name, size_t length);
/* The option lines of --help as docker prints them, sorted by name, wrapped at `width`; docker passes the columns of
   its terminal (80 where there is none) less one. */
void options_help(const struct option_table *table, size_t width, struct strbuf *out);
/* Adds the text of one option: its help and its default. */
void option_help_text(const struct option *option, struct strbuf *out);
bool parse_bytes(const char *text, int64_t *out, struct error *err);
bool parse_duration(const char *text, int64_t *nanoseconds, struct error *err);
/* Go's strconv.ParseBool, and strconv.ParseInt with base 0 ("0x10", "-1"), with their messages. */
bool parse_bool(const char *text, bool *out, struct error *err);
bool parse_integer(const char *text, int64_t *out, struct error *err);
/* Adds the text in double quotes, escaped as Go's %q does for ASCII. */
void string_quote(const char *text, struct strbuf *out);
