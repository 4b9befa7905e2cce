/* What the database and the disk disagree on, and its repair. */
#pragma once

#include "base/record.h"
#include "store/store.h"

struct finding {
    char *kind; /* "layer", "blob", "image", "temporary", "container", "volume", "run", "cgroup", "link" */
    char *name;
    int64_t size;  /* bytes that it takes on the disk; 0: none */
    char *problem; /* what is wrong with it */
    char *repair;  /* what a repair does; where it cannot be repaired: what a person can do */
    bool is_repairable, is_repaired;
    char *failure; /* why the repair has failed */
};
extern const struct record_type finding_type;

/* Appends one and returns it; the texts are copied. `problem` is a format. */
struct finding *finding_add(struct record_list *findings, const char *kind, const char *name, int64_t size,
                            const char *repair, bool is_repairable, const char *problem, ...) _printf_(7, 8);
/* The outcome of a repair; the error is released. */
void finding_settle(struct finding *finding, bool is_repaired, struct error *why);

struct store_check {
    bool repairs;
    /* Is it a container that the engine has, or that is just being made? Called with no lock of the store held. */
    bool (*is_container)(void *context, const char *id);
    void *context;
    struct record_list findings; /* of struct finding; the caller releases */
    bool
        is_partial; /* something is coming in (a pull, say): what nothing refers to could be its own, and is left out */
};
/* Layers, blobs, images and half-made things. A layer whose folder is gone is unpacked again from its blob, a lost
   config is written again; what nothing refers to is removed. Nothing can come in meanwhile, but for the time that
   trees take to be unpacked or removed. */
bool store_check(struct store *store, struct store_check *check, struct error *err);
