#include "api/detach.h"

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "shim/detach_keys.h"

/* moby's term.ToBytes: one character, or ctrl- and one of a-z @ [ \ ] ^ _ (upper case is not taken). */
static int key_byte(const char *key)
{
    if (strlen(key) == 1)
        return (unsigned char)key[0];
    if (!string_starts_with(key, "ctrl-") || strlen(key) != 6)
        return -1;
    char name = key[5];
    if (name >= 'a' && name <= 'z')
        return name - 'a' + 1;
    static const char others[] = "@[\\]^_";
    static const unsigned char bytes[] = {0, 27, 28, 29, 30, 31};
    const char *found = strchr(others, name);
    return found ? bytes[found - others] : -1;
}

bool detach_keys_from_text(const char *text, char **hex, struct error *err)
{
    if (!string_is_set(text))
        text = "ctrl-p,ctrl-q";
    struct strlist keys = strlist_split(text, ',');
    struct strbuf bytes = STRBUF_INIT;
    bool is_valid = keys.count <= DETACH_KEYS_MAX;
    for (size_t i = 0; is_valid && i < keys.count; i++) {
        int byte = key_byte(keys.items[i]);
        is_valid = byte >= 0;
        strbuf_addf(&bytes, "%02x", (unsigned)byte & 0xff);
    }
    strlist_release(&keys);
    if (!is_valid) {
        strbuf_release(&bytes);
        return error_set(err, ERROR_INVALID, "Invalid detach keys (%s) provided", text);
    }
    *hex = strbuf_take(&bytes);
    return true;
}
