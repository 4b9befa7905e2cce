#include "oci/manifest.h"

#include <string.h>

#include "base/memory.h"

#define FIELD(macro, name, member, flags) macro(struct platform, name, member, flags)
static const struct field platform_fields[] = {
    FIELD(FIELD_STRING, "architecture", architecture, 0),
    FIELD(FIELD_STRING, "os", os, 0),
    FIELD(FIELD_STRING, "os.version", os_version, OMIT_EMPTY),
    FIELD(FIELD_STRINGS, "os.features", os_features, OMIT_EMPTY),
    FIELD(FIELD_STRING, "variant", variant, OMIT_EMPTY),
};
#undef FIELD
const struct record_type platform_type = RECORD_TYPE("Platform", struct platform, platform_fields);

#define FIELD(macro, name, member, flags) macro(struct descriptor, name, member, flags)
static const struct field descriptor_fields[] = {
    FIELD(FIELD_STRING, "mediaType", media_type, 0),
    FIELD(FIELD_STRING, "digest", digest, 0),
    FIELD(FIELD_INT64, "size", size, 0),
    FIELD(FIELD_STRINGS, "urls", urls, OMIT_EMPTY),
    FIELD(FIELD_MAP, "annotations", annotations, OMIT_EMPTY),
    FIELD_OPT_RECORD(struct descriptor, "platform", platform, OMIT_EMPTY, struct platform, &platform_type),
    FIELD(FIELD_STRING, "artifactType", artifact_type, OMIT_EMPTY),
};
#undef FIELD
const struct record_type descriptor_type = RECORD_TYPE("Descriptor", struct descriptor, descriptor_fields);

#define FIELD(macro, name, member, flags) macro(struct manifest, name, member, flags)
static const struct field manifest_fields[] = {
    FIELD(FIELD_INT64, "schemaVersion", schema_version, 0),
    FIELD(FIELD_STRING, "mediaType", media_type, OMIT_EMPTY),
    FIELD(FIELD_STRING, "artifactType", artifact_type, OMIT_EMPTY),
    FIELD_RECORD(struct manifest, "config", config, 0, struct descriptor, &descriptor_type),
    FIELD_RECORDS(struct manifest, "layers", layers, EMPTY_NOT_NULL, &descriptor_type),
    FIELD_OPT_RECORD(struct manifest, "subject", subject, OMIT_EMPTY, struct descriptor, &descriptor_type),
    FIELD(FIELD_MAP, "annotations", annotations, OMIT_EMPTY),
};
#undef FIELD
const struct record_type manifest_type = RECORD_TYPE("Manifest", struct manifest, manifest_fields);

#define FIELD(macro, name, member, flags) macro(struct index, name, member, flags)
static const struct field index_fields[] = {
    FIELD(FIELD_INT64, "schemaVersion", schema_version, 0),
    FIELD(FIELD_STRING, "mediaType", media_type, OMIT_EMPTY),
    FIELD(FIELD_STRING, "artifactType", artifact_type, OMIT_EMPTY),
    FIELD_RECORDS(struct index, "manifests", manifests, EMPTY_NOT_NULL, &descriptor_type),
    FIELD(FIELD_MAP, "annotations", annotations, OMIT_EMPTY),
};
#undef FIELD
const struct record_type index_type = RECORD_TYPE("Index", struct index, index_fields);

#define FIELD(macro, name, member, flags) macro(struct archive_image, name, member, flags)
static const struct field archive_image_fields[] = {
    FIELD(FIELD_STRING, "Config", config, 0),
    FIELD(FIELD_STRINGS, "RepoTags", repo_tags, 0),
    FIELD(FIELD_STRINGS, "Layers", layers, 0),
    FIELD(FIELD_STRING, "Parent", parent, OMIT_EMPTY),
    FIELD_RECORD_MAP(struct archive_image, "LayerSources", layer_sources, OMIT_EMPTY, &descriptor_type),
};
#undef FIELD
const struct record_type archive_image_type =
    RECORD_TYPE("tarexport.manifestItem", struct archive_image, archive_image_fields);

bool media_type_is_index(const char *media_type)
{
    return string_equal(media_type, MEDIA_TYPE_OCI_INDEX) || string_equal(media_type, MEDIA_TYPE_DOCKER_LIST);
}

#if defined(__x86_64__)
#define HOST_ARCHITECTURE "amd64"
#define HOST_VARIANT      NULL
#elif defined(__aarch64__)
#define HOST_ARCHITECTURE "arm64"
#define HOST_VARIANT      "v8"
#elif defined(__arm__)
#define HOST_ARCHITECTURE "arm"
#define HOST_VARIANT      "v7"
#elif defined(__i386__)
#define HOST_ARCHITECTURE "386"
#define HOST_VARIANT      NULL
#elif defined(__riscv) && __riscv_xlen == 64
#define HOST_ARCHITECTURE "riscv64"
#define HOST_VARIANT      NULL
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define HOST_ARCHITECTURE "ppc64le"
#define HOST_VARIANT      NULL
#elif defined(__s390x__)
#define HOST_ARCHITECTURE "s390x"
#define HOST_VARIANT      NULL
#else
#error "name this processor as Go's GOARCH does"
#endif

void platform_host(struct platform *out)
{
    *out = (struct platform){
        .os = xstrdup("linux"), .architecture = xstrdup(HOST_ARCHITECTURE), .variant = xstrdup(HOST_VARIANT)};
}

struct spelling {
    const char *text;
    const char *architecture;
    const char *variant; /* NULL: keeps the one that is given */
};

/* containerd's platforms.normalizeArch. */
static const struct spelling spellings[] = {
    {"i386", "386", ""},          {"x86_64", "amd64", NULL},
    {"x86-64", "amd64", NULL},    {"aarch64", "arm64", NULL},
    {"armhf", "arm", "v7"},       {"armel", "arm", "v6"},
    {"amd64", "amd64", NULL},     {"arm64", "arm64", NULL},
    {"386", "386", NULL},         {"arm", "arm", NULL},
    {"riscv64", "riscv64", NULL}, {"s390x", "s390x", NULL},
    {"ppc64le", "ppc64le", NULL}, {"ppc64", "ppc64", NULL},
    {"loong64", "loong64", NULL}, {"mips64le", "mips64le", NULL},
    {"mips64", "mips64", NULL},   {"wasm", "wasm", NULL},
};

static const struct spelling *spelling_find(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
        if (strcasecmp(text, spellings[i].text) == 0)
            return &spellings[i];
    return NULL;
}

static bool is_os(const char *text)
{
    static const char *const names[] = {"linux",   "windows", "darwin",  "freebsd", "netbsd",
                                        "openbsd", "solaris", "illumos", "aix",     "android"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcasecmp(text, names[i]) == 0)
            return true;
    return false;
}

static bool part_is_valid(const char *part)
{
    if (!*part)
        return false;
    for (; *part; part++)
        if (!((*part >= 'a' && *part <= 'z') || (*part >= 'A' && *part <= 'Z') || (*part >= '0' && *part <= '9') ||
              strchr("_.-", *part)))
            return false;
    return true;
}

static void platform_lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

bool platform_parse(const char *text, struct platform *out, struct error *err)
{
    _cleanup_strlist_ struct strlist parts = strlist_split(text, '/');
    if (parts.count > 3)
        return error_set(err, ERROR_INVALID, "\"%s\": cannot parse platform specifier: invalid argument", text);
    for (size_t i = 0; i < parts.count; i++) {
        if (!part_is_valid(parts.items[i]))
            return error_set(err, ERROR_INVALID,
                             "\"%s\" is an invalid component of \"%s\": platform specifier component must match "
                             "\"^[A-Za-z0-9_.-]+$\": invalid argument",
                             parts.items[i], text);
        platform_lower(parts.items[i]);
    }

    const struct spelling *spelling = NULL;
    bool is_os_given = true;
    if (parts.count == 1) {
        is_os_given = is_os(parts.items[0]);
        spelling = is_os_given ? NULL : spelling_find(parts.items[0]);
        if (!is_os_given && !spelling)
            return error_set(err, ERROR_INVALID, "\"%s\": unknown operating system or architecture: invalid argument",
                             text);
    } else {
        spelling = spelling_find(parts.items[1]);
    }

    struct platform platform = {0};
    platform_host(&platform);
    if (is_os_given)
        string_replace(&platform.os, parts.items[0]);
    if (parts.count > 1 || !is_os_given) {
        string_replace(&platform.architecture, spelling ? spelling->architecture : parts.items[1]);
        string_replace(&platform.variant, parts.count == 3 ? parts.items[2] : spelling ? spelling->variant : NULL);
    }
    *out = platform;
    return true;
}

char *platform_text(const struct platform *platform)
{
    return xasprintf("%s/%s%s%s", string_or_empty(platform->os), string_or_empty(platform->architecture),
                     string_is_set(platform->variant) ? "/" : "", string_or_empty(platform->variant));
}

/* "v8" of arm64 and "v7" of arm are what an empty variant means; 0 for one that is not a number. */
static int variant_number(const struct platform *platform)
{
    const char *variant = string_or_empty(platform->variant);
    bool is_arm64 = string_equal(platform->architecture, "arm64");
    if (!*variant)
        return is_arm64 ? 8 : string_equal(platform->architecture, "arm") ? 7 : 0;
    int64_t number = 0;
    if (!parse_int64(*variant == 'v' ? variant + 1 : variant, &number) || number < 0 || number > 100)
        return 0;
    return (int)number;
}

int platform_match(const struct platform *wanted, const struct platform *offered)
{
    if (!string_equal(wanted->os, offered->os))
        return 0;
    const struct spelling *spelling = offered->architecture ? spelling_find(offered->architecture) : NULL;
    const char *architecture = spelling ? spelling->architecture : string_or_empty(offered->architecture);
    if (!string_equal(wanted->architecture, architecture))
        return 0;
    if (strcmp(architecture, "arm") != 0 && strcmp(architecture, "arm64") != 0) {
        /* amd64/v2 and its like: the plain one is preferred, a higher one is taken only where it is asked for. */
        if (string_equal(string_or_empty(wanted->variant), string_or_empty(offered->variant)))
            return 2;
        return string_is_set(offered->variant) ? 0 : 1;
    }
    int have = variant_number(wanted), need = variant_number(offered);
    if (need == 0 || need > have)
        return 0;
    return 100 - (have - need);
}

const struct descriptor *index_choose(const struct index *index, const struct platform *wanted)
{
    const struct descriptor *best = NULL;
    int best_score = 0;
    for (size_t i = 0; i < index->manifests.count; i++) {
        const struct descriptor *descriptor = RECORD_AT(index->manifests, struct descriptor, i);
        int score = 0;
        if (descriptor->platform)
            score = platform_match(wanted, descriptor->platform);
        else if (index->manifests.count == 1)
            score = 1;
        if (score > best_score) {
            best = descriptor;
            best_score = score;
        }
    }
    return best;
}
