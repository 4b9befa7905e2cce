#include "runtime/capabilities.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "runtime/defaults.h"

#define BIT(number) (UINT64_C(1) << (number))

/* prctl fails for a number beyond the kernel's last capability. */
static uint64_t own_bounding_set(void)
{
    uint64_t bits = 0;
    for (int number = 0; number < 64; number++) {
        int is_in = prctl(PR_CAPBSET_READ, number);
        if (is_in < 0)
            break;
        if (is_in)
            bits |= BIT(number);
    }
    return bits;
}

static uint64_t bits_of(const struct strlist *names, uint64_t available, struct strbuf *dropped)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < names->count; i++) {
        int number = capability_number(names->items[i]);
        if (number >= 0 && (available & BIT(number)))
            bits |= BIT(number);
        else if (dropped)
            strbuf_addf(dropped, "%s%s", dropped->length ? ", " : "", names->items[i]);
    }
    return bits;
}

void capabilities_resolve(const struct oci_capabilities *wanted, struct capability_sets *out, struct strbuf *dropped)
{
    *out = (struct capability_sets){0};
    if (!wanted)
        return;
    uint64_t available = own_bounding_set();
    out->bounding = bits_of(&wanted->bounding, available, dropped);
    out->permitted = bits_of(&wanted->permitted, available, NULL);
    /* The kernel refuses an effective capability that is not permitted, and an ambient one that is not both. */
    out->effective = bits_of(&wanted->effective, available, NULL) & out->permitted;
    out->inheritable = bits_of(&wanted->inheritable, available, NULL);
    out->ambient = bits_of(&wanted->ambient, available, NULL) & out->permitted & out->inheritable;
}

bool capabilities_of_process(pid_t pid, struct capability_sets *out, struct error *err)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    _cleanup_strbuf_ struct strbuf status = STRBUF_INIT;
    if (!file_read(AT_FDCWD, path, 65536, &status, err))
        return false;
    const char *line = strstr(strbuf_text(&status), "\nCapBnd:");
    if (!line)
        return error_set(err, ERROR_INTERNAL, "%s has no CapBnd line", path);
    uint64_t bits = strtoull(line + strlen("\nCapBnd:"), NULL, 16);
    *out = (struct capability_sets){.bounding = bits, .effective = bits, .permitted = bits};
    return true;
}

bool capabilities_limit(const struct capability_sets *sets, struct error *err)
{
    uint64_t own = own_bounding_set();
    for (int number = 0; number < 64; number++)
        if ((own & BIT(number)) && !(sets->bounding & BIT(number)) && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0)
            return error_errno(err, "unable to apply bounding set");
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return error_errno(err, "unable to set keep caps");
    return true;
}

bool capabilities_apply(const struct capability_sets *sets, struct error *err)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    for (int i = 0; i < 2; i++)
        data[i] = (struct __user_cap_data_struct){.effective = (uint32_t)(sets->effective >> (32 * i)),
                                                  .permitted = (uint32_t)(sets->permitted >> (32 * i)),
                                                  .inheritable = (uint32_t)(sets->inheritable >> (32 * i))};
    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 || syscall(SYS_capset, &header, data) < 0)
        return error_errno(err, "unable to apply caps");
    for (int number = 0; number < 64; number++)
        if ((sets->ambient & BIT(number)) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) < 0)
            return error_errno(err, "unable to apply caps");
    return true;
}
