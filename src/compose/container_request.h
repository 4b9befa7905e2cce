/* What POST /containers/create is asked for a container of a service. */
#pragma once

#include "compose/project.h"

struct container_plan {
    const struct project *project;
    const char *service_name;
    const json_t *service; /* of the model, with references to other services resolved */
    const char *name;      /* of the container */
    const char *image_id;  /* "sha256:…" */
    int number;
    bool is_oneoff;
    bool no_ports;           /* run without --service-ports */
    bool no_aliases;         /* run without --use-aliases */
    const char *replaces;    /* the id of the container that this one takes the place of, or NULL */
    const json_t *inherited; /* its inspection's Mounts: anonymous volumes go on; or NULL */
    const json_t *image;     /* the image's inspection, for its volumes */
    /* The id of a container of another service, for links; caller frees. */
    char *(*find)(void *find_context, const char *service);
    void *find_context;
};
/* The body; NULL with err where something cannot be honoured. */
json_t *container_request(const struct container_plan *plan, struct error *err);
/* Labels that every resource and container carries. */
void add_project_labels(json_t *labels, const struct project *project);
/* The name of the image of a service: what it says, or "<project>-<service>" where it is built. Caller frees. */
char *service_image(const struct project *project, const char *name, const json_t *service);
/* container_files.c: secrets and configs of variables and content are written into the container before it starts: a
   tar archive for its root. Empty where there are none. */
bool container_files(const struct project *project, const json_t *service, struct strbuf *tar, struct error *err);
