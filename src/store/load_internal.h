/* What the kinds of archive (load_docker.c, load_oci.c, load_legacy.c) make of a spooled archive: the same list of
 * images. */
#pragma once

#include "store/image_internal.h"
#include "store/spool.h"

struct loaded_image {
    struct strbuf config; /* the bytes whose digest is the image's id */
    struct image_config parsed;
    struct strlist layers;       /* member names, the base first; one for each diff id */
    struct strlist blob_digests; /* what the members' bytes must hash to; not given where the archive does not say */
    struct strlist tags;         /* as the archive has them; "repo:tag" */
    char *parent;                /* an image id, or NULL */
};

struct load {
    struct store *store;
    struct spool spool;
    struct loaded_image *images;
    size_t count;
};

/* Each appends to load->images; nothing but layers (legacy archives) is written to the store yet. */
bool load_docker(struct load *load, struct error *err);
bool load_oci(struct load *load, struct error *err);
bool load_legacy(struct load *load, struct error *err);

/* Parses image->config and checks that it is one that can be loaded here. */
bool loaded_image_parse(struct loaded_image *image, struct error *err);
/* Checks a digest of a text that was read; only sha256 can be. */
bool text_has_digest(const struct strbuf *text, const char *digest, const char *what, struct error *err);
