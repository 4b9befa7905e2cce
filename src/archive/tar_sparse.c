#include "archive/tar_sparse.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

void tar_sparse_release(struct tar_sparse *sparse)
{
    free(sparse->name);
    strbuf_release(&sparse->map);
    *sparse = TAR_SPARSE_INIT;
}

static void take_version(int *out, const char *value)
{
    *out = isdigit((unsigned char)value[0]) && !value[1] ? value[0] - '0' : 9;
}

/* Form 0.0 has a record for each number: offsets and lengths by turns. */
static void take_number(struct tar_sparse *sparse, const char *value, bool is_length)
{
    if (strchr(value, ',') || (sparse->numbers++ % 2 == 1) != is_length)
        sparse->is_broken = true;
    strbuf_addf(&sparse->map, "%s%s", sparse->map.length ? "," : "", value);
}

void tar_sparse_take(struct tar_sparse *sparse, const char *key, const char *value)
{
    const char *what = key + strlen("GNU.sparse.");
    if (strcmp(what, "name") == 0)
        string_replace(&sparse->name, value);
    else if (strcmp(what, "major") == 0)
        take_version(&sparse->major, value);
    else if (strcmp(what, "minor") == 0)
        take_version(&sparse->minor, value);
    else if (strcmp(what, "size") == 0 || strcmp(what, "realsize") == 0)
        sparse->is_broken = !parse_int64(value, &sparse->size) || sparse->size < 0 || sparse->is_broken;
    else if (strcmp(what, "offset") == 0)
        take_number(sparse, value, false);
    else if (strcmp(what, "numbytes") == 0)
        take_number(sparse, value, true);
    else if (strcmp(what, "map") == 0) {
        strbuf_truncate(&sparse->map, 0);
        strbuf_add_string(&sparse->map, value);
    }
}

bool tar_sparse_has_map_in_content(const struct tar_sparse *sparse)
{
    return sparse->major == 1 && sparse->minor == 0;
}

bool tar_sparse_is_mapped(const struct tar_sparse *sparse)
{
    if (sparse->major < 0 && sparse->minor < 0)
        return sparse->map.length > 0;
    return tar_sparse_has_map_in_content(sparse) || (sparse->major == 0 && (sparse->minor == 0 || sparse->minor == 1));
}

/* The digits up to the separator or the end; NULL where there is something else. */
static const char *read_number(const char *text, char separator, int64_t *out)
{
    size_t length = strspn(text, "0123456789");
    char digits[20];
    if (length == 0 || length >= sizeof(digits) || (text[length] && text[length] != separator))
        return NULL;
    memcpy(digits, text, length);
    digits[length] = '\0';
    return parse_int64(digits, out) ? text + length + (text[length] == separator) : NULL;
}

bool tar_sparse_parse(const char *text, char separator, int64_t size, int64_t content, struct tar_piece **pieces,
                      size_t *count)
{
    _cleanup_free_ struct tar_piece *list = NULL;
    size_t found = 0;
    int64_t end = 0, sum = 0;
    while (*text) {
        struct tar_piece piece;
        text = read_number(text, separator, &piece.offset);
        text = text ? read_number(text, separator, &piece.length) : NULL;
        if (!text || piece.offset < end || piece.offset > size || piece.length > size - piece.offset)
            return false;
        end = piece.offset + piece.length;
        sum += piece.length;
        *APPEND(list, found) = piece;
    }
    if (sum != content)
        return false;
    *pieces = TAKE_PTR(list);
    *count = found;
    return true;
}
