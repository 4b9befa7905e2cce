/* One build, for the files of this room. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "build/build.h"
#include "build/context.h"
#include "build/output.h"
#include "build/run.h"
#include "dockerfile/dockerfile.h"
#include "dockerfile/ignore.h"
#include "store/build_cache.h"
#include "store/scratch.h"

/* builder.c: what builds share */
struct builder {
    struct engine *engine;
    char *memory; /* <exec-root>/build: small files of contexts */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct strlist flights; /* keys of steps that are being made, and "cache:<id>" of mounts that are locked */
    unsigned slots;         /* steps that may work now */
    atomic_bool is_pruning;
    unsigned jobs; /* threads that tidy up */
};
struct build;
/* Waits for a place among the steps that work at the same time. False: cancelled. */
bool builder_take_slot(struct build *build, struct error *err);
void builder_give_slot(struct build *build);
/* Begins the work for a key. *is_mine is false after another one has ended it: then look into the cache again. */
bool builder_begin(struct build *build, const char *key, bool *is_mine, struct error *err);
void builder_end(struct build *build, const char *key);
/* Releases the context in the background. */
void builder_drop_context(struct builder *builder, struct context *context);

enum stage_state { STAGE_WAITING, STAGE_DONE, STAGE_FAILED };

/* A tree that a step reads, other than its own. */
struct origin {
    struct snapshot snapshot;
    struct copy_source source;
    char *identity; /* the same for the same files; NULL: content decides */
};
void origin_release(struct origin *origin);

struct stage {
    struct build *build;
    size_t index;
    size_t first, end;                   /* its instructions, FROM first */
    char *name;                          /* NULL: none */
    char *base;                          /* of FROM, expanded */
    char *platform;                      /* of FROM, expanded; NULL */
    struct strlist needs;                /* numbers of stages, as text */
    bool is_needed, is_visited, is_open; /* in the search for what is needed */
    bool uses_no_cache;
    bool has_thread;
    pthread_t thread;
    enum stage_state state; /* under the build's lock; the rest is the thread's until it is not STAGE_WAITING */

    struct image_config image;
    struct strlist layers; /* folders, the topmost first */
    struct snapshot snapshot;
    bool has_snapshot; /* it is that of `layers` */
    char *key;         /* all that was done */
    char *record;      /* the key of the last record in the cache */
    bool is_cached;    /* so far */
    bool is_command_set;
    struct strmap arguments; /* ARG: names and values; a name without a value has none here */
    struct strlist declared;
    size_t step_number, step_count; /* for events: of those that make files */
};

struct build {
    struct builder *builder;
    struct engine *engine;
    struct store *store;
    const struct build_request *request;
    const struct build_client *client;
    struct context context;
    struct ignore *ignore;
    struct copy_source source; /* of the context */
    struct dockerfile file;
    struct strmap globals; /* ARG before the first FROM, and what the platform gives */
    struct strlist global_names;
    struct strlist hidden;         /* folders of the body that are contexts of their own */
    struct strlist used_arguments; /* names of --build-arg that some ARG took */
    struct stage *stages;
    size_t stage_count;
    struct stage *target;
    int cancel; /* eventfd: readable once the build is to end */
    atomic_bool is_cancelled;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t running;   /* stages with a thread */
    int finished;     /* eventfd: a stage has ended */
    struct error err; /* the first */
    json_t *detail;
    struct output output;
};

bool build_is_cancelled(void *build);
/* Ends the build; the first error is the one. Takes it. */
void build_fail(struct build *build, struct error *err, json_t *detail);

/* plan.c: the stages and what they need. */
bool plan_stages(struct build *build, struct error *err);
struct stage *plan_find_stage(struct build *build, const char *name);

/* scope.c: variables */
bool scope_add_globals(struct build *build, const struct instruction *instruction, struct error *err);
bool scope_declare(struct stage *stage, const char *word, char **shown, struct error *err);
char *scope_expand_global(struct build *build, const char *text, struct error *err);
char *scope_expand(struct stage *stage, const char *text, struct error *err);
bool scope_expand_words(struct stage *stage, const char *text, struct strlist *out, struct error *err);
char *scope_expand_heredoc(struct stage *stage, const char *text, struct error *err);
/* The environment of RUN; what is in *shown ("A=b") belongs to the key and the history. */
void scope_environment(const struct stage *stage, struct strlist *env, struct strlist *shown);

/* metadata.c: instructions that change the configuration alone. *text is the line of the history. */
bool metadata_apply(struct stage *stage, const struct instruction *instruction, char **text, struct error *err);
/* ["a","b"], as the history shows exec forms. Caller frees. */
char *metadata_list_text(const struct strlist *list);

/* stage.c */
void *stage_thread(void *stage);
/* The lines of the arguments before the first stage. */
void tell_arguments(struct build *build);
bool stage_snapshot(struct stage *stage, struct error *err);
/* Waits for it. */
bool stage_wait(struct build *build, struct stage *stage, struct error *err);
void stage_release(struct stage *stage);

/* step.c: one step that makes files. `make` fills in the layer; a layer without diff id is none. */
struct step_call {
    const char *key;
    const char *description;
    const char *kind;
    bool uses_no_cache;
    bool (*make)(void *context, struct layer_info *layer, struct error *err);
    void *context;
};
bool step_do(struct stage *stage, const struct step_call *call, struct build_record *record, bool *is_cached,
             struct error *err);
/* Puts the record's result on top of the stage. */
bool step_apply(struct stage *stage, const struct build_record *record, const char *history, bool has_layer,
                struct error *err);
/* The key of the layers so far. */
void step_add_layers(const struct stage *stage, struct key *key);
void step_add_epoch(const struct stage *stage, struct key *key);
/* layer_adopt, with the times that the build is to have. */
bool step_adopt(struct stage *stage, const char *folder, struct layer_info *layer, struct error *err);

/* step_run.c, step_copy.c: *exit_code and *record as the instruction leaves them. */
bool step_run(struct stage *stage, const struct instruction *instruction, size_t id, struct error *err);
bool step_copy(struct stage *stage, const struct instruction *instruction, size_t id, struct error *err);
bool step_workdir(struct stage *stage, const struct instruction *instruction, size_t id, struct error *err);

/* origin.c: what --from and from= mean. */
bool origin_open(struct stage *stage, const char *name, struct origin *out, struct error *err);
/* base.c: an image, pulled where it is not here. */
bool base_load(struct stage *stage, const char *reference, const char *platform, struct image *out, struct error *err);

/* finish.c: names the image. */
bool finish_image(struct build *build, struct error *err);
/* The image of a stage as it is, without a name. *id is the caller's. */
bool finish_unnamed(struct stage *stage, char **id, struct error *err);
/* The id that the stage's image would have. Caller frees. */
char *finish_id(const struct stage *stage, char **config);
