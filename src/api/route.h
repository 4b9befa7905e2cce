/* The routes as one table, and the search in it. */
#pragma once

#include "api/call.h"

/* Who may take a route. Each has a decision; the first value is none, and is denied to every role. */
enum access {
    ACCESS_UNDECIDED,
    ACCESS_FULL, /* sockets without a role alone */
    ACCESS_READ, /* role=read, too */
};

/* What a socket for the containers with one label may do with it, for whom it is another question than the one above:
   it may change its containers, and is not to know of others. */
enum label_access {
    LABEL_DENIED,
    LABEL_PLAIN,     /* it has nothing to do with any one's containers */
    LABEL_FILTERS,   /* its `filters` are narrowed to the label */
    LABEL_CONTAINER, /* {id} is a container that must have the label */
    LABEL_EXEC,      /* {id} is an exec in such a container */
};

struct route {
    const char *method;
    const char *pattern; /* "/images/{name}/json": {id} is one segment, {name} one or more */
    call_handler handle; /* NULL: known to Docker's API, and refused by this version of Wherry */
    int min_version;     /* 0: all */
    enum access access;
    enum label_access label_access;
};

extern const struct route routes[];
extern const size_t route_count;

/* Does `path` have the form of `pattern`? *target is what stands for the braces (caller frees), or "". */
bool route_matches(const char *pattern, const char *path, char **target);
/* The first route in the table's order that matches; NULL where there is none. */
const struct route *route_find(const char *method, const char *path, int version, char **target);
