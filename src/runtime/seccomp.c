/* Policies in JSON: OCI's linux.seccomp, and Docker's profile files, which add archMap, and for each rule the
   capabilities, architectures and kernels that it is meant for. */
#include "runtime/seccomp.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/memory.h"
#include "runtime/seccomp_filter.h"
#include "json/json_record.h"

struct profile_argument {
    int64_t index;
    uint64_t value, value_two;
    char *operation;
};
struct profile_condition {
    struct strlist capabilities, architectures;
    char *min_kernel;
};
struct profile_rule {
    char *name;
    struct strlist names;
    char *action;
    struct opt_int64 errno_value;
    struct record_list arguments;
    struct profile_condition includes, excludes;
};
struct profile_architecture {
    char *architecture;
    struct strlist below;
};
struct profile {
    char *default_action;
    struct opt_int64 default_errno;
    struct strlist architectures, flags;
    struct record_list architecture_map, rules;
    char *listener_path;
};

static const struct field argument_fields[] = {
    FIELD_INT64(struct profile_argument, "index", index, 0),
    FIELD_UINT64(struct profile_argument, "value", value, 0),
    FIELD_UINT64(struct profile_argument, "valueTwo", value_two, 0),
    FIELD_STRING(struct profile_argument, "op", operation, 0),
};
static const struct record_type argument_type = RECORD_TYPE("Arg", struct profile_argument, argument_fields);
static const struct field condition_fields[] = {
    FIELD_STRINGS(struct profile_condition, "caps", capabilities, 0),
    FIELD_STRINGS(struct profile_condition, "arches", architectures, 0),
    FIELD_STRING(struct profile_condition, "minKernel", min_kernel, 0),
};
static const struct record_type condition_type = RECORD_TYPE("Filter", struct profile_condition, condition_fields);
static const struct field rule_fields[] = {
    FIELD_STRING(struct profile_rule, "name", name, 0),
    FIELD_STRINGS(struct profile_rule, "names", names, 0),
    FIELD_STRING(struct profile_rule, "action", action, 0),
    FIELD_OPT_INT64(struct profile_rule, "errnoRet", errno_value, 0),
    FIELD_RECORDS(struct profile_rule, "args", arguments, 0, &argument_type),
    FIELD_RECORD(struct profile_rule, "includes", includes, 0, struct profile_condition, &condition_type),
    FIELD_RECORD(struct profile_rule, "excludes", excludes, 0, struct profile_condition, &condition_type),
};
static const struct record_type rule_type = RECORD_TYPE("Syscall", struct profile_rule, rule_fields);
static const struct field architecture_fields[] = {
    FIELD_STRING(struct profile_architecture, "architecture", architecture, 0),
    FIELD_STRINGS(struct profile_architecture, "subArchitectures", below, 0),
};
static const struct record_type architecture_type =
    RECORD_TYPE("Architecture", struct profile_architecture, architecture_fields);
static const struct field profile_fields[] = {
    FIELD_STRING(struct profile, "defaultAction", default_action, 0),
    FIELD_OPT_INT64(struct profile, "defaultErrnoRet", default_errno, 0),
    FIELD_STRINGS(struct profile, "architectures", architectures, 0),
    FIELD_STRINGS(struct profile, "flags", flags, 0),
    FIELD_RECORDS(struct profile, "archMap", architecture_map, 0, &architecture_type),
    FIELD_RECORDS(struct profile, "syscalls", rules, 0, &rule_type),
    FIELD_STRING(struct profile, "listenerPath", listener_path, 0),
};
static const struct record_type profile_type = RECORD_TYPE("Seccomp", struct profile, profile_fields);

static bool parse_action(const char *name, const struct opt_int64 *errno_value, uint32_t *out, struct error *err)
{
    uint32_t value = errno_value->is_set ? (uint32_t)errno_value->value & 0xffff : EPERM;
    const struct {
        const char *name;
        uint32_t action;
    } rows[] = {
        {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
        {"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(value)},
        {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
        {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
        {"SCMP_ACT_TRACE", SCMP_ACT_TRACE(value)},
        {"SCMP_ACT_LOG", SCMP_ACT_LOG},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (string_equal(name, rows[i].name)) {
            *out = rows[i].action;
            return true;
        }
    if (string_equal(name, "SCMP_ACT_NOTIFY"))
        return error_set(err, ERROR_UNSUPPORTED, "seccomp: SCMP_ACT_NOTIFY is not supported");
    return error_set(err, ERROR_INVALID, "seccomp: invalid action %s", string_or_empty(name));
}

static bool parse_argument(const struct profile_argument *argument, struct scmp_arg_cmp *out, struct error *err)
{
    static const struct {
        const char *name;
        enum scmp_compare compare;
    } rows[] = {{"SCMP_CMP_NE", SCMP_CMP_NE},
                {"SCMP_CMP_LT", SCMP_CMP_LT},
                {"SCMP_CMP_LE", SCMP_CMP_LE},
                {"SCMP_CMP_EQ", SCMP_CMP_EQ},
                {"SCMP_CMP_GE", SCMP_CMP_GE},
                {"SCMP_CMP_GT", SCMP_CMP_GT},
                {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};
    if (argument->index < 0 || argument->index > 5)
        return error_set(err, ERROR_INVALID, "seccomp: argument index %lld is out of range",
                         (long long)argument->index);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (string_equal(argument->operation, rows[i].name)) {
            *out =
                (struct scmp_arg_cmp){(unsigned)argument->index, rows[i].compare, argument->value, argument->value_two};
            return true;
        }
    return error_set(err, ERROR_INVALID, "seccomp: invalid operator %s", string_or_empty(argument->operation));
}

/* Go's name of the machine, as the profiles write it. */
static const char *own_architecture(void)
{
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#elif defined(__arm__)
    return "arm";
#elif defined(__i386__)
    return "x86";
#elif defined(__powerpc64__)
    return "ppc64le";
#elif defined(__riscv)
    return "riscv64";
#elif defined(__s390x__)
    return "s390x";
#else
#error "name this architecture as Go does"
#endif
}

static bool is_kernel_older(const char *wanted)
{
    struct utsname name;
    unsigned own_major = 0, own_minor = 0, major = 0, minor = 0;
    if (!string_is_set(wanted) || uname(&name) < 0 || sscanf(name.release, "%u.%u", &own_major, &own_minor) != 2 ||
        sscanf(wanted, "%u.%u", &major, &minor) != 2)
        return false;
    return own_major < major || (own_major == major && own_minor < minor);
}

/* Includes want all that they name; excludes apply as soon as one thing fits. */
static bool is_meant(const struct profile_rule *rule, const struct strlist *capabilities)
{
    const struct profile_condition *with = &rule->includes, *without = &rule->excludes;
    if (with->architectures.count && !strlist_contains(&with->architectures, own_architecture()))
        return false;
    for (size_t i = 0; i < with->capabilities.count; i++)
        if (!strlist_contains(capabilities, with->capabilities.items[i]))
            return false;
    if (is_kernel_older(with->min_kernel) || strlist_contains(&without->architectures, own_architecture()))
        return false;
    for (size_t i = 0; i < without->capabilities.count; i++)
        if (strlist_contains(capabilities, without->capabilities.items[i]))
            return false;
    return !string_is_set(without->min_kernel) || is_kernel_older(without->min_kernel);
}

/* libseccomp wants each argument once in a rule. Where one comes twice the comparisons are alternatives, as in runc. */
static bool add_call(struct seccomp_filter *filter, const char *name, uint32_t action,
                     const struct scmp_arg_cmp *arguments, size_t count, struct error *err)
{
    unsigned seen = 0;
    bool comes_twice = false;
    for (size_t i = 0; i < count; i++) {
        comes_twice |= (seen & (1u << arguments[i].arg)) != 0;
        seen |= 1u << arguments[i].arg;
    }
    if (!comes_twice)
        return seccomp_filter_add(filter, name, action, arguments, (unsigned)count, err);
    for (size_t i = 0; i < count; i++)
        if (!seccomp_filter_add(filter, name, action, &arguments[i], 1, err))
            return false;
    return true;
}

static bool add_rule(struct seccomp_filter *filter, const struct profile_rule *rule, struct error *err)
{
    uint32_t action;
    if (!parse_action(rule->action, &rule->errno_value, &action, err))
        return false;
    _cleanup_free_ struct scmp_arg_cmp *arguments = xcalloc(rule->arguments.count + 1, sizeof(*arguments));
    for (size_t i = 0; i < rule->arguments.count; i++)
        if (!parse_argument(RECORD_AT(rule->arguments, struct profile_argument, i), &arguments[i], err))
            return false;
    if (string_is_set(rule->name) && !add_call(filter, rule->name, action, arguments, rule->arguments.count, err))
        return false;
    for (size_t i = 0; i < rule->names.count; i++)
        if (!add_call(filter, rule->names.items[i], action, arguments, rule->arguments.count, err))
            return false;
    return true;
}

static bool add_architectures(struct seccomp_filter *filter, const struct profile *profile, struct error *err)
{
    for (size_t i = 0; i < profile->architectures.count; i++)
        if (!seccomp_filter_add_arch(filter, profile->architectures.items[i], err))
            return false;
    /* A map says what goes with each native architecture; ours has the same answer. */
    return !profile->architecture_map.count || seccomp_filter_add_default_arches(filter, err);
}

static bool check(const struct profile *profile, struct error *err)
{
    if (profile->architectures.count && profile->architecture_map.count)
        return error_set(err, ERROR_INVALID,
                         "use either 'architectures' or 'archMap' in the seccomp profile, not both");
    if (string_is_set(profile->listener_path))
        return error_set(err, ERROR_UNSUPPORTED, "seccomp: listenerPath is not supported");
    for (size_t i = 0; i < profile->flags.count; i++)
        if (strcmp(profile->flags.items[i], "SECCOMP_FILTER_FLAG_TSYNC") != 0)
            return error_set(err, ERROR_UNSUPPORTED, "seccomp: flag %s is not supported", profile->flags.items[i]);
    return true;
}

static bool compile(const struct profile *profile, const struct strlist *capabilities, struct bytes *out,
                    struct error *err)
{
    struct seccomp_filter filter;
    uint32_t action;
    if (!check(profile, err) || !parse_action(profile->default_action, &profile->default_errno, &action, err) ||
        !seccomp_filter_init(&filter, action, err))
        return false;
    bool is_done = add_architectures(&filter, profile, err);
    for (size_t i = 0; is_done && i < profile->rules.count; i++) {
        const struct profile_rule *rule = RECORD_AT(profile->rules, struct profile_rule, i);
        if (string_is_set(rule->name) && rule->names.count)
            is_done = error_set(err, ERROR_INVALID, "use either 'name' or 'names' in the seccomp profile, not both");
        else if (is_meant(rule, capabilities))
            is_done = add_rule(&filter, rule, err);
    }
    is_done = is_done && seccomp_filter_export(&filter, out, err);
    seccomp_filter_release(&filter);
    return is_done;
}

bool seccomp_compile(const char *json, const struct strlist *capabilities, struct bytes *out, struct error *err)
{
    struct profile profile = {0};
    if (!record_parse(&profile_type, json, strlen(json), &profile, err))
        return error_prefix(err, "decoding seccomp profile failed");
    bool is_done = compile(&profile, capabilities, out, err);
    record_release(&profile_type, &profile);
    return is_done;
}
