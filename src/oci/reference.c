#include "oci/reference.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define DEFAULT_DOMAIN        "docker.io"
#define LEGACY_DEFAULT_DOMAIN "index.docker.io"
#define OFFICIAL_PREFIX       "library/"
#define DEFAULT_TAG           "latest"
#define MAX_PATH_LENGTH       255
#define MAX_TAG_LENGTH        128
#define MIN_DIGEST_HEX        32

/* Locale-free character classes of the grammar. */
static bool is_lower_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alphanumeric(char c)
{
    return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_lower_hex(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    return true;
}

bool is_hex_id(const char *text)
{
    return strlen(text) == 64 && is_lower_hex(text, 64);
}

bool digest_is_valid(const char *text)
{
    return text && string_starts_with(text, "sha256:") && is_hex_id(text + strlen("sha256:"));
}

bool tag_is_valid(const char *tag)
{
    size_t length = strlen(tag);
    if (length == 0 || length > MAX_TAG_LENGTH || !(is_alphanumeric(tag[0]) || tag[0] == '_'))
        return false;
    for (size_t i = 1; i < length; i++)
        if (!is_alphanumeric(tag[i]) && !strchr("_.-", tag[i]))
            return false;
    return true;
}

/* domain-component ::= alphanumeric, with '-' inside; domain ::= component ("." component)* | "[" IPv6 "]", then
   ":" digits. */
static bool domain_is_valid(const char *domain)
{
    const char *at = domain;
    if (*at == '[') {
        size_t length = strspn(at + 1, "0123456789abcdefABCDEF:");
        if (length == 0 || at[1 + length] != ']')
            return false;
        at += length + 2;
    } else {
        do {
            const char *start = at;
            while (is_alphanumeric(*at) || *at == '-')
                at++;
            if (at == start || *start == '-' || at[-1] == '-')
                return false;
        } while (*at == '.' && at++);
    }
    if (*at == ':') {
        const char *port = ++at;
        while (*at >= '0' && *at <= '9')
            at++;
        if (at == port)
            return false;
    }
    return *at == '\0';
}

/* path-component ::= [a-z0-9]+ (("." | "_" | "__" | "-"+) [a-z0-9]+)* ; path ::= component ("/" component)* */
static bool path_is_valid(const char *path)
{
    const char *at = path;
    for (;;) {
        if (!is_lower_alphanumeric(*at))
            return false;
        while (is_lower_alphanumeric(*at))
            at++;
        if (*at == '\0')
            return true;
        if (*at == '-')
            at += strspn(at, "-");
        else if (at[0] == '_' && at[1] == '_')
            at += 2;
        else if (*at == '.' || *at == '_' || *at == '/')
            at++;
        else
            return false;
    }
}

bool repository_name_is_valid(const char *name)
{
    return strlen(name) <= MAX_PATH_LENGTH && path_is_valid(name);
}

/* algorithm ::= component ([-_+.] component)*, component ::= letter alphanumeric*; then ":" and 32 or more hex digits.
 */
static bool digest_matches_grammar(const char *digest)
{
    const char *at = digest;
    do {
        if (!isalpha((unsigned char)*at) || !is_alphanumeric(*at))
            return false;
        while (is_alphanumeric(*at))
            at++;
    } while (*at && strchr("-_+.", *at) && at++);
    if (*at++ != ':')
        return false;
    size_t length = 0;
    while (is_hex(at[length]))
        length++;
    return length >= MIN_DIGEST_HEX && at[length] == '\0';
}

static bool digest_check(const char *digest, struct error *err)
{
    static const struct {
        const char *prefix;
        size_t hex_length;
    } algorithms[] = {{"sha256:", 64}, {"sha384:", 96}, {"sha512:", 128}};

    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
        if (!string_starts_with(digest, algorithms[i].prefix))
            continue;
        const char *hex = digest + strlen(algorithms[i].prefix);
        if (strlen(hex) != algorithms[i].hex_length)
            return error_set(err, ERROR_INVALID, "invalid checksum digest length");
        if (!is_lower_hex(hex, algorithms[i].hex_length))
            return error_set(err, ERROR_INVALID, "invalid checksum digest format");
        return true;
    }
    return error_set(err, ERROR_INVALID, "unsupported digest algorithm");
}

void reference_release(struct reference *reference)
{
    free(reference->domain);
    free(reference->path);
    free(reference->tag);
    free(reference->digest);
    *reference = (struct reference){0};
}

/* The first component is a domain only where it looks like one: it has a dot, a port or capitals, or is localhost. */
static bool begins_with_domain(const char *text, const char *slash)
{
    if (!slash)
        return false;
    size_t length = (size_t)(slash - text);
    if (length == strlen("localhost") && strncmp(text, "localhost", length) == 0)
        return true;
    for (const char *at = text; at < slash; at++)
        if (*at == '.' || *at == ':' || (*at >= 'A' && *at <= 'Z'))
            return true;
    return false;
}

static bool contains_upper_case(const char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            return true;
    return false;
}

bool reference_parse(const char *text, struct reference *out, struct error *err)
{
    if (is_hex_id(text))
        return error_set(err, ERROR_INVALID, "invalid repository name (%s), cannot specify 64-byte hexadecimal strings",
                         text);

    _cleanup_reference_ struct reference reference = {0};
    const char *slash = strchr(text, '/');
    const char *rest = text;
    if (begins_with_domain(text, slash)) {
        reference.domain = xstrndup(text, (size_t)(slash - text));
        rest = slash + 1;
    }
    if (!reference.domain || strcmp(reference.domain, LEGACY_DEFAULT_DOMAIN) == 0)
        string_replace(&reference.domain, DEFAULT_DOMAIN);
    bool is_official = strcmp(reference.domain, DEFAULT_DOMAIN) == 0 && !strchr(rest, '/');
    _cleanup_free_ char *remainder = xasprintf("%s%s", is_official ? OFFICIAL_PREFIX : "", rest);

    _cleanup_free_ char *name = xstrndup(remainder, strcspn(remainder, ":"));
    if (contains_upper_case(name))
        return error_set(err, ERROR_INVALID, "invalid reference format: repository name (%s) must be lowercase", name);

    char *at_sign = strchr(remainder, '@');
    if (at_sign) {
        *at_sign = '\0';
        reference.digest = xstrdup(at_sign + 1);
    }
    char *colon = strchr(remainder, ':');
    if (colon) {
        *colon = '\0';
        reference.tag = xstrdup(colon + 1);
    }
    if (!domain_is_valid(reference.domain) || !path_is_valid(remainder) ||
        (reference.tag && !tag_is_valid(reference.tag)) ||
        (reference.digest && !digest_matches_grammar(reference.digest)))
        return error_set(err, ERROR_INVALID, "invalid reference format");
    if (strlen(remainder) > MAX_PATH_LENGTH)
        return error_set(err, ERROR_INVALID, "repository name must not be more than %d characters", MAX_PATH_LENGTH);
    if (reference.digest && !digest_check(reference.digest, err))
        return false;
    reference.path = TAKE_PTR(remainder);
    if (!reference.tag && !reference.digest) {
        reference.tag = xstrdup(DEFAULT_TAG);
        reference.is_tag_implied = true;
    }
    *out = reference;
    reference = (struct reference){0};
    return true;
}

bool reference_parse_name(const char *repository, const char *tag, struct reference *out, struct error *err)
{
    _cleanup_reference_ struct reference reference = {0};
    if (!reference_parse(string_or_empty(repository), &reference, err))
        return false;
    if (reference.digest)
        return error_set(err, ERROR_INVALID, "cannot import digest reference");
    if (string_is_set(tag)) {
        if (!tag_is_valid(tag))
            return error_set(err, ERROR_INVALID, "invalid tag format");
        string_replace(&reference.tag, tag);
        reference.is_tag_implied = false;
    }
    *out = reference;
    reference = (struct reference){0};
    return true;
}

char *reference_full_name(const struct reference *reference)
{
    return xasprintf("%s/%s", reference->domain, reference->path);
}

char *reference_familiar_name(const struct reference *reference)
{
    if (strcmp(reference->domain, DEFAULT_DOMAIN) != 0)
        return reference_full_name(reference);
    const char *path = reference->path;
    if (string_starts_with(path, OFFICIAL_PREFIX) && !strchr(path + strlen(OFFICIAL_PREFIX), '/'))
        path += strlen(OFFICIAL_PREFIX);
    return xstrdup(path);
}

static char *with_tag_and_digest(const char *name, const struct reference *reference)
{
    return xasprintf("%s%s%s%s%s", name, reference->tag ? ":" : "", string_or_empty(reference->tag),
                     reference->digest ? "@" : "", string_or_empty(reference->digest));
}

char *reference_familiar(const struct reference *reference)
{
    _cleanup_free_ char *name = reference_familiar_name(reference);
    return with_tag_and_digest(name, reference);
}

char *reference_full(const struct reference *reference)
{
    _cleanup_free_ char *name = reference_full_name(reference);
    return with_tag_and_digest(name, reference);
}
