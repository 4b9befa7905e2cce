#include "cli/volume_option.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "cli/mount_option.h"

bool volume_option_parse(const char *value, struct strlist *binds, struct strlist *anonymous, struct error *err)
{
    size_t length = strlen(value);
    if (length == 0)
        return error_set(err, ERROR_INVALID, "invalid empty volume spec");
    size_t sections = 0, section_length = 0;
    for (size_t i = 0; length > 2 && i <= length; i++) {
        bool is_end = i == length;
        /* one letter before a colon is taken for a Windows drive */
        bool is_drive = !is_end && value[i] == ':' && section_length == 1 && isalpha((unsigned char)value[i - 1]);
        if (!is_end && (value[i] != ':' || is_drive)) {
            section_length++;
            continue;
        }
        if (section_length == 0)
            return error_set(err, ERROR_INVALID, "invalid spec: %s: empty section between colons", value);
        if (++sections > 3)
            return error_set(err, ERROR_INVALID, "invalid spec: %s: too many colons", value);
        section_length = 0;
    }
    if (sections < 2) {
        if (!strlist_contains(anonymous, value))
            strlist_add(anonymous, value);
        return true;
    }
    if (value[0] != '.') {
        strlist_add(binds, value);
        return true;
    }
    size_t source_length = strcspn(value, ":");
    _cleanup_free_ char *relative = xstrndup(value, source_length);
    _cleanup_free_ char *source = path_absolute_if_relative(relative);
    strlist_addf(binds, "%s%s", source, value + source_length);
    return true;
}
