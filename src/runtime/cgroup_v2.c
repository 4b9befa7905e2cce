#include "runtime/cgroup_v2.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/cgroup_v1.h"

#define DEFAULT_PERIOD 100000

uint64_t cgroup_v2_weight(int64_t shares)
{
    if (shares <= 2)
        return 1;
    return 1 + (uint64_t)(MIN(shares, INT64_C(262144)) - 2) * 9999 / 262142;
}

uint64_t cgroup_v2_io_weight(int64_t weight)
{
    return 1 + (uint64_t)(MAX(weight, INT64_C(10)) - 10) * 9999 / 990;
}

void cgroup_v2_format_cpu_max(int64_t quota, int64_t period, char *text, size_t size)
{
    if (period <= 0)
        period = DEFAULT_PERIOD;
    if (quota > 0)
        snprintf(text, size, "%lld %lld", (long long)quota, (long long)period);
    else
        snprintf(text, size, "max %lld", (long long)period);
}

static bool write_text(int folder, const char *file, const char *text, struct error *err)
{
    _cleanup_close_ int fd = openat(folder, file, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "open %s", file);
    if (write(fd, text, strlen(text)) < 0)
        return error_errno(err, "failed to write \"%s\" to %s", text, file);
    return true;
}

/* -1 (and nothing lower makes sense) is "max". */
static bool write_limit(int folder, const char *file, int64_t value, struct error *err)
{
    char text[24] = "max";
    if (value >= 0)
        snprintf(text, sizeof(text), "%lld", (long long)value);
    return write_text(folder, file, text, err);
}

/* Hands the controllers down from `folder` to its children. Those that cannot be (real-time processes and cpu, for one)
   are missed later, where a limit needs them. */
static void enable_controllers(int folder)
{
    _cleanup_strbuf_ struct strbuf there = STRBUF_INIT, enabled = STRBUF_INIT, wanted = STRBUF_INIT;
    if (!file_read(folder, "cgroup.controllers", 4096, &there, NULL) ||
        !file_read(folder, "cgroup.subtree_control", 4096, &enabled, NULL))
        return;
    if (there.length)
        strbuf_truncate(&there, strcspn(there.data, "\n"));
    if (enabled.length)
        strbuf_truncate(&enabled, strcspn(enabled.data, "\n"));
    _cleanup_strlist_ struct strlist names = strlist_split(strbuf_text(&there), ' ');
    _cleanup_strlist_ struct strlist done = strlist_split(strbuf_text(&enabled), ' ');
    for (size_t i = 0; i < names.count; i++)
        if (*names.items[i] && !strlist_contains(&done, names.items[i]))
            strbuf_addf(&wanted, "%s+%s", wanted.length ? " " : "", names.items[i]);
    if (!wanted.length || write_text(folder, "cgroup.subtree_control", wanted.data, NULL))
        return;
    for (size_t i = 0; i < names.count; i++) {
        _cleanup_free_ char *one = xasprintf("+%s", names.items[i]);
        write_text(folder, "cgroup.subtree_control", one, NULL);
    }
}

static int make_folder(const char *path, struct error *err)
{
    _cleanup_close_ int at = open(CGROUP_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        error_errno(err, "open " CGROUP_ROOT);
    _cleanup_strlist_ struct strlist names = strlist_split(path, '/');
    for (size_t i = 0; at >= 0 && i < names.count; i++) {
        if (!*names.items[i])
            continue;
        enable_controllers(at);
        if (mkdirat(at, names.items[i], 0755) < 0 && errno != EEXIST) {
            error_errno(err, "mkdir " CGROUP_ROOT "/%s", path);
            return -1;
        }
        int inner = openat(at, names.items[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (inner < 0) {
            error_errno(err, "open " CGROUP_ROOT "/%s", path);
            return -1;
        }
        close(at);
        at = inner;
    }
    return TAKE_FD(at);
}

/* Docker's `swap` is memory and swap together, v2's is swap alone. */
static bool set_memory(int folder, const struct oci_memory *memory, struct strlist *warnings, struct error *err)
{
    if (memory->limit.is_set && memory->limit.value && !write_limit(folder, "memory.max", memory->limit.value, err))
        return false;
    if (memory->reservation.is_set && memory->reservation.value &&
        !write_limit(folder, "memory.low", memory->reservation.value, err))
        return false;
    if (memory->swappiness.is_set && memory->swappiness.value >= 0)
        strlist_add(warnings, "memory swappiness is not a limit of cgroup v2 and was discarded");
    if (!memory->swap.is_set || !memory->swap.value)
        return true;
    int64_t swap = memory->swap.value;
    if (swap > 0 && memory->limit.value > 0)
        swap -= memory->limit.value;
    if (swap >= 0 && memory->limit.value < 0)
        return error_set(err, ERROR_INVALID, "swap limit needs a memory limit");
    if (faccessat(folder, "memory.swap.max", W_OK, 0) < 0) {
        if (swap >= 0)
            strlist_add(warnings, "Your kernel does not support swap limit capabilities or the cgroup is not mounted. "
                                  "Memory limited without swap.");
        return true;
    }
    return write_limit(folder, "memory.swap.max", swap, err);
}

static bool set_cpu(int folder, const struct oci_cpu *cpu, struct error *err)
{
    char text[64];
    if (cpu->shares.is_set && cpu->shares.value) {
        snprintf(text, sizeof(text), "%llu", (unsigned long long)cgroup_v2_weight(cpu->shares.value));
        if (!write_text(folder, "cpu.weight", text, err))
            return false;
    }
    if ((cpu->quota.is_set && cpu->quota.value) || (cpu->period.is_set && cpu->period.value)) {
        cgroup_v2_format_cpu_max(cpu->quota.value, cpu->period.value, text, sizeof(text));
        if (!write_text(folder, "cpu.max", text, err))
            return false;
    }
    return (!string_is_set(cpu->cpus) || write_text(folder, "cpuset.cpus", cpu->cpus, err)) &&
           (!string_is_set(cpu->mems) || write_text(folder, "cpuset.mems", cpu->mems, err));
}

static bool set_block_io(int folder, const struct oci_block_io *io, struct error *err)
{
    char text[32];
    if (!io->weight.is_set)
        return true;
    bool has_bfq = faccessat(folder, "io.bfq.weight", W_OK, 0) == 0; /* it keeps v1's range */
    snprintf(text, sizeof(text), "%llu",
             (unsigned long long)(has_bfq ? (uint64_t)io->weight.value : cgroup_v2_io_weight(io->weight.value)));
    return write_text(folder, has_bfq ? "io.bfq.weight" : "io.weight", text, err);
}

static bool set_limits(int folder, const struct oci_resources *resources, bool is_new, struct strlist *warnings,
                       struct error *err)
{
    if ((resources->memory && !set_memory(folder, resources->memory, warnings, err)) ||
        (resources->cpu && !set_cpu(folder, resources->cpu, err)) ||
        (resources->block_io && !set_block_io(folder, resources->block_io, err)))
        return false;
    if (resources->pids && (resources->pids->limit > 0 || !is_new) &&
        !write_limit(folder, "pids.max", resources->pids->limit > 0 ? resources->pids->limit : -1, err))
        return false;
    for (size_t i = 0; i < resources->unified.count; i++) {
        const struct strpair *pair = &resources->unified.items[i];
        if (strchr(pair->key, '/'))
            return error_set(err, ERROR_INVALID, "unified resource \"%s\" must be a file name (no slashes)", pair->key);
        if (!write_text(folder, pair->key, pair->value, err))
            return false;
    }
    return true;
}

bool cgroup_v2_create(const char *path, const struct oci_resources *resources, struct strlist *warnings,
                      struct error *err)
{
    _cleanup_close_ int folder = make_folder(path, err);
    if (folder < 0)
        return false;
    if (!resources)
        return true;
    if (!set_limits(folder, resources, true, warnings, err))
        return false;
    if (!resources->devices.count)
        return true;
    _cleanup_close_ int readable = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return cgroup_bpf_attach(readable, &resources->devices, err);
}

bool cgroup_v2_update(const char *path, const struct oci_resources *resources, struct strlist *warnings,
                      struct error *err)
{
    _cleanup_free_ char *whole = xasprintf(CGROUP_ROOT "/%s", path + (*path == '/'));
    _cleanup_close_ int folder = open(whole, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return error_errno(err, "open %s", whole);
    return set_limits(folder, resources, false, warnings, err);
}
