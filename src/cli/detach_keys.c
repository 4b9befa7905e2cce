#include "cli/detach_keys.h"

#include <string.h>

#include "base/text.h"

static bool key_of(const char *name, unsigned char *out)
{
    size_t length = strlen(name);
    if (length == 1) {
        *out = (unsigned char)name[0];
        return true;
    }
    if (length != 6 || !string_starts_with(name, "ctrl-"))
        return false;
    char key = name[5];
    if (key >= 'a' && key <= 'z')
        *out = (unsigned char)(key - 'a' + 1);
    else if (key == '@')
        *out = 0;
    else if (key >= '[' && key <= '_')
        *out = (unsigned char)(key - '[' + 27);
    else
        return false;
    return true;
}

bool detach_keys_parse(const char *text, struct detach_keys *out, struct error *err)
{
    struct detach_keys keys = {0};
    _cleanup_strlist_ struct strlist names = strlist_split(text, ',');
    for (size_t i = 0; i < names.count; i++) {
        if (keys.count == DETACH_KEYS_MAXIMUM || !key_of(names.items[i], &keys.keys[keys.count]))
            return error_set(err, ERROR_INVALID, "Unknown character: '%s'", names.items[i]);
        keys.count++;
    }
    *out = keys;
    return true;
}

bool detach_keys_feed(struct detach_keys *keys, const void *data, size_t length, struct strbuf *out)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < length; i++) {
        if (keys->count > 0 && bytes[i] == keys->keys[keys->matched]) {
            if (++keys->matched == keys->count)
                return true;
            continue;
        }
        strbuf_add(out, keys->keys, keys->matched);
        keys->matched = 0;
        if (keys->count > 0 && bytes[i] == keys->keys[0])
            keys->matched = 1;
        else
            strbuf_add(out, &bytes[i], 1);
    }
    return false;
}
