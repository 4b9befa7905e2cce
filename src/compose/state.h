/* What the engine has of a project: found by docker compose's labels, so that both tools see the same. */
#pragma once

#include "client/client.h"

#define LABEL(name_) "com.docker.compose." name_

struct compose_container {
    char *id, *name, *service, *state, *hash, *image; /* image: the id that the label tells, or "" */
    int number;
    bool is_oneoff;
    json_t *row; /* of the listing */
};

struct compose_state {
    struct compose_container *containers; /* by service and number */
    size_t count;
};
void compose_state_release(struct compose_state *state);
#define _cleanup_compose_state_ _cleanup_(compose_state_release)

/* With one-off containers (of `run`) or without. */
bool compose_state_read(struct client *client, const char *project, bool with_oneoffs, struct compose_state *out,
                        struct error *err);
/* By service and number. */
void compose_state_sort(struct compose_state *state);
/* GET with filters={"label": ["com.docker.compose.project=<project>", and `label` where not NULL]}. */
json_t *compose_get_labelled(struct client *client, const char *path, const char *project, const char *label,
                             struct error *err);
/* The label of a listing's or inspection's row; "" where there is none. */
const char *label_of(const json_t *row, const char *name);
static inline bool container_is_running(const struct compose_container *container)
{
    return container->state[0] == 'r' && container->state[1] == 'u'; /* running */
}
