/* Descriptors, manifests and indexes (OCI image-spec 1.1; Docker's image manifest v2 schema 2 has the same form), and
   the manifest.json of a Docker archive. Tables only; no I/O. */
#pragma once

#include "base/record.h"

#define MEDIA_TYPE_OCI_MANIFEST    "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_TYPE_OCI_INDEX       "application/vnd.oci.image.index.v1+json"
#define MEDIA_TYPE_OCI_CONFIG      "application/vnd.oci.image.config.v1+json"
#define MEDIA_TYPE_OCI_LAYER       "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_TYPE_OCI_LAYER_GZIP  "application/vnd.oci.image.layer.v1.tar+gzip"
#define MEDIA_TYPE_OCI_LAYER_ZSTD  "application/vnd.oci.image.layer.v1.tar+zstd"
#define MEDIA_TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_TYPE_DOCKER_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_TYPE_DOCKER_CONFIG   "application/vnd.docker.container.image.v1+json"
#define MEDIA_TYPE_DOCKER_LAYER    "application/vnd.docker.image.rootfs.diff.tar.gzip"

#define ANNOTATION_IMAGE_NAME "io.containerd.image.name"          /* docker.io/library/busybox:latest */
#define ANNOTATION_REF_NAME   "org.opencontainers.image.ref.name" /* a tag, or a whole reference */

struct platform {
    char *architecture; /* "amd64", Go's name */
    char *os;
    char *os_version;
    struct strlist os_features;
    char *variant; /* "v8" */
};
extern const struct record_type platform_type;

struct descriptor {
    char *media_type;
    char *digest;
    int64_t size; /* bytes */
    struct strlist urls;
    struct strmap annotations;
    struct platform *platform; /* NULL: not given */
    char *artifact_type;
};
extern const struct record_type descriptor_type;

struct manifest {
    int64_t schema_version; /* 2 */
    char *media_type;
    char *artifact_type;
    struct descriptor config;
    struct record_list layers; /* of struct descriptor */
    struct descriptor *subject;
    struct strmap annotations;
};
extern const struct record_type manifest_type;

struct index {
    int64_t schema_version; /* 2 */
    char *media_type;
    char *artifact_type;
    struct record_list manifests; /* of struct descriptor */
    struct strmap annotations;
};
extern const struct record_type index_type;

/* One image of a Docker archive's manifest.json, which is a JSON array of these. */
struct archive_image {
    char *config; /* member name */
    struct strlist repo_tags;
    struct strlist layers;           /* member names, the base first */
    char *parent;                    /* an image id, or NULL */
    struct record_map layer_sources; /* of struct descriptor, by diff id */
};
extern const struct record_type archive_image_type;

bool media_type_is_index(const char *media_type);

/* The platform that this program was compiled for. */
void platform_host(struct platform *out);
/* "linux", "linux/arm64", "linux/arm/v7", "arm64": what is not given is the host's. Go's spellings are normalised
   (x86_64 → amd64, aarch64 → arm64). Docker's error for a bad one is ERROR_INVALID. */
bool platform_parse(const char *text, struct platform *out, struct error *err);
/* "linux/arm64/v8". The caller frees. */
char *platform_text(const struct platform *platform);
/* May an image for `offered` run where `wanted` is asked for? An empty variant of arm64 is v8, of arm v7; a lower
   variant of arm runs on a higher one. Higher is better; 0: no. */
int platform_match(const struct platform *wanted, const struct platform *offered);
/* The descriptor that fits best, the first among equals; NULL where none does. A descriptor without platform fits only
   where it is the only manifest. Attestations (unknown/unknown) never fit. */
const struct descriptor *index_choose(const struct index *index, const struct platform *wanted);
